"""What a recipe costs: processor time and bytes per video and per hour of video, at three sizes of picture.

    python benchmarks/costs.py FOOTAGE [--recipes lvd2m longtake] [--heights 360 720 1080] [--json longtake/costs.json]

FOOTAGE is a folder of videos of real scenes, some minutes together. They are encoded anew at each size, whole and cut
into pieces of ten seconds; what a video costs by itself is what explains the difference. The table is the one that
`longtake run --dry-run` goes by. Everything runs in one worker; what it takes to start that is taken off.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from _machine import measured_on

from longtake.costs import Rate, as_plain, parted
from longtake.recipe import Recipe, load
from longtake.select import parse_rule
from longtake.trial import Trial, try_out

PIECE_S = 10
OPTIONS = {"preset": "veryfast", "crf": "23", "g": "48"}


class Writer:
    """Writes frames as a file, at a height, 16:9."""

    def __init__(self, path: Path, height: int, rate: Fraction) -> None:
        self.file = av.open(str(path), "w")
        self.stream = self.file.add_stream("libx264", rate=rate, options=OPTIONS)
        self.stream.width, self.stream.height = round(height * 16 / 9 / 2) * 2, height
        self.stream.pix_fmt = "yuv420p"
        self.count = 0

    def add(self, frame: av.VideoFrame) -> None:
        """Add one."""
        frame.pts, frame.time_base = self.count, 1 / self.stream.codec_context.framerate
        self.count += 1
        self.file.mux(self.stream.encode(frame))

    def close(self) -> None:
        """End the file."""
        self.file.mux(self.stream.encode(None))
        self.file.close()


def encode(video: Path, height: int, whole: Path, pieces: Path) -> None:
    """Encode a video once as a whole and once as pieces; a rest shorter than a piece is left out."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        rate = Fraction(round(stream.average_rate or 25))
        piece = PIECE_S * int(rate)
        frames = stream.frames // piece * piece
        one = Writer(whole / f"{video.stem}.mp4", height, rate)
        some: list[Writer] = []
        for number, frame in zip(range(frames), container.decode(stream), strict=False):
            plain = frame.reformat(one.stream.width, height, "yuv420p")
            if number % piece == 0:
                for before in some[-1:]:
                    before.close()
                some.append(Writer(pieces / f"{video.stem}-{number:06d}.mp4", height, rate))
            some[-1].add(plain)
            one.add(plain)
        for last in (one, *some[-1:]):
            last.close()


def costs(recipe: Recipe, whole: Path, pieces: Path, start_s: float) -> tuple[dict[str, Any], list[Trial]]:
    """Return the costs of a recipe at one size, and the two trials that they come from."""
    long, short = (try_out(recipe, sorted(folder.iterdir()), workers=1) for folder in (whole, pieces))

    def rate(short_cost: float, long_cost: float, off: float = 0.0) -> Rate:
        cost = (short_cost - off, long_cost - off)
        return parted((short.videos, short.hours, cost[0]), (long.videos, long.hours, cost[1]))

    # Clips of a few seconds, so that there are enough to write.
    many = try_out(replace(recipe, rules=(parse_rule("duration_s >= 3"),)), sorted(whole.iterdir()), workers=1)
    found = long.costs()
    plain = as_plain(found) | {
        "scan_cpu_s": rate(short.scan_cpu_s, long.scan_cpu_s, start_s),
        "signal_bytes": rate(short.bytes["signals"], long.bytes["signals"]),
        "preview_bytes": rate(short.bytes["previews"], long.bytes["previews"]),
        "table_bytes": rate(short.bytes["tables"], long.bytes["tables"]),
        "clips": rate(short.clips, long.clips),
        "write_cpu_s": Rate(0.0, max(0.0, many.write_cpu_s - start_s) / many.kept_h),
        "file_bytes": Rate(0.0, many.bytes["files"] / many.kept_h),
        "calls": many.calls / many.kept_clips,
        "prompt_tokens": many.prompt_tokens / many.kept_clips,
        "completion_tokens": many.completion_tokens / many.kept_clips,
    }
    return {
        name: [round(x, 4) for x in v] if isinstance(v, (Rate, list)) else round(v, 6) for name, v in plain.items()
    }, [
        short,
        long,
    ]


def start(recipe: Recipe, pieces: Path) -> float:
    """Return the processor time of a run beyond that of its videos: of one piece, less what a second one adds."""
    one, two = sorted(pieces.iterdir())[:2]
    alone, first, both = (try_out(recipe, some, workers=1).scan_cpu_s for some in ([one], [two], [one, two]))
    return max(0.0, alone + first - both)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a recipe costs per video and per hour of video.")
    parser.add_argument("footage", type=Path)
    parser.add_argument("--recipes", nargs="+", default=["lvd2m", "longtake"])
    parser.add_argument("--heights", nargs="+", type=int, default=[360, 720, 1080])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for height in options.heights:
            places = [Path(folder) / f"{height}" / name for name in ("whole", "pieces")]
            for place in places:
                place.mkdir(parents=True)
            for video in sorted(options.footage.iterdir()):
                encode(video, height, *places)
            for name in options.recipes:
                recipe = load(name)
                row, trials = costs(recipe, places[0], places[1], start(recipe, places[1]))
                found.setdefault(name, []).append(row)
                print(name, height, json.dumps(row), *trials, sep="\n  ", flush=True)
    if options.json:
        head = measured_on() | {"footage_h": round(trials[1].hours, 4), "pieces_s": PIECE_S}
        options.json.write_text(json.dumps(head | {"recipes": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
