"""The local engine keeps its workers from one phase to the next, as long as they are well and hold little."""

import os
import signal
from pathlib import Path

import pytest
from workers import alive, begun, wait_for

from longtake.engines import Item, connect, local


def pids(log: Path, name: str) -> set[int]:
    return {int(pid) for pid, *_ in begun(log, name)}


def do(engine: local.LocalEngine, log: Path, *names: str) -> None:
    outcomes = engine.run_items("engine_tasks:moody", [Item(name, {"do": name, "log": log}) for name in names])
    assert all(outcome.failure is None for outcome in outcomes)


def test_the_next_phase_has_the_same_workers_and_they_go_with_the_engine(log: Path) -> None:
    with connect("local", workers=1) as engine:
        do(engine, log, "first")
        do(engine, log, "second")
        [outcome] = engine.run_items("engine_tasks:double", [Item("a", {"n": 2})])
        assert outcome.result == 4
        do(engine, log, "third")
        [worker] = pids(log, "first")
        assert pids(log, "second") == pids(log, "third") == {worker}
        assert alive(worker)
    assert not alive(worker)


def test_one_that_died_meanwhile_is_replaced(log: Path) -> None:
    with connect("local", workers=1) as engine:
        do(engine, log, "first")
        os.kill(*pids(log, "first"), signal.SIGKILL)
        do(engine, log, "second")
        assert pids(log, "first") != pids(log, "second")


def test_one_that_holds_much_is_not_kept(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "KEPT_BYTES", 2**20)
    with connect("local", workers=1) as engine:
        do(engine, log, "first")
        assert not engine.idle
        wait_for(lambda: not alive(*pids(log, "first")))


def test_none_is_kept_of_a_phase_that_is_left_early(log: Path) -> None:
    with connect("local", workers=2) as engine:
        items = [Item(name, {"do": name, "log": log}) for name in ("fine", "hang", "hang")]
        outcomes = engine.run_items("engine_tasks:moody", items)
        assert next(outcomes).item.name == "fine"
        outcomes.close()
        assert not engine.idle
        wait_for(lambda: not any(alive(int(pid)) for pid, *_ in begun(log)))
