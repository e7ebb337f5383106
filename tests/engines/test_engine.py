"""The contract of an engine: every item gets an outcome, whatever happens to the workers."""

import os
import signal
import sys

import numpy as np
import pytest
from workers import alive, begun, wait_for

from longtake.engines import ATTEMPTS, Engine, Item, connect
from longtake.errors import UsageError


@pytest.mark.parametrize("at_most", [1, None])
def test_every_item_comes_back_once(engine: Engine, at_most) -> None:
    items = [Item(str(n), {"n": n}) for n in range(40)]
    outcomes = list(engine.run_items("engine_tasks:double", items, at_most=at_most))
    assert sorted(outcome.result for outcome in outcomes) == [2 * n for n in range(40)]
    assert all(outcome.result == 2 * int(outcome.item.name) for outcome in outcomes)


def test_no_item_is_no_work(engine: Engine) -> None:
    assert list(engine.run_items("engine_tasks:double", [])) == []


def test_large_arrays_come_and_go_and_can_be_written_to(engine: Engine, log) -> None:
    items = [Item(str(n), {"n": n, "log": log, "seconds": 0, "array": np.full(50_000, n)}) for n in range(4)]
    outcomes = {o.item.name: o.result for o in engine.run_items("engine_tasks:work", items)}
    for n in range(4):
        outcomes[str(n)][0] += 1
        assert (outcomes[str(n)][1:] == n + 1).all() and len(outcomes[str(n)]) == 5_000_000
        assert (items[n].payload["array"] == n).all()


def test_one_bad_item_takes_nobody_with_it(engine: Engine, log) -> None:
    moods = ["fine", "crash", "refuse", "fine too", "crash once", "bug", "leave", "last"]
    items = [Item(mood, {"do": mood, "log": log}) for mood in moods]
    outcomes = {o.item.name: o for o in engine.run_items("engine_tasks:moody", items)}
    assert set(outcomes) == set(moods)
    for mood in ("fine", "fine too", "crash once", "last"):
        assert (outcomes[mood].result, outcomes[mood].failure) == (mood, None)
    assert outcomes["refuse"].failure == ("empty", "nothing in it")
    kind, message = outcomes["bug"].failure
    assert kind == "error" and "ZeroDivisionError: oops" in message and "engine_tasks.py" in message
    for mood in ("crash", "leave"):
        kind, message = outcomes[mood].failure
        assert kind == "crash" and "the worker process died on it" in message and f"{ATTEMPTS} times" in message
        assert len(begun(log, mood)) == ATTEMPTS
    assert len(begun(log)) == len(moods) + 2 * (ATTEMPTS - 1) + 1


def test_a_hang_is_ended_and_slow_work_is_not(engine: Engine, log) -> None:
    items = [Item(mood, {"do": mood, "log": log}) for mood in ("hang", "slow but alive")]
    outcomes = {o.item.name: o for o in engine.run_items("engine_tasks:moody", items, stall_s=2.5)}
    assert outcomes["hang"].failure == ("timeout", f"no progress for 2.5 s, {ATTEMPTS} times")
    assert outcomes["slow but alive"].result == "slow but alive"
    assert len(begun(log, "hang")) == ATTEMPTS and len(begun(log, "slow but alive")) == 1
    wait_for(lambda: not any(alive(int(pid)) for pid, *_ in begun(log, "hang")))


def test_a_worker_killed_in_the_middle_costs_what_it_had(engine: Engine, log) -> None:
    items = [Item(str(n), {"n": n, "log": log, "seconds": 0.5, "array": np.full(1, n)}) for n in range(6)]
    killed: list[int] = []

    def kill_one(running) -> None:
        if running and not killed and begun(log):
            killed.append(int(begun(log)[0][0]))
            os.kill(killed[0], signal.SIGKILL)

    outcomes = list(engine.run_items("engine_tasks:work", items, on_progress=kill_one))
    assert sorted(int(o.result[0]) for o in outcomes) == [1, 2, 3, 4, 5, 6]
    assert killed and len(begun(log)) == 7


def test_items_are_taken_only_as_workers_get_free(engine: Engine) -> None:
    taken = []

    def items():
        for n in range(20):
            taken.append(n)
            yield Item(str(n), {"n": n})

    outcomes = engine.run_items("engine_tasks:double", items())
    next(outcomes)
    assert len(taken) <= 4
    outcomes.close()


def test_progress_tells_where_running_items_are(engine: Engine, log) -> None:
    seen = []
    items = [Item("slow", {"do": "slow but alive", "log": log})]
    list(engine.run_items("engine_tasks:moody", items, on_progress=lambda running: seen.append(dict(running))))
    reached = [running["slow"] for running in seen if "slow" in running]
    assert reached == sorted(reached) and reached[-1] > 0


def test_closing_stops_the_workers_in_the_middle_of_their_items(engine: Engine, log) -> None:
    def items():
        yield Item("first", {"do": "fine", "log": log})
        yield Item("second", {"do": "hang", "log": log})

    outcomes = engine.run_items("engine_tasks:moody", items())
    assert next(outcomes).item.name == "first"
    outcomes.close()
    wait_for(lambda: not any(alive(int(pid)) for pid, *_ in begun(log)))


def test_a_worker_has_one_thread_to_compute_with(engine: Engine) -> None:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    [outcome] = engine.run_items("engine_tasks:surroundings", [Item("a", {"names": names})])
    assert outcome.result[0] == dict.fromkeys(names, "1")


def test_what_is_run_everywhere_is_a_failure_where_it_fails(engine: Engine, log) -> None:
    items = [Item(mood, {"do": mood, "log": log}) for mood in ("fine", "refuse", "crash", "late")]
    outcomes = {o.item.name: o for o in engine.run_everywhere("engine_tasks:moody", items)}
    assert [outcomes[mood].failure for mood in ("fine", "late")] == [None, None]
    kind, message = outcomes["refuse"].failure
    assert kind == "empty" and message.startswith("nothing in it")
    assert outcomes["crash"].failure[0] == "crash"
    nodes = {node for _, node in begun(log, "fine")}
    assert len(begun(log, "fine")) == len(nodes)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "rey"}, "no engine 'rey'; did you mean 'ray'?"),
        ({"name": "local", "address": "auto"}, "add --engine ray"),
    ],
)
def test_an_engine_that_is_not_there(given, told) -> None:
    with pytest.raises(UsageError, match=told.replace("?", r"\?")), connect(**given):
        pass


def test_without_ray_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "longtake.engines.ray", raising=False)
    with pytest.raises(UsageError, match=r"pip install 'longtake\[ray\]'"), connect("ray"):
        pass
