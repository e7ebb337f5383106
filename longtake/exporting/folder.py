"""The folder of an export: it has its name only when it is whole, and the set notes it."""

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from longtake import __version__
from longtake.errors import UsageError
from longtake.store import Store

MANIFEST = "export.json"
KEY = ".key"
"""In an unfinished export: which one it is."""
_KEY = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Exported:
    """An export as it lies there."""

    folder: Path
    format: str
    clips: int
    bytes: int
    """Of clip files."""
    splits: dict[str, int]
    """Clips, or spans, in each."""
    without_file: int
    """Kept clips left out because the set has no file of them."""
    too_short: int
    """Kept clips left out because they have fewer frames than are asked for."""
    without_caption: int
    """Clips that went out without the caption asked for."""
    was_there: bool
    """Whether just this export was made before."""
    spans: int | None = None
    """Spans, in a format of grounding; it holds no clips."""
    left_out: int = 0
    """Spans that such a format can't hold, or that its parameters leave out."""
    mixed: dict[str, dict[str, int]] = field(default_factory=dict)
    """Captions, as `lvd2m.refined`, that several models wrote: how many each of them."""


def as_it_was(to: Path, key: str) -> Exported | None:
    """Return what an export says of itself, if it is just this one; None where there is none yet.

    Raises `UsageError` for anything else that is there, and where files of it are gone.
    """
    if not to.exists() or (to.is_dir() and not any(to.iterdir())):
        return None
    said = _said(to)
    if said.get("key") != key:
        raise UsageError(f"{to} is there already and isn't this export; name another folder or remove it")
    if gone := (Counter(said["files"]) - _files(to)).total():
        are = "is" if gone == 1 else "are"
        raise UsageError(f"{to} is this export, but {gone:,} of its files {are} gone; remove {to} to have it made anew")
    names = {field.name for field in fields(Exported)} - {"folder", "was_there"}
    return Exported(to, **{name: said[name] for name in names & said.keys()}, was_there=True)


def unfinished(to: Path, key: str) -> Path:
    """Return the folder for the unfinished export: gone on with where it is of the same one.

    That of another export is removed. Raises `UsageError` for a folder of that name which no export of ours made, and
    where no export can be.
    """
    partial = to.with_name(to.name + ".partial")
    if partial.is_symlink() or (partial.exists() and not _is_ours(partial)):
        raise UsageError(
            f"{partial} is where the unfinished export would lie, and no export made it: rename it or move it away, "
            "or name another folder with --to"
        )
    mark = partial / KEY
    if to.exists():
        try:
            to.rmdir()  # as it is done in the end, when all the work would be in vain
            to.mkdir()
        except OSError as error:
            raise UsageError(
                f"{to} must stay as it is ({error.strerror}), as a mount point must, and a finished export takes the "
                f"place of its folder; name a new folder in it, as --to {to / 'dataset'}"
            ) from error
    if partial.exists() and not (mark.is_file() and mark.read_text(encoding="utf-8") == key):
        shutil.rmtree(partial)
    try:
        partial.mkdir(parents=True, exist_ok=True)
        mark.write_text(key, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{to}: no folder can be made there ({error.strerror}); name another with --to") from error
    return partial


def _is_ours(partial: Path) -> bool:
    """Return whether an export that was stopped left a folder: it is empty, or says which export it is."""
    if not partial.is_dir():
        return False
    names = {path.name for path in partial.iterdir()}
    mark = partial / KEY
    if mark.is_file() and len(names) > 1:
        return bool(_KEY.fullmatch(mark.read_text(encoding="utf-8", errors="replace")))
    # All is written, and only its name was to come.
    return names <= {KEY} or bool(_KEY.fullmatch(str(_said(partial).get("key", ""))))


def _said(folder: Path) -> dict[str, Any]:
    """Return what a folder's manifest says; nothing where it has none, or somebody else's."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _files(folder: Path) -> Counter[str]:
    """Return how many files of each ending an export has: trainers put caches of other endings beside them."""
    names = (name for _, _, some in os.walk(folder) for name in some if name not in (KEY, MANIFEST))
    return Counter(name.rpartition(".")[2] for name in names)


def finish(
    store: Store,
    done: Exported,
    key: str,
    options: Mapping[str, Any],
    partial: Path,
    video_ids: Sequence[str],
    kin: Mapping[str, str],
) -> None:
    """Write what the export is, note it in the set, so that `remove` knows who holds a video, and give it its name.

    Noted first: what has its name is taken for done by the next call, also after a kill. `kin` is noted for splits of
    later exports.
    """
    facts = asdict(done) | {"folder": None, "key": key, "options": options, "longtake": __version__}
    facts["files"] = _files(partial)
    made = {name: value for name, value in facts.items() if name not in ("folder", "was_there")}
    (partial / MANIFEST).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    folder = str(done.folder.resolve())
    row = {
        "folder": folder,
        "format": done.format,
        "key": key,
        "options": json.dumps({**options, "kin": kin}, sort_keys=True),
        "clips": done.clips,
        "made": datetime.now(UTC),
        "video_ids": list(video_ids),
    }
    store.delete("exports", "folder", [folder])
    store.append("exports", [row])
    (partial / KEY).unlink()
    if done.folder.exists():
        done.folder.rmdir()
    partial.replace(done.folder)
