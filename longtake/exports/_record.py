"""A clip as one record, for formats that carry all that is known of it: the same fields in each of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longtake.errors import UsageError
from longtake.exports import Placed, Row, chosen

if TYPE_CHECKING:
    import pyarrow as pa

SPAN = {"start_s": "float64", "end_s": "float64", "text": "string"}
CAPTION = {"step": "string", "kind": "string", "number": "int64", **SPAN, "model": "string"}
SOURCE = {"video_id": "string", "file": "string", "start_s": "float64", "end_s": "float64"}


def record(row: Row, placed: Placed, kind: str, scores: Mapping[str, str]) -> dict[str, Any]:
    """Return a clip's record.

    `caption` is that of a kind, or the best there is, and `spans` the parts it is joined of, in seconds of the file;
    `captions` all the clip has. Where the file was cut shorter than the clip, times end with it, and parts that would
    begin after its end are left out of the lists. `scores` maps the keys of scores to names without dots, which readers
    take for paths. No text is null (`model` is empty for what was measured), so that readers which guess types find
    strings.
    """
    end_s = float(placed.duration_s)
    made: dict[str, Any] = {
        "id": row.id,
        "caption": row.text(kind),
        "spans": _within(chosen(row.captions, kind), SPAN, end_s),
        "captions": _within(row.captions, CAPTION, end_s),
        "duration_s": end_s,
        "width": int(placed.width),
        "height": int(placed.height),
        "fps": float(placed.fps),
        "frames": int(placed.frames),
        "source": {
            "video_id": row.video["id"],
            "file": source_name(row.video["path"]),
            "start_s": row.clip["start_s"],
            "end_s": end_of(row, placed),
        },
    }
    if scores:  # a struct without fields can't be stored
        made["scores"] = {name: row.clip.get(key) for key, name in scores.items()}
    return made


def _within(parts: Iterable[Mapping[str, Any]], names: Iterable[str], end_s: float) -> list[dict[str, Any]]:
    """Return some fields of captions, with their times inside a file."""
    return [{name: "" if part[name] is None else part[name] for name in names} for part in within(parts, end_s)]


def within(parts: Iterable[Mapping[str, Any]], end_s: float) -> list[dict[str, Any]]:
    """Return captions with their times inside a file that ends there, without those that would begin later."""
    return [{**part, "end_s": min(part["end_s"], end_s)} for part in parts if part["start_s"] < end_s]


def end_of(row: Row, placed: Placed) -> float:
    """Return the second of the video at which what the file holds ends: the clip's, but for one that was cut."""
    clip = row.clip
    return float(clip["end_s"] if placed.duration_s >= clip["duration_s"] else clip["start_s"] + placed.duration_s)


def fields(scores: Mapping[str, str]) -> dict[str, Any]:
    """Return a record's fields and their types: a name, a dict for a struct, a list of one for a list."""
    made = {
        "id": "string",
        "caption": "string",
        "spans": [SPAN],
        "captions": [CAPTION],
        "duration_s": "float64",
        "width": "int64",
        "height": "int64",
        "fps": "float64",
        "frames": "int64",
        "source": SOURCE,
    }
    return made | ({"scores": dict.fromkeys(scores.values(), "float64")} if scores else {})


def arrow_schema(types: Mapping[str, Any]) -> "pa.Schema":
    """Return such fields as an Arrow schema."""
    import pyarrow as pa

    def arrow(of: Any) -> pa.DataType:
        if isinstance(of, dict):
            return pa.struct([(name, arrow(part)) for name, part in of.items()])
        return pa.list_(arrow(of[0])) if isinstance(of, list) else pa.type_for_alias(of)

    return pa.schema([(name, arrow(of)) for name, of in types.items()])


def score_names(row: Row) -> dict[str, str]:
    """Return the scores of the set by their keys: `motion.mean` -> `motion_mean`. Raises `UsageError` where two meet.

    All rows of an export have the same ones.
    """
    names = {key: key.replace(".", "_") for key in sorted(row.clip) if "." in key}
    by_name: dict[str, str] = {}
    for key, name in names.items():
        if name in by_name:
            raise UsageError(f"scores {by_name[name]!r} and {key!r} are both called {name!r} here; rename a label")
        by_name[name] = key
    return names


def source_name(path: str) -> str:
    """Return an address as it is, and of a path only the file's name: folders of one machine are nobody's business."""
    return path if "://" in path else Path(path).name
