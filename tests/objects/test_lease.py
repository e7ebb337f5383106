"""One writer at a time on an object store: others are told who, and who is dead or cut off loses it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from objectserver import Way

from longtake import lock as lock_module
from longtake.errors import SetError
from longtake.lock import Lock
from longtake.places import Remote
from longtake.store import Store

FAILURE = {"item": "a", "step": "scan", "kind": "error", "message": "m", "work": "w"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What leases wait for, a twentieth as long; a holder that a busy machine holds up for a while stays sure."""
    for name in ("BEAT_S", "STALE_S", "LOOK_S"):
        monkeypatch.setattr(lock_module, name, getattr(lock_module, name) / 20)
    monkeypatch.setattr(lock_module, "SURE_S", 60.0)


@pytest.fixture
def folder(bucket: Remote) -> Remote:
    return bucket / "my-set"


def lease(**holder) -> bytes:
    return json.dumps(
        {"id": "another", "on": "elsewhere", "process": 7, "since": "2026-11-21 12:00 UTC", **holder}
    ).encode()


def test_a_lease_is_held_and_given_back(folder: Remote) -> None:
    with Lock(folder) as lock:
        assert (folder / ".lock").is_file()
        lock.check()
    assert not (folder / ".lock").is_file()
    with Lock(folder):
        pass


def test_the_second_is_told_who_is_at_work(folder: Remote) -> None:
    with Lock(folder) as first:
        with pytest.raises(
            SetError, match=rf"another run is at work on {folder}: on .*, process {os.getpid()}, since 20"
        ):
            Lock(folder).__enter__()
        first.check()
    assert not (folder / ".lock").is_file()


@pytest.mark.parametrize("text", [lease(), b"not ours at all", b"[]"])
def test_one_that_says_nothing_for_long_is_taken_over(folder: Remote, text: bytes) -> None:
    (folder / ".lock").write_bytes(text)
    begun = time.monotonic()
    with Lock(folder):
        assert time.monotonic() - begun >= lock_module.STALE_S
        assert json.loads((folder / ".lock").read_bytes())["process"] == os.getpid()


def test_one_that_goes_on_beating_elsewhere_is_respected(folder: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "STALE_S", 1000.0)
    (folder / ".lock").write_bytes(lease(beats=0))
    ended = threading.Event()

    def beat() -> None:
        number = 0
        while not ended.wait(lock_module.BEAT_S):
            number += 1
            (folder / ".lock").write_bytes(lease(beats=number))

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with pytest.raises(SetError, match="on elsewhere, process 7, since 2026-11-21 12:00 UTC"):
            Lock(folder).__enter__()
    finally:
        ended.set()
        thread.join()


HOLDER = """
import os, signal, sys
from longtake.lock import Lock
from longtake.places import place
Lock(place(sys.argv[1])).__enter__()
print("held", flush=True)
signal.pause()
"""


def test_that_of_a_killed_process_of_this_machine_is_taken_at_once(
    folder: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "STALE_S", 1000.0)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert (folder / ".lock").is_file()
    with Lock(folder) as lock:
        lock.check()


def test_who_lost_the_lease_writes_nothing_more(folder: Remote) -> None:
    with Lock(folder) as lock:
        store = Store(folder, lock)
        store.append("failures", [FAILURE])
        (folder / ".lock").write_bytes(lease())
        give_up = time.monotonic() + 120
        with pytest.raises(SetError, match="may be another run's by now"):
            while time.monotonic() < give_up:
                lock.check()
        with pytest.raises(SetError, match="nothing more is written"):
            store.append("failures", [FAILURE])
        with pytest.raises(SetError):
            store.delete("failures", "item", ["a"])
    assert store.count("failures") == 1
    assert (folder / ".lock").read_bytes() == lease(), "another's lease is not given back"


def test_who_cannot_say_that_it_is_alive_stops_in_time(
    folder: Remote, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "SURE_S", 1.0)
    with Lock(folder) as lock:
        way.fail("403", method="PUT", path=".lock", times=1000)
        time.sleep(lock_module.SURE_S + 2 * lock_module.BEAT_S)
        with pytest.raises(SetError, match="may be another run's by now"):
            lock.check()
        way.faults.clear()


@pytest.mark.parametrize("kind", ["cut", "503", "500"])
def test_a_lost_answer_loses_no_lease(folder: Remote, way: Way, kind: str) -> None:
    way.fail(kind, method="PUT", path=".lock", times=1)
    with Lock(folder) as lock:
        way.fail(kind, method="PUT", path=".lock", times=1)
        give_up = time.monotonic() + 60
        while way.faults and time.monotonic() < give_up:
            time.sleep(0.02)
        assert not way.faults
        lock.check()
    assert not (folder / ".lock").is_file()
