"""Lists on their way into a folder: each row once into `list.jsonl`, each video once into the ledger."""

import hashlib
import itertools
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from longtake.errors import SetError, UsageError
from longtake.fetching.ledger import Ledger
from longtake.sources import BadRow, Listed
from longtake.sources.lists import guess_of, read_list, to_json

FILE = "list.jsonl"
ROWS = 10_000
"""Rows that are noted together, and are read again after a kill."""
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


def check_lists(lists: Sequence[Path], mapping: Mapping[str, str] | None) -> list[str]:
    """Look into lists before anything is made for them, and return what was guessed of their columns, in words.

    Raises `UsageError` for what is no list, or can't be read with the mapping.
    """
    notes = []
    for path in lists:
        if not path.is_file():
            raise UsageError(f"{path}: no such list; it is a file")
        try:
            read_list(path, mapping=mapping)
            guess = "" if mapping else guess_of(path)
        except OSError as error:
            raise UsageError(f"{path}: can't be read ({error.strerror or error})") from error
        if guess:
            notes.append(f"{path.name}: {guess}")
    return notes


def take_in(
    ledger: Ledger, folder: Path, path: Path, mapping: Mapping[str, str] | None, tell: Callable[[int], None]
) -> list[str]:
    """Take all rows of a list into a folder, from where an earlier call was killed; one that is in costs nothing.

    Returns what there is to say of it. Raises `UsageError` for what is no list.
    """
    key = _key(path, mapping)
    had, whole = ledger.list_read(key)
    if whole:
        return []
    notes = []
    if not had and ledger.path_read(path):
        notes = [f"{path.name} was here before with other rows or another --map; its old rows stay in {folder / FILE}"]
    rows = itertools.islice(read_list(path, mapping=mapping), had, None)
    with _opened(folder / FILE, ledger.written()) as file:
        while True:
            batch = [_checked(row, path) for row in itertools.islice(rows, ROWS)]
            listed = {_hash(row): row for row in batch if isinstance(row, Listed)}
            new = ledger.new(listed)
            _write(file, "".join(f"{to_json(row)}\n" for each, row in listed.items() if each in new), folder)
            ledger.add(key, path, batch, new, end=file.tell(), whole=len(batch) < ROWS)
            had += len(batch)
            tell(had)
            if len(batch) < ROWS:
                return notes


def _key(path: Path, mapping: Mapping[str, str] | None) -> str:
    """Name a list by its content and how it is read, so that a copy of it isn't another list."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror or error})") from error
    if mapping:
        digest.update(json.dumps(dict(mapping), sort_keys=True).encode())
    return digest.hexdigest()


def _hash(listed: Listed) -> int:
    """Return what tells a row from all others, wherever it stands: a list that grew brings its new rows only."""
    return int.from_bytes(hashlib.sha256(to_json(replace(listed, row=0)).encode()).digest()[:7])


def _write(file: BinaryIO, text: str, folder: Path) -> None:
    try:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise SetError(f"{folder / FILE}: can't be written ({error.strerror or error})") from error


def _opened(path: Path, end: int) -> BinaryIO:
    """Open `list.jsonl` behind the last row that the ledger knows; rows that a kill left after it are cut off."""
    file = path.open("ab")
    if file.tell() < end:
        file.close()
        raise SetError(f"{path}: is shorter than it was; put it back, or fetch into another folder")
    file.truncate(end)
    file.seek(end)
    return file


def _checked(row: Listed | BadRow, path: Path) -> Listed | BadRow:
    """Return a row; one whose video can't be a file's name here is a bad one, whatever its reader thought."""
    if isinstance(row, Listed) and not _SAFE.fullmatch(row.video):
        return BadRow(path, row.row, f"the video id {row.video!r} is no safe file name")
    return row
