"""A soak: many varied videos made on the spot from real footage, a full run, all invariants checked, a second run.

    python benchmarks/trust/soak.py [--videos 5000] [--minutes 60] [--workers 2] [--to FOLDER] [--json FILE]

The footage is what the demo is made of. Sizes, rates, codecs, containers, lengths (1 to 12 s), cuts, dissolves, fades
and sound vary with the number of a video; every fiftieth is spoilt as in `inputs.py`. The recipe is lvd2m with rules
that keep about half, so that clips are written, and captioned by what was measured. Making stops after `--minutes`.
"""

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "demo")]

import av
import numpy as np
from _machine import measured_on
from _mutate import mutant
from _seeds import VPX, X264, X264_B, X265, make_seeds, make_way
from make_videos import AUDIO_HZ, Joint, Sound, Take, footage, footage_sound, render

from longtake import run
from longtake.recipe import load
from longtake.select import parse_rule
from longtake.sources.files import find_videos
from longtake.store import Store

KEEP = ["duration_s >= 1.5", "motion.mean >= 0.02"]
SPOILT = 50
KINDS: list[tuple[str, str, dict[str, str], str]] = [
    ("mp4", "libx264", X264, "aac"),
    ("mp4", "libx264", X264_B, ""),
    ("mov", "libx264", X264_B, "aac"),
    ("mkv", "libx264", X264, "libmp3lame"),
    ("ts", "libx264", X264_B, "aac"),
    ("flv", "libx264", X264, "aac"),
    ("mp4", "libx265", X265, "aac"),
    ("webm", "libvpx-vp9", VPX, "libopus"),
    ("webm", "libvpx", VPX, ""),
    ("mkv", "libsvtav1", {"preset": "12", "svtav1-params": "lp=1"}, ""),
    ("avi", "mpeg4", {}, "libmp3lame"),
    ("mpg", "mpeg2video", {}, "mp2"),
    ("mkv", "ffv1", {}, "flac"),
    ("mov", "mjpeg", {}, ""),
]
MEMORY_S = 1.0


