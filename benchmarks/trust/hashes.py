"""Whether one input gives one set: hashes of sets made in other ways, and by other versions of Python.

    python benchmarks/trust/hashes.py [--once | --ray] [--json FILE]

A few small videos are made of the demo's footage and run through our recipe and through lvd2m, with rules that keep
much. Then the same again with more workers, sources in another order, other surroundings, decoder threads, with clips
from stored signals, and with `--ray` on a cluster here; `--once` leaves all that out. With `--json` the hashes join
those that other versions of Python have left in the file, and have to be the same.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "demo")]

from _machine import measured_on
from make_videos import footage, footage_sound
from soak import KINDS, make

from longtake.hashing import hash_set

RECIPES = ("longtake", "lvd2m")
KEEP = ["duration_s >= 1", "motion.mean >= 0.001"]
VIDEOS = 6
CODE = "from longtake.cli import main; main()"
SURROUNDINGS = {
    "PYTHONHASHSEED": "4321",
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "de_DE.UTF-8",
    "LANG": "tr_TR.UTF-8",
    "OMP_NUM_THREADS": "3",
    "OPENBLAS_NUM_THREADS": "3",
}


def films(folder: Path) -> list[Path]:
    """Make the videos, in two folders; one kind each of the soak's, and one that is spoilt."""
    shots = [footage("bikes.mp4", 320)[part] for part in (slice(0, 70), slice(76, 137), slice(137, 240))]
    shots += [footage("bigbuckbunny.mp4", 320)]
    sound = footage_sound("bigbuckbunny.mp4")
    tops = [folder / "a", folder / "b"]
    for top in tops:
        top.mkdir(parents=True)
    kinds = [kind for kind in KINDS if kind[0] not in ("mkv", "webm")]  # which get a name by chance, and so differ
    for number, kind in enumerate(kinds[:VIDEOS]):
        make(tops[number % 2] / f"{number}.{kind[0]}", random.Random(number), kind, shots, sound)
    whole = (tops[0] / "0.mp4").read_bytes()
    (tops[1] / "cut off.mp4").write_bytes(whole[: len(whole) // 2])
    return tops


def made(
    recipe: str,
    sources: list[Path],
    to: Path,
    *more: str,
    workers: int = 1,
    engine: str = "local",
    surroundings: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run in a process of its own; return the set's hash."""
    settings = [f"select.keep={KEEP!r}", "files.preset='ultrafast'", *more]
    words = [word for setting in settings for word in ("-s", setting)]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            CODE,
            "run",
            recipe,
            *map(str, sources),
            "--to",
            str(to),
            *words,
            "--workers",
            str(workers),
            "--engine",
            engine,
        ],
        env={**os.environ, **surroundings},
        capture_output=True,
        text=True,
        check=False,  # a video is spoilt
    )
    assert (to / "recipe.toml").is_file(), done.stderr
    return hash_set(to).whole


def hashes(recipe: str, tops: list[Path], folder: Path, *, once: bool, ray: bool) -> dict[str, str]:
    """Return the hash of the set that each way gives."""
    found = {"1 worker": made(recipe, tops, folder / "1")}
    if once:
        return found
    for workers in (2, 4):
        found[f"{workers} workers"] = made(recipe, tops, folder / f"w{workers}", workers=workers)
    found["sources in another order"] = made(recipe, tops[::-1], folder / "order")
    found["hash seed, time zone, locale, threads of libraries"] = made(
        recipe, tops, folder / "env", surroundings=SURROUNDINGS
    )
    for one in sorted(path for top in tops for path in top.iterdir()):
        last = made(recipe, [one], folder / "alone", workers=4)
    found["a video a run, 4 decoder threads"] = last
    made(recipe, tops, folder / "stored", "clips.trim_s=0.3", "select.keep=['duration_s >= 9999']")
    found["clips from stored signals"] = made(recipe, tops, folder / "stored")
    if ray:
        found["Ray"] = made(recipe, tops, folder / "ray", workers=2, engine="ray")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Hashes of sets made in many ways.")
    parser.add_argument("--once", action="store_true", help="in one way only, for another version of Python")
    parser.add_argument("--ray", action="store_true", help="on a Ray cluster here as well")
    parser.add_argument("--json", type=Path, help="what other versions of Python gave is in here, and must be the same")
    options = parser.parse_args()
    before = json.loads(options.json.read_text())["python"] if options.json and options.json.is_file() else {}
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as name:
        tops = films(Path(name) / "films")
        for recipe in RECIPES:
            found[recipe] = hashes(recipe, tops, Path(name) / recipe, once=options.once, ray=options.ray)
    python = platform.python_version()
    wrong = 0
    for recipe, ways in found.items():
        expected = {ways["1 worker"], *(other[recipe]["1 worker"] for other in before.values())}
        wrong += len({*ways.values(), *expected}) > 1
        for way, value in ways.items():
            print(f"{recipe:10} {python:8} {way:52} {value[:16]}")
        for version, other in before.items():
            print(f"{recipe:10} {version:8} {'1 worker':52} {other[recipe]['1 worker'][:16]}")
    print("not all the same" if wrong else "all the same")
    if options.json:
        told: dict[str, Any] = {**measured_on(), "same": not wrong, "python": {**before, python: found}}
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
