"""The captions that a published list has of a clip."""

from longtake.captions import View
from longtake.records import Caption

VERSION = 1
LISTED = True
SIGNALS: tuple[str, ...] = ()


def listed(view: View) -> list[Caption]:
    """Captions that the list of a fetched folder has of the clip, each of the kind that the list gives it.

    Of rows that name the same clip all captions are taken, in the order of the list; equal ones once. Captions of parts
    keep their seconds of the clip, cut to its length. Nothing is checked: these are the words of whoever made the list.
    """
    made: list[Caption] = []
    seen: set[tuple[str, float, float, str]] = set()
    counts: dict[str, int] = {}
    for row in view.listed:
        for said in row["captions"]:
            end_s = view.duration_s if said["end_s"] is None else min(said["end_s"], view.duration_s)
            key = (said["kind"], said["start_s"], end_s, said["text"])
            if said["start_s"] >= end_s or not said["text"].strip() or key in seen:
                continue
            seen.add(key)
            number = counts[said["kind"]] = counts.get(said["kind"], -1) + 1
            made.append(Caption(said["kind"], number, said["start_s"], end_s, said["text"]))
    return made