def make(path: Path, chance: random.Random, kind: tuple[Any, ...], shots: list[list[Any]], sound: Sound) -> None:
    """Write one video, as chance decides."""
    ending, codec, options, audio = kind
    rate = 25 if ending == "mpg" else chance.choice((10, 12, 15, 24, 25, 30, 50))
    size = chance.choice(((96, 64), (128, 80), (160, 96), (96, 160), (176, 144), (240, 136)))
    seconds = chance.uniform(1, 12)
    film, left = [], round(seconds * rate)
    while left > 0:
        frames = min(left, chance.randrange(12, 12 * rate))
        joints: list[Joint] = [("cut", 0), ("cut", 0), ("dissolve", 8), ("fade", 8)]
        joint = chance.choice(joints)
        joint = joint if frames > 20 and left - frames > 20 else ("cut", 0)
        film.append(
            Take(chance.choice(shots), frames, zoom=chance.uniform(1.05, 2), sweeps=chance.choice((0, 1, 3)), out=joint)
        )
        left -= frames
    film[-1] = replace(film[-1], out=("cut", 0))
    with av.open(str(path), "w") as file:
        video: Any = file.add_stream(codec, rate=rate, options=dict(options))
        video.width, video.height = size
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        heard: Any = file.add_stream(audio, rate=AUDIO_HZ, layout="stereo") if audio else None
        resampler = av.AudioResampler(format=heard.format, layout="stereo", rate=AUDIO_HZ) if heard else None
        for i, picture in enumerate(render(film, size)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, rate)
            file.mux(video.encode(frame))
            if heard and resampler:
                samples = np.ascontiguousarray(sound[:, i * AUDIO_HZ // rate : (i + 1) * AUDIO_HZ // rate])
                block = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
                block.pts, block.sample_rate = i * AUDIO_HZ // rate, AUDIO_HZ
                block.time_base = Fraction(1, AUDIO_HZ)
                for ready in resampler.resample(block):
                    file.mux(heard.encode(ready))
        file.mux(video.encode(None))
        if heard:
            file.mux(heard.encode(None))


def make_all(folder: Path, count: int, until: float) -> Counter[str]:
    """Make the videos, as many as there is time for; return how many of each kind."""
    shots = [footage("bikes.mp4", 320)[part] for part in (slice(0, 70), slice(76, 137), slice(137, 240))]
    shots += [footage("bigbuckbunny.mp4", 320), footage("carphone_pristine.mp4", 176)]
    sound = footage_sound("bigbuckbunny.mp4")
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        seeds = make_seeds(Path(name) / "seeds")
    made: Counter[str] = Counter()
    for number in range(count):
        if time.monotonic() > until:
            break
        if number % SPOILT == SPOILT - 1:
            seed, mutation, data = mutant(seeds, number * 7)
            (folder / f"{number:05d}-{mutation}-{seed}").write_bytes(data)
            made["spoilt"] += 1
            continue
        kind = KINDS[number % len(KINDS)]
        make(folder / f"{number:05d}-{kind[1]}.{kind[0]}", random.Random(number), kind, shots, sound)
        made[f"{kind[1]} in {kind[0]}"] += 1
    make_way()
    return made


class Memory:
    """Samples the memory of this process and of its workers, in MiB, until stopped."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, int, int]] = []
        """Seconds, ours, the largest worker's."""
        self.begun, self.over = time.monotonic(), threading.Event()
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        page = resource.getpagesize()
        while not self.over.wait(MEMORY_S):
            ours, largest = 0, 0
            for place in Path("/proc").glob("[0-9]*"):
                try:
                    parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                    mine = int(place.name) == os.getpid()
                    if mine or parent == os.getpid():
                        mib = int((place / "statm").read_text().split()[1]) * page >> 20
                        ours, largest = (mib, largest) if mine else (ours, max(largest, mib))
                except OSError:
                    continue  # it has ended meanwhile
            self.samples.append((time.monotonic() - self.begun, ours, largest))

    def tenths(self) -> dict[str, list[int]]:
        """Return the median of each tenth of the time."""
        parts = [part for part in np.array_split(np.array(self.samples), 10) if len(part)]
        return {
            "run_mib": [int(np.median(part[:, 1])) for part in parts],
            "largest_worker_mib": [int(np.median(part[:, 2])) for part in parts],
        }


def check(folder: Path, videos: Path) -> dict[str, Any]:
    """Check a set against the videos it is of; return what doesn't hold, by what should, and what there is."""
    store = Store(folder)
    rows = {row["id"]: row for row in store.read("videos").to_pylist()}
    failures = store.read("failures").to_pylist()
    clips = store.read("clips").to_pylist()
    wrong: dict[str, list[str]] = defaultdict(list)

    def must(holds: bool, rule: str, name: str) -> None:
        if not holds:
            wrong[rule].append(name)

    there = Counter(row["path"] for row in rows.values()) + Counter(f["item"] for f in failures if f["step"] == "scan")
    looked_for = find_videos([videos]).videos  # a spoilt picture.gif is none of them
    for path in looked_for:
        must(there[str(path)] == 1, "every video is a row or a failure, once", path.name)
    must(sum(there.values()) == len(looked_for), "no others are", str(sum(there.values())))
    must(
        not {f["kind"] for f in failures} & {"error", "crash", "timeout"},
        "failures are the files' own",
        str(failures[:3]),
    )
    shots = defaultdict(list)
    for shot in store.read("shots").to_pylist():
        shots[shot["video_id"]].append(shot)
    must(shots.keys() == rows.keys(), "every video has shots, and no other", "")
    for name, some in shots.items():
        some.sort(key=lambda shot: shot["number"])
        ends = some[0]["start_s"] == 0 and some[-1]["end_s"] == rows[name]["duration_s"]
        tiles = all(
            a["ends_in"]["end_s"] == b["start_s"] and a["ends_in"]["start_s"] == a["end_s"] for a, b in pairwise(some)
        )
        must(ends and tiles and some[-1]["end_frame"] == rows[name]["frames"], "shots tile their video", name)
    signals = Counter(store.read("signals", ["video_id"])["video_id"].to_pylist())
    must(signals.keys() == rows.keys() and len(set(signals.values())) == 1, "all signals are there, no others", "")
    check_clips(folder, clips, rows, {f["item"] for f in failures}, must)
    captions = Counter(store.read("captions", ["clip_id"])["clip_id"].to_pylist())
    for clip in clips:
        must(bool(captions[clip["id"]]) == bool(clip["kept"]), "kept clips have captions", clip["id"])
    must(captions.keys() <= {clip["id"] for clip in clips}, "no caption without its clip", "")
    kept = [clip for clip in clips if clip["kept"]]
    return {
        "videos": len(rows),
        "failures": dict(Counter(f"{f['step']}: {f['kind']}" for f in failures)),
        "clips": len(clips),
        "kept": len(kept),
        "files": sum(bool(clip["file"]) for clip in clips),
        "captions": sum(captions.values()),
        "wrong": {rule: [len(names), *names[:5]] for rule, names in wrong.items()},
    }


def check_clips(
    folder: Path,
    clips: list[dict[str, Any]],
    videos: dict[str, dict[str, Any]],
    failed: set[str],
    must: Callable[[bool, str, str], None],
) -> None:
    """Check spans, and that there are just the files that there should be, with just the frames they should have."""
    expected = set()
    for clip in clips:
        video, name = videos.get(clip["video_id"]), clip["id"]
        inside = (
            video is not None
            and 0 <= clip["start_s"] < clip["end_s"] <= video["duration_s"]
            and 0 <= clip["start_frame"] < clip["end_frame"] <= video["frames"]
        )
        must(inside, "clips lie inside", name)
        must(not clip["kept"] or bool(clip["file"]) or name in failed, "kept clips have files", name)
        if clip["file"]:
            must(bool(clip["kept"]), "only kept clips have files", name)
            path = folder / clip["file"]
            expected |= {path, path.with_suffix(".jpg")}
            with av.open(str(path)) as container:
                frames = sum(1 for _ in container.decode(video=0))
            must(frames == clip["end_frame"] - clip["start_frame"], "files have the clip's frames", name)
            must(path.stat().st_size == clip["file_bytes"], "files have their size", name)
    present = {path for path in (folder / "clips").rglob("*") if path.is_file()}
    must(present == expected, "no file is lost or left over", str([p.name for p in present ^ expected][:5]))
    previews = {path.stem.rpartition("-")[0] for path in (folder / "previews").glob("*")}
    must(previews <= videos.keys(), "previews are of videos", str(sorted(previews)[:3]))


def main() -> None:
    parser = argparse.ArgumentParser(description="A soak.")
    parser.add_argument("--videos", type=int, default=5000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--to", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        top = options.to or Path(name)
        began = time.monotonic()
        made = make_all(top / "videos", options.videos, began + 60 * options.minutes)
        made_s = time.monotonic() - began
        print(f"{made.total()} videos made in {made_s:.0f} s", flush=True)
        recipe = replace(load("lvd2m"), rules=tuple(parse_rule(text) for text in KEEP))
        memory = Memory()
        result = run(recipe, [top / "videos"], top / "set", workers=options.workers)
        memory.over.set()
        ran_s = time.monotonic() - began - made_s
        print(f"run: {ran_s:.0f} s, {result.measured}, {result.written}", flush=True)
        found = check(top / "set", top / "videos")
        before = Store(top / "set").read("clips").to_pylist()
        again = run(recipe, [top / "videos"], top / "set", workers=options.workers)
        done = again.measured.videos, again.measured.failed, again.written.written, again.written.failed
        if any(done) or again.captioned.clips or Store(top / "set").read("clips").to_pylist() != before:
            found["wrong"]["a second run does nothing"] = [1, str(done), str(again.captioned)]
    report = {
        **measured_on(),
        "made": dict(made),
        "made_s": round(made_s),
        "run_s": round(ran_s),
        **found,
        "memory": memory.tenths(),
    }
    print(json.dumps(report, indent=1))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
