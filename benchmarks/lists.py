"""Reading lists of millions of rows: rows a second, and memory, beside that of a short list.

    python benchmarks/lists.py [--rows 2000000] [--folder FOLDER] [--json results/lists.json]

Lists are made up, in the form of LVD-2M with captions as long as its own, of Panda-70M, of our own, and plain; each
is read by a fresh process, whose peak of memory is told (Linux only). A list of 2,000,000 rows of LVD-2M takes 2.1 GB
of disk, one at a time.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from _machine import measured_on

from longtake.sources import BadRow, Listed, ListedCaption
from longtake.sources.lists import read_list, to_json

FEW = 2_000
CLIPS = 4
"""Clips of a video: in a row of Panda-70M, in rows of LVD-2M."""
TEXT = "The camera follows a dog over a field of grass towards a house by the sea. "


def video_id(number: int) -> str:
    return f"{number:011d}"


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.500"


def lvd2m(rows: int) -> Iterator[str]:
    names = "raw_caption,refined_caption,rewritten_caption,key,video_id,url,dataset_src,orig_caption,total score"
    yield f"{names},span,video_time,orig_span,scene_cut\n"
    for number in range(rows):
        video, start = video_id(number // CLIPS), 20 * (number % CLIPS)
        texts = f'"Caption 1: {TEXT * 6}","{TEXT * 5}",{TEXT * 2},{video}.{number % CLIPS},{video}'
        url = f"https://www.youtube.com/watch?v={video}"
        yield f"{texts},{url},panda70m,a dog,{20 + number % 80}.25,"
        yield f"\"['{clock(start)}', '{clock(start + 15)}']\",15.0,,\n"


def panda70m(rows: int) -> Iterator[str]:
    yield "videoID,url,timestamp,caption,matching_score\n"
    spans = str([[clock(20 * i), clock(20 * i + 15)] for i in range(CLIPS)])
    for number in range(rows // CLIPS):
        video = video_id(number)
        captions = str([TEXT.strip()] * CLIPS)
        yield f'{video},https://www.youtube.com/watch?v={video},"{spans}","{captions}","{[0.43] * CLIPS}"\n'


def ours(rows: int) -> Iterator[str]:
    captions = (ListedCaption("refined", TEXT * 5), ListedCaption("rewritten", TEXT * 2))
    for number in range(rows):
        video, start_s = video_id(number // CLIPS), 20.0 * (number % CLIPS)
        url = f"https://www.youtube.com/watch?v={video}"
        yield to_json(Listed("lvd2m", video, url, start_s, start_s + 15, "", captions, row=number + 1)) + "\n"


def plain(rows: int) -> Iterator[str]:
    for number in range(rows):
        yield f"https://a.example/videos/{number}.mp4\n"


LISTS: dict[str, Callable[[int], Iterator[str]]] = {
    "lvd2m": lvd2m,
    "panda70m": panda70m,
    "longtake": ours,
    "plain": plain,
}


def read(path: Path) -> None:
    """Read a list to its end and tell what that took; run in a process of its own."""
    begun = time.perf_counter()
    clips = bad = 0
    for found in read_list(path):
        clips += isinstance(found, Listed)
        bad += isinstance(found, BadRow)
    took = time.perf_counter() - begun
    status = Path("/proc/self/status").read_text()
    mib = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"clips": clips, "bad": bad, "clips_per_s": round(clips / took), "mib": round(mib, 1)}))


def measured(name: str, rows: int, folder: Path) -> dict[str, Any]:
    path = folder / "list"
    with path.open("w") as file:
        file.writelines(chain(LISTS[name](rows)))
    done = subprocess.run([sys.executable, __file__, "--read", str(path)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout) | {"mb": round(path.stat().st_size / 1e6)}
    path.unlink()
    if found["clips"] != rows or found["bad"]:
        raise SystemExit(f"{name}: {found['clips']} clips and {found['bad']} bad rows of {rows}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Reading lists of millions of rows.")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read(options.read)
        return
    found = []
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        for form in LISTS:
            few, many = (measured(form, rows, Path(name)) for rows in (FEW, options.rows))
            row = {"form": form, "clips": many["clips"], "mb": many["mb"], "clips_per_s": many["clips_per_s"]}
            found.append({**row, "mib_few": few["mib"], "mib_many": many["mib"]})
            print(", ".join(f"{key} {value}" for key, value in found[-1].items()), flush=True)
    if options.json:
        options.json.write_text(json.dumps({**measured_on(), "few": FEW, "lists": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
