"""Files and folders here or on object stores; the only part that knows object stores."""

from collections.abc import Sequence
from pathlib import Path

from longtake.errors import UsageError
from longtake.places import hub, stores
from longtake.places.ranges import Sent
from longtake.places.remote import Remote, Tag
from longtake.places.stores import (
    SCHEMES,
    BusyError,
    ChangedError,
    Facts,
    NoBucketError,
    UnreachableError,
    fault,
)

__all__ = [
    "SCHEMES",
    "BusyError",
    "ChangedError",
    "Facts",
    "NoBucketError",
    "Place",
    "Remote",
    "Sent",
    "Tag",
    "UnreachableError",
    "fault",
    "here",
    "is_remote",
    "lacking",
    "options_of",
    "place",
    "remote",
    "remove",
    "set_folder",
    "text_of",
    "write_whole",
]


RETRIES = "10"
"""How often tables are asked for again, at growing distances, for a minute or so; three times is Lance's own."""
UNPRINTABLE = frozenset(map(chr, [*range(32), *range(127, 160), *range(0xD800, 0xE000)]))
"""Control characters, and bytes of a name that are no text."""
_BEGINNINGS = tuple(f"{scheme}://" for scheme in SCHEMES)


def text_of(path: "Place") -> str:
    """Return a path as tables and messages hold it: bytes of a name that are no text in UTF-8 become their numbers."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_remote(name: object) -> bool:
    """Return whether a name is an address of an object store: `s3://bucket/folder`."""
    return isinstance(name, Remote) or str(name).startswith(_BEGINNINGS)


def lacking(address: str) -> str:
    """Return in words what must be installed to read an address of a store; nothing where it is."""
    try:
        stores.obstore_module()
        if address.startswith("hf://"):
            hub.hub_module()
    except UsageError as error:
        return str(error)
    return ""


Place = Path | Remote


def place(name: "str | Path | Remote") -> Place:
    """Return the file or folder that a name means: an address of a store, or a path here. Raises `UsageError`."""
    if isinstance(name, Remote | Path):
        return name
    return remote(name) if is_remote(name) else Path(name)


def remote(address: str) -> Remote:
    """Return what an address of a store means. Raises `UsageError`."""
    return Remote(*stores.split(address))


def set_folder(name: "str | Path | Remote") -> Place:
    """Return the folder that is to hold a set. Raises `UsageError` for a place that nothing can be written to."""
    folder = place(name)
    if not UNPRINTABLE.isdisjoint(str(name)):  # tables can't be in such a folder
        raise UsageError(f"{str(name)!a}: the name of a set's folder can't have control characters")
    if isinstance(folder, Remote) and (folder.scheme not in stores.TABLES or not folder.key):
        where = ", ".join(f"{scheme}://" for scheme in stores.TABLES)
        raise UsageError(f"{name}: a set is a folder here, or one in a bucket ({where}): s3://bucket/my-set")
    return folder


def here(name: "str | Path | Remote", what: str) -> Path:
    """Return a folder or file on this machine. Raises `UsageError` for an address; `what` says what goes there."""
    found = place(name)
    if isinstance(found, Remote):
        raise UsageError(f"{name}: {what} can't be on an object store; name a folder on this machine")
    return found


def options_of(folder: Place) -> dict[str, str] | None:
    """Return what tables on a store are read and written with; None for a folder here."""
    if not isinstance(folder, Remote):
        return None
    return {**stores.settings(folder.scheme, folder.bucket), "client_max_retries": RETRIES}


def write_whole(path: Place, data: bytes) -> None:
    """Write a file whole or not at all."""
    if isinstance(path, Remote):
        path.write_bytes(data)
        return
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def remove(paths: Sequence[Place]) -> None:
    """Remove files of one folder here, or objects of one bucket in few requests."""
    if not paths:
        return
    objects = [path for path in paths if isinstance(path, Remote)]
    if not objects:
        for path in paths:
            path.unlink()
        return
    try:
        stores.obstore_module().delete(objects[0]._store, [path.key for path in objects])
    except FileNotFoundError:
        return  # another did it
    except Exception as error:  # the library has errors of its own; each is raised in our words
        raise stores.told(error, str(objects[0].parent)) from error
