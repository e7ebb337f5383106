"""Answers outlive a kill at any moment, and are there once."""

import json
import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from longtake.captioning import answers as answers_module
from longtake.captioning.answers import Answers
from longtake.store import Store


def row(number: int, clip: str = "a_1") -> dict:
    return {
        "key": f"k{number}",
        "clip_id": clip,
        "video_id": clip.partition("_")[0],
        "step": "lvd2m",
        "question": "raw",
        "number": number,
        "attempt": 1,
        "model": "m",
        "prompt": "What happens?\nSay it.",
        "frames_s": [0.5, 1.5],
        "frames_hash": "ff",
        "text": f"answer {number} \u2028 é",
        "finish": "stop",
        "prompt_tokens": 10,
        "completion_tokens": None,
        "cached_tokens": None,
        "cost_usd": None,
        "elapsed_s": 0.1,
        "tries": 1,
        "asked": datetime(2026, 11, 21, 12, 0, number % 60, tzinfo=UTC),
    }


def test_answers_come_back_as_they_were_before_and_after_folding(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with Answers(store) as kept:
        for number in range(3):
            kept.add(row(number))
        kept.add(row(3, "b_1"))
        before = kept.of(["a_1"], ["a"])
    with Answers(store) as kept:
        after = kept.of(["a_1"], ["a"])
        assert kept.of(["b_1"], ["b"])["k3"] == row(3, "b_1")
        assert kept.of(["c_1"], ["c"]) == {}
    assert before == after == {f"k{n}": row(n) for n in range(3)}
    assert not kept.path.exists()


def test_a_torn_last_line_and_rows_already_in_the_table(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with Answers(store) as kept:
        kept.add(row(0))
    lines = [json.dumps({**row(n), "asked": row(n)["asked"].isoformat()}) for n in (0, 1, 2)]
    kept.path.write_text("\n".join(lines)[:-30])  # killed after the fold of 0, in the middle of writing 2
    with Answers(store) as again:
        assert set(again.of(["a_1"], ["a"])) == {"k0", "k1"}
        again.add(row(2))
    assert sorted(store.read("answers", ["key"])["key"].to_pylist()) == ["k0", "k1", "k2"]


def test_what_a_dead_machine_left_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    lines = [json.dumps({**row(n), "asked": row(n)["asked"].isoformat()}).encode() for n in (0, 1)]
    (tmp_path / "answers.journal").write_bytes(
        b"\n".join([lines[0], lines[1][:-30], bytes(40), b"\xff\xfe", lines[1], b""])
    )
    with Answers(Store(tmp_path)) as kept:
        assert kept.of(["a_1"], ["a"]) == {"k0": row(0), "k1": row(1)}


def test_a_line_that_does_not_fit_on_the_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Answers(Store(tmp_path)) as kept:
        kept.add(row(0))
        whole = kept.path.read_bytes()
        with monkeypatch.context() as patch:
            write = os.write
            patch.setattr(os, "write", lambda file, line: write(file, line[:20]))
            with pytest.raises(OSError, match="No space left"):
                kept.add(row(1))
        assert kept.path.read_bytes() == whole
        kept.add(row(2))
        assert set(kept.of(["a_1"], ["a"])) == {"k0", "k2"}


def test_long_journals_are_folded_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_module, "FOLD_ROWS", 10)
    with Answers(Store(tmp_path)) as kept:
        for number in range(25):
            kept.add(row(number))
        assert len(kept.waiting) == 5
        assert len(kept.of(["a_1"], ["a"])) == 25


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


def test_kill_9_loses_no_answer_that_was_kept(tmp_path: Path) -> None:
    chance = random.Random(5)
    said: set[int] = set()
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(Path(__file__).parent)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for _ in range(chance.randint(5, 60)):
            said.add(int(process.stdout.readline()))
        os.kill(process.pid, signal.SIGKILL)
        said.update(int(line) for line in process.communicate()[0].split() if line)
    with Answers(Store(tmp_path)) as kept:
        numbers = [found["number"] for found in kept.of(["a_1"], ["a"]).values()]
    assert said <= set(numbers)
    keys = Store(tmp_path).read("answers", ["key"])["key"].to_pylist()
    assert len(keys) == len(set(keys))
