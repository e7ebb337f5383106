"""Lists that change: their old rows go, rows of other lists stay, and what came stays on the disk."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Lister
from fileserver import FileServer

from longtake.fetching import Limits, Manner, fetch_list, fetched, listing
from longtake.fetching.ledger import Ledger
from longtake.sources.lists import read_list

QUICK = {"manner": Manner(allow_private=True), "rate": 500.0, "limits": Limits(reserve_bytes=0)}


@pytest.fixture
def server(mp4) -> Iterator[FileServer]:
    with FileServer({f"/{name}.mp4": mp4 for name in "abcd"}, {"/d.mp4": ["404"]}) as server:
        yield server


def clips(to: Path) -> list[str]:
    return sorted(row.clip for row in read_list(to / "list.jsonl"))


def urls(server: FileServer, names: str) -> dict[str, str]:
    return {name: f"{server.url}/{name}.mp4" for name in names}


def test_old_rows_go_and_those_of_other_lists_stay(tmp_path, server, lister: Lister):
    to = tmp_path / "to"
    lister(urls(server, "abd"), clips=3, name="changing.jsonl")
    other = lister(urls(server, "bc"), clips=2, name="other.jsonl")
    assert fetch_list([tmp_path / "changing.jsonl", other], to, **QUICK).counts == {"done": 3, "gone": 1}
    assert fetched(to).rows == 13

    changed = lister(urls(server, "c"), clips=4, name="changing.jsonl")
    found = fetch_list([changed], to, **QUICK)
    assert clips(to) == ["b-0", "b-1", "c-0", "c-1", "c-2", "c-3"], "those of the other list, and the new ones"
    assert found.counts == {"done": 2}, "nobody wants a and d any more"
    assert (found.rows, found.came, server.asked["/c.mp4"]) == (8, 0, 1)
    assert found.notes == (
        "changing.jsonl: changed, or read by another --map, since it was here; 7 old rows are gone",
        "named by no list any more, and left on the disk: 1 (videos/a.mp4)",
    )
    assert sorted(path.name for path in (to / "videos").iterdir()) == ["a.mp4", "b.mp4", "c.mp4"]
    assert not (to / "list.jsonl.new").exists()

    again = fetch_list([changed], to, **QUICK)
    assert again.notes == found.notes[1:] and clips(to)[:2] == ["b-0", "b-1"]

    back = lister(urls(server, "a"), name="changing.jsonl")
    found = fetch_list([back], to, **QUICK)
    assert clips(to) == ["a-0", "b-0", "b-1", "c-0", "c-1"]
    assert (found.counts, found.came, found.notes[1:]) == ({"done": 3}, 0, ()), "it was here all the time"


def test_a_file_that_nothing_names_may_be_deleted(tmp_path, server, lister: Lister):
    to = tmp_path / "to"
    fetch_list([lister(urls(server, "ab"))], to, **QUICK)
    assert len(fetch_list([lister(urls(server, "a"))], to, **QUICK).notes) == 2
    (to / "videos" / "b.mp4").unlink()
    found = fetch_list([], to, **QUICK)
    assert (found.counts, found.came, found.notes) == ({"done": 1}, 0, ())


def test_a_list_in_two_places_counts_till_both_have_changed(tmp_path, server, lister: Lister):
    to = tmp_path / "to"
    first, second = lister(urls(server, "a"), name="first.jsonl"), tmp_path / "second.jsonl"
    second.write_bytes(first.read_bytes())
    fetch_list([first, second], to, **QUICK)
    fetch_list([lister(urls(server, "b"), name="first.jsonl")], to, **QUICK)
    assert clips(to) == ["a-0", "b-0"]
    fetch_list([lister(urls(server, "c"), name="second.jsonl")], to, **QUICK)
    assert clips(to) == ["b-0", "c-0"]


def test_a_list_that_is_empty_now_leaves_no_row(tmp_path, server, lister: Lister):
    to = tmp_path / "to"
    for names in ("ab", "", "b"):
        path = tmp_path / "l.csv"
        path.write_text("url,start,end\n" + "".join(f"{url},0,1\n" for url in urls(server, names).values()))
        found = fetch_list([path], to, mapping={"url": "url", "start": "start", "end": "end"}, **QUICK)
        assert found.counts.get("done", 0) == len(names) == len(list(read_list(to / "list.jsonl")) if names else [])


KILL = """
import os, signal, sys
from pathlib import Path
from longtake.fetching import fetch_list, listing, Limits, Manner
from longtake.fetching.ledger import Ledger

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

at = sys.argv[3]
if at == "while it is written":
    listing.ROWS = 2
    keep, calls = Ledger.name, []
    Ledger.name = lambda self, videos: (keep(self, videos), calls.append(1), len(calls) == 2 and kill())
elif at == "before the ledger knows":
    Ledger.drop_replaced = kill
elif at == "before the swap":
    listing.swap = kill
elif at == "after the swap":
    Ledger.swapped = kill
fetch_list([sys.argv[1]], sys.argv[2], manner=Manner(allow_private=True), rate=500.0, limits=Limits(reserve_bytes=0))
"""


@pytest.mark.parametrize(
    "at", ["while it is written", "before the ledger knows", "before the swap", "after the swap", "never"]
)
def test_killed_while_rows_are_left_out(tmp_path, server, lister: Lister, at):
    to = tmp_path / "to"
    fetch_list([lister(urls(server, "ab"), clips=3)], to, **QUICK)
    changed = lister(urls(server, "bc"), clips=2)
    done = subprocess.run([sys.executable, "-c", KILL, str(changed), str(to), at], cwd=Path(__file__).parents[2])
    assert (done.returncode == 0) == (at == "never")
    assert set(clips(to)) >= {"b-0", "b-1", "c-0", "c-1"}, "nothing that is named is missing, whatever happened"
    fetch_list([], to, **QUICK)
    found = fetch_list([changed], to, **QUICK)
    assert clips(to) == ["b-0", "b-1", "c-0", "c-1"]
    assert (found.counts, found.rows) == ({"done": 2}, 4)
    with Ledger(to) as ledger:
        assert not ledger.swapping()
        assert ledger.written() == (to / "list.jsonl").stat().st_size


def test_rows_are_the_same_wherever_they_stand():
    line = '{"longtake":1,"video":"a","captions":[["raw","says \\",\\"row\\":7}",0.0,null]],"row":%d}'
    assert listing._hash(line % 1) == listing._hash(line % 20) != listing._hash(line.replace("says", "said") % 1)
