"""Sources that are lists or addresses, made folders of videos on this disk: from a published list to a set at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from longtake.errors import FAILURE_KINDS, UsageError
from longtake.fetching import FAILED, Fetched, Manner, fetch_list
from longtake.fetching.ledger import FILE as LEDGER
from longtake.fetching.ledger import Ledger
from longtake.places import Place, is_remote, write_whole
from longtake.shards import Part
from longtake.sources.files import ENDINGS, absolute
from longtake.sources.lists import form_of
from longtake.steps import nearest
from longtake.watch import Watch

BESIDE = ".fetched"
"""The videos of a set's lists go beside it, into a folder of its name with this ending: they are no part of the set."""
ADDRESSES = "addresses.txt"
"""Among them, the addresses that were named outright: a plain list."""
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Brought:
    """What the sources of a run have become."""

    sources: list[str | Path]
    """Files and folders alone."""
    fetched: Fetched | None
    """What became of the lists' videos; None where no list was named."""
    retry_failed: list[str]
    """Of what is to be tried again, that which a run may try."""


def bring_lists(
    sources: Sequence[str | Path],
    to: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    shard: str = "",
    retry_failed: Sequence[str] = (),
    manner: Manner = Manner(),  # noqa: B008  # frozen
    watch: Watch = lambda _: None,
) -> Brought:
    """Fetch the videos of lists and addresses among the sources into a folder beside the set.

    A list is known by its content; a file that ends as a video does is never taken for one. Of a shard, as `3/16`, only
    the videos that a run of that shard takes are fetched. `retry_failed` has kinds of failures of a run, states of
    videos that weren't fetched, or `all`. Raises `UsageError`, `SetError`.
    """
    states = [one for one in retry_failed if one in FAILED or one == "all"]
    kinds = [one for one in retry_failed if one in FAILURE_KINDS or one == "all"]
    lists, others = [], []
    addresses = []
    for source in sources:
        if _ADDRESS.fullmatch(str(source)):
            addresses.append(str(source))
        elif _is_list(Path(source).expanduser()):
            lists.append(Path(source).expanduser())
        else:
            others.append(source)
    known = {*kinds, *(states if lists or addresses else [])}
    for one in retry_failed:
        if one not in known:
            raise UsageError(f"nothing to try again is named {one!r}{nearest(one, {'all', *FAILURE_KINDS, *FAILED})}")
    if not (lists or addresses):
        if mapping:
            raise UsageError("--map tells the columns of a list, and no list is named")
        if manner.spans:
            raise UsageError("--spans goes by what lists name, and no list is named")
        return Brought(list(sources), None, kinds)
    folder = fetched_beside(to)
    if addresses:
        lists.append(_write(folder, addresses))
    found = fetch_list(lists, folder, mapping=mapping, shard=shard, retry_failed=states, manner=manner, watch=watch)
    return Brought([*others, folder], found, kinds)


def fetched_beside(to: str | Path) -> Path:
    """Return where the videos of a set's lists are. Raises `UsageError`."""
    if is_remote(to):
        raise UsageError(
            f"{to}: the videos of lists are fetched onto a disk, beside the set; for this one, fetch them first: "
            f"longtake fetch LIST --to FOLDER, then longtake run RECIPE FOLDER --to {to}"
        )
    to = absolute(Path(to))
    return to.with_name(to.name + BESIDE)


def is_fetched_first(source: str | Path) -> bool:
    """Return whether a source is a list or an address, whose videos are brought to this disk before a run."""
    return bool(_ADDRESS.fullmatch(str(source))) or _is_list(Path(source).expanduser())


def not_fetched(sources: Sequence[str | Path], to: str | Place | None, part: Part) -> str | None:
    """Return one of some lists and addresses of which videos may be fetched yet for a set; None where all came."""
    folder = None if to is None or is_remote(to) else fetched_beside(str(to))
    if folder is None or not (folder / LEDGER).is_file():
        return str(sources[0])
    since = (folder / LEDGER).stat().st_mtime
    with Ledger(folder) as ledger:
        if ledger.counts(part).get("wanted"):
            return str(sources[0])
        for source in sources:
            if _ADDRESS.fullmatch(str(source)):
                came = str(source) in _addresses(folder)
            else:
                path = Path(source).expanduser()
                came = path.stat().st_mtime <= since and ledger.read_whole(path)  # else it may have changed
            if not came:
                return str(source)
    return None


def _is_list(path: Path) -> bool:
    if path.suffix[1:].lower() in ENDINGS or not path.is_file():
        return False
    try:
        form_of(path)
    except UsageError:
        return path.suffix.lower() in (
            ".csv",
            ".tsv",
            ".jsonl",
            ".parquet",
            ".txt",
            ".gz",
        )  # fetching says what is wrong
    return True


def _write(folder: Path, addresses: Sequence[str]) -> Path:
    """Add addresses to the plain list of those that were named before, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ADDRESSES
    before = _addresses(folder)
    now = dict.fromkeys([*before, *addresses])
    if list(now) != before:
        write_whole(path, "".join(f"{one}\n" for one in now).encode())
    return path


def _addresses(folder: Path) -> list[str]:
    path = folder / ADDRESSES
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
