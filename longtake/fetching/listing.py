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
from longtake.sources.lists import MADE, guess_of, read_list, to_json

FILE = "list.jsonl"
NEW = f"{FILE}.new"
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
) -> None:
    """Take all rows of a list into a folder, from where an earlier call was killed; one that is in costs nothing.

    Raises `UsageError` for what is no list.
    """
    key = _key(path, mapping)
    ledger.list_at(path, key)
    had, whole = ledger.list_read(key)
    if whole:
        return
    rows = itertools.islice(read_list(path, mapping=mapping), had, None)
    with _opened(folder / FILE, ledger.written()) as file:
        while True:
            batch = _each_once(ledger, [_checked(row, path) for row in itertools.islice(rows, ROWS)])
            lines = {_hash(line): line for line in (to_json(row) for row in batch if isinstance(row, Listed))}
            new = ledger.new(lines)
            _write(file, "".join(f"{line}\n" for each, line in lines.items() if each in new), folder)
            ledger.add(key, path, batch, lines.keys(), end=file.tell(), whole=len(batch) < ROWS)
            had += len(batch)
            tell(had)
            if len(batch) < ROWS:
                return


def leave_out_replaced(ledger: Ledger, folder: Path) -> list[str]:
    """Take rows out of `list.jsonl` that only lists named which have changed since, and return what to say of it.

    Videos that nothing names any more and that came stay on the disk. A kill at any point costs nothing.
    """
    replaced = ledger.replaced()
    if not replaced:
        return []
    gone = 0
    with (folder / FILE).open("rb") as old, (folder / NEW).open("wb") as new:
        while lines := [line.decode().removesuffix("\n") for line in itertools.islice(old, ROWS)]:
            hashes = [_hash(line) for line in lines]
            kept = ledger.kept(hashes)
            stay = [line for each, line in zip(hashes, lines, strict=True) if each in kept]
            ledger.name(json.loads(line)["video"] for line in stay)
            _write(new, "".join(f"{line}\n" for line in stay), folder)
            gone += len(lines) - len(stay)
        end = new.tell()
    ledger.drop_replaced(end)
    swap(ledger, folder)
    names = ", ".join(sorted({Path(path).name for path in replaced}))
    return [f"{names}: changed, or read by another --map, since it was here; {gone} old rows are gone"] if gone else []


def swap(ledger: Ledger, folder: Path) -> None:
    """Let the new `list.jsonl` take the old one's place, where the ledger already goes by it."""
    if ledger.swapping():
        if (folder / NEW).exists():  # else it took it just before a kill
            (folder / NEW).replace(folder / FILE)
        ledger.swapped()


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


def _hash(line: str) -> int:
    """Return what tells a row from all others, wherever it stands: a list that grew brings its new rows only."""
    said = line.rpartition(',"row":')[0]  # it comes last
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:7])


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


def _each_once(ledger: Ledger, rows: Sequence[Listed | BadRow]) -> list[Listed | BadRow]:
    """Return rows, those of one address as of one video, called as in the first, whatever ids a list gives them."""
    names: dict[str, str] = {}
    found: list[Listed | BadRow] = []
    for row in rows:
        if isinstance(row, Listed) and row.url and MADE in row.video:
            name = names.get(row.url) or ledger.named(row.url) or row.video
            names[row.url] = name
            found.append(replace(row, video=name))
        else:
            found.append(row)
    return found


def _checked(row: Listed | BadRow, path: Path) -> Listed | BadRow:
    """Return a row; one whose video can't be a file's name here is a bad one, whatever its reader thought."""
    if isinstance(row, Listed) and not _SAFE.fullmatch(row.video):
        return BadRow(path, row.row, f"the video id {row.video!r} is no safe file name")
    return row
