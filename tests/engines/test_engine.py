"""The contract of an engine: every item gets an outcome, whatever happens to the workers."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from longtake.engines import Item
from longtake.engines.local import ATTEMPTS, run_items

TASKS = """
import os, signal, time
from longtake.errors import VideoError

def double(payload, progress):
    progress(1.0)
    return payload["n"] * 2

def moody(payload, progress):
    if payload["do"] == "crash":
        with open(payload["log"], "a") as log:
            log.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    if payload["do"] == "crash once" and not os.path.exists(payload["log"]):
        open(payload["log"], "w").close()
        os._exit(7)
    if payload["do"] == "hang":
        time.sleep(60)
    if payload["do"] == "refuse":
        raise VideoError("empty", "nothing in it")
    if payload["do"] == "bug":
        raise ZeroDivisionError("oops")
    if payload["do"] == "slow but alive":
        for k in range(8):
            time.sleep(0.3)
            progress(float(k))
    return payload["do"]

def sleep(payload, progress):
    open(payload["log"] + str(os.getpid()), "w").close()
    time.sleep(30)
"""


@pytest.fixture(autouse=True)
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engine_tasks.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_item_comes_back_once(workers: int) -> None:
    items = [Item(str(n), {"n": n}) for n in range(40)]
    outcomes = list(run_items("engine_tasks:double", items, workers=workers))
    assert sorted(outcome.result for outcome in outcomes) == [2 * n for n in range(40)]
    assert all(outcome.result == 2 * int(outcome.item.name) for outcome in outcomes)


def test_one_bad_item_takes_nobody_with_it(tmp_path: Path) -> None:
    moods = ["fine", "crash", "refuse", "fine too", "crash once", "bug", "last"]
    items = [Item(f"{mood}", {"do": mood, "log": str(tmp_path / mood)}) for mood in moods]
    outcomes = {o.item.name: o for o in run_items("engine_tasks:moody", items, workers=2)}
    assert set(outcomes) == set(moods)
    assert [outcomes[mood].result for mood in ("fine", "fine too", "crash once", "last")] == [
        "fine",
        "fine too",
        "crash once",
        "last",
    ]
    assert outcomes["refuse"].failure == ("empty", "nothing in it")
    kind, message = outcomes["bug"].failure
    assert kind == "error" and "ZeroDivisionError: oops" in message and "engine_tasks.py" in message
    kind, message = outcomes["crash"].failure
    assert kind == "crash" and "SIGKILL" in message
    assert (tmp_path / "crash").read_text() == "x" * ATTEMPTS


def test_a_hang_is_ended_and_slow_work_is_not() -> None:
    items = [Item(mood, {"do": mood}) for mood in ("hang", "slow but alive")]
    began = time.monotonic()
    outcomes = {o.item.name: o for o in run_items("engine_tasks:moody", items, workers=2, stall_s=1.0)}
    assert outcomes["hang"].failure[0] == "timeout"
    assert outcomes["slow but alive"].result == "slow but alive"
    assert time.monotonic() - began < 30


def test_items_are_taken_only_as_workers_get_free() -> None:
    taken = []

    def items():
        for n in range(20):
            taken.append(n)
            yield Item(str(n), {"n": n})

    outcomes = run_items("engine_tasks:double", items(), workers=2)
    next(outcomes)
    assert len(taken) <= 4
    outcomes.close()


def test_progress_tells_where_running_items_are() -> None:
    seen = []
    items = [Item("slow", {"do": "slow but alive"})]
    list(run_items("engine_tasks:moody", items, workers=1, on_progress=lambda running: seen.append(dict(running))))
    reached = [running["slow"] for running in seen if "slow" in running]
    assert reached == sorted(reached) and reached[-1] > 0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(condition) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("waited for 10 s")


def test_workers_go_when_the_engine_is_killed(tmp_path: Path) -> None:
    """Also after kill -9 of the engine in the middle of their items; and no `__main__` guard is needed."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys
            sys.path.insert(0, {str(tmp_path)!r})
            from longtake.engines import Item
            from longtake.engines.local import run_items
            items = [Item(str(n), {{"log": {str(tmp_path / "pid-")!r}}}) for n in range(2)]
            print(list(run_items("engine_tasks:sleep", items, workers=2)))
            """
        )
    )
    process = subprocess.Popen([sys.executable, str(script)])
    wait_for(lambda: len(list(tmp_path.glob("pid-*"))) == 2)
    pids = [int(path.name.removeprefix("pid-")) for path in tmp_path.glob("pid-*")]
    assert all(alive(pid) for pid in pids)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not any(alive(pid) for pid in pids))


def test_closing_the_engine_stops_its_workers(tmp_path: Path) -> None:
    items = [Item("a", {"n": 1}), Item("b", {"n": 2})]
    outcomes = run_items("engine_tasks:double", items, workers=2)
    next(outcomes)
    outcomes.close()
    children = subprocess.run(["ps", "-o", "args", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
    assert "longtake.engines.worker" not in children
