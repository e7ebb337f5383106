"""Answers on an object store outlive a kill as those on a disk do, and many go in one object."""

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from objectserver import Way

from longtake.captioning import answers as answers_module
from longtake.captioning.answers import Answers
from longtake.places import Remote
from longtake.store import Store

CAPTIONING = Path(__file__).resolve().parents[1] / "captioning"
sys.path.append(str(CAPTIONING))

from test_answers import row  # noqa: E402


@pytest.fixture
def folder(bucket: Remote) -> Remote:
    return bucket / "my-set"


def test_an_answer_is_an_object_before_it_is_used_and_a_row_in_the_end(folder: Remote) -> None:
    with Answers(Store(folder)) as kept:
        kept.add(row(0))
        assert len(list((folder / "answers.journal").walk())) == 1
        assert kept.of(["a_1"], ["a"]) == {"k0": row(0)}
    assert not list((folder / "answers.journal").walk())
    with Answers(Store(folder)) as kept:
        assert kept.of(["a_1"], ["a"]) == {"k0": row(0)}


def test_what_comes_at_once_goes_in_one_object(folder: Remote, way: Way) -> None:
    with Answers(Store(folder)) as kept:
        way.delay_s = 0.1
        with ThreadPoolExecutor(20) as threads:
            list(threads.map(kept.add, [row(number) for number in range(60)]))
        way.delay_s = 0.0
        assert len(kept.of(["a_1"], ["a"])) == 60
        assert len(way.of("PUT", "answers.journal")) <= 12


def test_long_journals_are_folded_on_the_way_there(folder: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_module, "FOLD_ROWS", 10)
    with Answers(Store(folder)) as kept:
        for number in range(25):
            kept.add(row(number))
        assert len(list((folder / "answers.journal").walk())) == 5
        assert len(kept.of(["a_1"], ["a"])) == 25


def test_an_answer_that_cannot_be_put_counts_for_nothing(folder: Remote, way: Way) -> None:
    with Answers(Store(folder)) as kept:
        kept.add(row(0))
        way.fail("403", method="PUT", path="answers.journal")
        with pytest.raises(OSError, match="may not"):
            kept.add(row(1))
        kept.add(row(2))
        assert set(kept.of(["a_1"], ["a"])) == {"k0", "k2"}
    assert sorted(Store(folder).read("answers", ["key"])["key"].to_pylist()) == ["k0", "k2"]


WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from test_answers import row
from longtake.captioning import answers
from longtake.store import Store
answers.FOLD_ROWS = 7
kept = answers.Answers(Store(sys.argv[1]))
start = len(kept.of(["a_1"], ["a"]))
for number in range(start, 100000):
    kept.add(row(number))
    print(number, flush=True)
"""


def test_kill_9_loses_no_answer_that_was_put(folder: Remote) -> None:
    chance = random.Random(5)
    said: set[int] = set()
    for _ in range(2):
        command = [sys.executable, "-c", WRITER, str(folder), str(CAPTIONING)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        for _ in range(chance.randint(5, 40)):
            said.add(int(process.stdout.readline()))
        os.kill(process.pid, signal.SIGKILL)
        said.update(int(line) for line in process.communicate()[0].split() if line)
    with Answers(Store(folder)) as kept:
        numbers = [found["number"] for found in kept.of(["a_1"], ["a"]).values()]
    assert said <= set(numbers)
    keys = Store(folder).read("answers", ["key"])["key"].to_pylist()
    assert len(keys) == len(set(keys))
