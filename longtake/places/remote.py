"""A file or folder on an object store, with the methods of a path."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from longtake.places import hub, ranges, stores
from longtake.places.ranges import RangeFile, Sent
from longtake.places.stores import ChangedError, Facts, NoBucketError

Tag = dict[str, str]
"""What a store calls one content of an object."""


@dataclass(frozen=True, slots=True, order=True)
class Remote:
    """A file or folder on an object store, with those methods of `pathlib.Path` that are used of one.

    A folder is nothing but the beginning of names; making one does nothing. What is written is there whole or not at
    all. Errors are `OSError`s: `FileNotFoundError`, `PermissionError`, `ChangedError`, `UnreachableError`.
    """

    scheme: str
    bucket: str
    key: str
    facts: Facts | None = field(default=None, compare=False, repr=False)
    """As a listing told them; None: the store is asked."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}".rstrip("/")

    def __truediv__(self, name: "str | PurePosixPath") -> "Remote":
        return replace(self, key=f"{self.key}/{name}".strip("/"), facts=None)

    @property
    def name(self) -> str:
        """The last part of the name."""
        return PurePosixPath(self.key).name or self.bucket

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """The ending, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> "Remote":
        """The folder it is in."""
        return replace(self, key=self.key.rpartition("/")[0], facts=None)

    def with_name(self, name: str) -> "Remote":
        """Return another file of the same folder."""
        return self.parent / name

    def with_suffix(self, suffix: str) -> "Remote":
        """Return the same name with another ending."""
        return self.with_name(self.stem + suffix)

    def absolute(self) -> "Remote":
        """Return itself: an address is never relative."""
        return self

    @property
    def _store(self) -> Any:
        return self._asked()

    def _asked(self, **how: bool) -> Any:
        return hub.store(self.bucket, **how) if self.scheme == "hf" else stores.store(self.scheme, self.bucket, **how)

    def stat(self) -> Facts:
        """Return size and time, as the listing told them or as the store says now."""
        if self.facts is not None:
            return self.facts
        if not self.key:
            raise IsADirectoryError(f"{self}: is a folder")
        if self.scheme == "hf":
            return hub.facts(self.bucket, self.key)
        with stores.asking(str(self)) as library:
            meta = library.head(self._store, self.key)
        return stores.facts_of(meta["size"], meta["last_modified"], meta["e_tag"])

    def known(self) -> "Remote":
        """Return the object as the store tells it now, so that what is read of it is of this one."""
        return self if self.facts else replace(self, facts=self.stat())

    def is_file(self) -> bool:
        """Return whether there is an object of this name."""
        try:
            self.stat()
        except (FileNotFoundError, IsADirectoryError):
            return False
        return True

    def is_dir(self) -> bool:
        """Return whether there is any object below this name."""
        return next(self.walk(), None) is not None

    def exists(self) -> bool:
        """Return whether it is a file or a folder."""
        return self.is_file() or self.is_dir()

    def resolve(self) -> "Remote":
        """Return itself: there are no links."""
        return self

    def is_symlink(self) -> bool:
        """Return False: stores have no links."""
        return False

    def walk(self) -> Iterator["Remote"]:
        """Give all objects below this name with their facts, page by page, sorted where the store sorts."""
        if self.scheme == "hf":
            yield from (replace(self, key=key, facts=facts) for key, facts in hub.walk(self.bucket, self.key))
            return
        with stores.asking(str(self)) as library:
            for page in library.list(self._store, f"{self.key}/" if self.key else None, chunk_size=1000):
                for meta in page:
                    facts = stores.facts_of(meta["size"], meta["last_modified"], meta["e_tag"])
                    yield replace(self, key=meta["path"], facts=facts)

    def iterdir(self) -> Iterator["Remote"]:
        """Give the files and folders of this folder."""
        with stores.asking(str(self)) as library:
            found = library.list_with_delimiter(self._store, self.key or None)
        for name in found["common_prefixes"]:
            yield replace(self, key=name.strip("/"), facts=None)
        for meta in found["objects"]:
            facts = stores.facts_of(meta["size"], meta["last_modified"], meta["e_tag"])
            yield replace(self, key=meta["path"], facts=facts)

    def open(self, mode: str = "rb", buffering: int = -1) -> RangeFile:
        """Open for reading, at any place in it; every part that is read is of one and the same object.

        `buffering` is how many bytes a jump asks for, where more than a few are likely to follow.
        """
        if mode != "rb":
            raise io.UnsupportedOperation(f"{self}: opens for reading bytes only, not {mode!r}")
        first = {"first": buffering} if buffering > 0 else {}
        return RangeFile(self._store, self.key, str(self), self.stat(), **first)

    def ask(self, start: int, stop: int, *, mark: str = "") -> Sent:
        """Ask once for some bytes, of the content with that mark if it is given; less comes where the object ends.

        Raises `ChangedError` where it has another; what breaks off is the caller's to ask for again.
        """
        facts = self.stat() if self.scheme == "hf" else None  # its bytes come from elsewhere, where marks are others
        with stores.asking(str(self)):
            store = self._asked(once=True)
        sent = ranges.ask(store, self.key, str(self), start, stop)
        sent = replace(sent, facts=facts) if facts else sent
        if mark not in ("", sent.facts.mark):
            raise ChangedError(f"{self}: the object was changed meanwhile")
        return sent

    def read_bytes(self) -> bytes:
        """Return all of it."""
        with stores.asking(str(self)) as library:
            return bytes(library.get(self._store, self.key).bytes())

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return all of it as text."""
        return self.read_bytes().decode(encoding)

    def write_bytes(self, data: bytes) -> int:
        """Put an object, whole or not at all."""
        with stores.asking(str(self)) as library:
            library.put(self._store, self.key, data)
        return len(data)

    def write_text(self, text: str, encoding: str = "utf-8") -> int:
        """Put text, whole or not at all."""
        return self.write_bytes(text.encode(encoding))

    def put(self, path: Path) -> None:
        """Put what a file here holds, whole or not at all."""
        with path.open("rb") as file, stores.asking(str(self)) as library:
            library.put(self._store, self.key, file)

    def read_tagged(self) -> tuple[bytes, Tag] | None:
        """Return all of it, and what the store calls just this content; None where there is no such object."""
        try:
            got = stores.obstore_module().get(self._store, self.key)
            return bytes(got.bytes()), _tag(got.meta)
        except FileNotFoundError as error:
            if isinstance(reason := stores.told(error, str(self)), NoBucketError):
                raise reason from error
            return None
        except Exception as error:  # the library has errors of its own; each is raised in our words
            raise stores.told(error, str(self)) from error

    def put_if(self, data: bytes, tag: Tag | None) -> Tag | None:
        """Put an object where there is none, or in the place of the one with a tag; return the new tag.

        None where something else is there: another's, or what this very call wrote, if the answer to it was lost.
        """
        library = stores.obstore_module()
        try:
            put = library.put(self._store, self.key, data, mode=tag or "create")
        except (library.exceptions.AlreadyExistsError, library.exceptions.PreconditionError):
            return None
        except Exception as error:  # the library has errors of its own; each is raised in our words
            reason = stores.told(error, str(self))
            if tag and isinstance(reason, FileNotFoundError) and not isinstance(reason, NoBucketError):
                return None  # it was removed meanwhile
            raise reason from error
        return _tag(put)

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove an object."""
        if not missing_ok:
            self.stat()
        try:
            stores.obstore_module().delete(self._store, self.key)
        except FileNotFoundError:
            return
        except Exception as error:  # the library has errors of its own; each is raised in our words
            raise stores.told(error, str(self)) from error

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Do nothing: a folder is there once something is in it."""


def _tag(meta: Mapping[str, Any]) -> Tag:
    return {name: meta[name] for name in ("e_tag", "version") if meta[name]}
