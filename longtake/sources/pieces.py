"""Videos of lists of which only the wanted spans are here, as files of their own, and what of a list these hold."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from longtake.sources import Listed

FILE = "pieces.jsonl"
"""In a fetched folder, beside `videos`: a line for each file that is a part of a video."""
MARK = "@"
"""Between a video's id, which has none, and the span in the file's name."""
PART = re.compile(rf"(.+){MARK}[\d.]+-(?:[\d.]+|end)")
NEAR_S = 1e-6


@dataclass(frozen=True, slots=True)
class Part:
    """A file that is a part of a video."""

    video: str
    """The video's id in the list."""
    name: str
    """Of the file, without its ending."""
    start_s: float
    """Span of the video, in seconds, whose frames it has all."""
    end_s: float
    """Infinite for one that goes to the end of the video."""
    shift_s: float
    """Time in the video of the file's first frame."""

    def holds(self, start_s: float | None, end_s: float | None) -> bool:
        """Return whether it has all frames of a span."""
        end_s = math.inf if end_s is None else end_s
        return self.start_s <= (start_s or 0.0) + NEAR_S and end_s <= self.end_s + NEAR_S


def part_name(video: str, start_s: float, end_s: float) -> str:
    """Return what a part's file is called: `NAME@12.5-30`."""
    ends = "end" if math.isinf(end_s) else _number(end_s)
    return f"{video}{MARK}{_number(start_s)}-{ends}"


def video_of(name: str) -> str:
    """Return the id of the video of which a file is the whole or a part, by its name without ending."""
    return name.partition(MARK)[0]


def whole_of(name: str) -> str | None:
    """Return the id of the video of which a file is a part, by its name without ending; None where it is none."""
    found = PART.fullmatch(name)
    return found and found[1]


def write_parts(folder: Path, parts: Iterable[Part]) -> None:
    """Write which parts of videos a folder has, in place of what was written before."""
    new = folder / f"{FILE}.new"
    lines = 0
    with new.open("w", encoding="utf-8") as file:
        for part in parts:
            row = asdict(part)
            if math.isinf(part.end_s):
                del row["end_s"]
            file.write(json.dumps(row) + "\n")
            lines += 1
    if lines or (folder / FILE).exists():
        new.replace(folder / FILE)
    else:
        new.unlink()


def read_parts(folder: Path) -> dict[str, list[Part]]:
    """Return the parts of videos that a folder has, by the videos' ids."""
    found: dict[str, list[Part]] = {}
    path = folder / FILE
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            for line in file:
                part = Part(**{"end_s": math.inf, **json.loads(line)})
                found.setdefault(part.video, []).append(part)
    return found


def in_part(listed: Listed, parts: Iterable[Part]) -> Listed:
    """Return a row as it is of the part that holds its clip: of that file, in its seconds; else as it is."""
    part = next((part for part in parts if part.holds(listed.start_s, listed.end_s)), None)
    if part is None:
        return listed
    return replace(
        listed,
        video=part.name,
        start_s=max(0.0, (listed.start_s or 0.0) - part.shift_s),
        end_s=None if listed.end_s is None else listed.end_s - part.shift_s,
        fields={**listed.fields, "part_of": part.video, "shift_s": f"{part.shift_s:.6f}"},
    )


def _number(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
