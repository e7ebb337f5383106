"""Whose turn it is: hosts in their order, each in peace when it asks for it, and none forgotten."""

import threading
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.fetching import hosts
from longtake.fetching.hosts import Host
from longtake.fetching.ledger import Wanted
from longtake.fetching.states import FetchError
from longtake.fetching.turns import Turns
from longtake.shards import Part, bucket_of

BUSY = FetchError("throttled", "429")


class Shelf:
    """Stands for the ledger: so many videos a host."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.videos = {
            name: [Wanted(i * 1000 + j + 1, f"{name}-{j}", "", name) for j in range(count)]
            for i, (name, count) in enumerate(counts.items())
        }

    def __call__(self, host: str, after: int, most: int) -> list[Wanted]:
        return [video for video in self.videos[host] if video.id > after][:most]


def turns(counts: dict[str, int], *, rate: float = 1e6) -> tuple[Turns, threading.Event]:
    stopping = threading.Event()
    return Turns([Host(name, rate) for name in counts], Shelf(counts), stopping=stopping), stopping


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 150), min_size=1), st.integers(1, 5))
def test_each_video_has_one_turn(counts, workers):
    found, _ = turns(counts)
    taken: Counter[str] = Counter()

    def worker() -> None:
        while wanted := found.take():
            taken[wanted.video] += 1
            found.settle(wanted, None)

    threads = [threading.Thread(target=worker) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == {f"{name}-{j}": 1 for name, count in counts.items() for j in range(count)}


def test_hosts_take_turns():
    found, _ = turns({"a": 3, "b": 3})
    order = []
    while wanted := found.take():
        order.append(wanted.host)
        found.settle(wanted, None)
    assert Counter(order[:2]) == Counter(order[2:4]) == Counter("ab")


def test_a_busy_host_is_asked_for_one_video_till_it_answers(monkeypatch):
    monkeypatch.setattr(hosts, "FIRST_WAIT_S", 0.01)
    found, _ = turns({"a": 20})
    first, second = found.take(), found.take()
    found.settle(first, BUSY)
    trial = found.take()
    others = []
    thread = threading.Thread(target=lambda: others.append(found.take()))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive(), "nobody else asks meanwhile"
    found.settle(second, None)  # sent before the refusal: it says nothing of now
    thread.join(0.3)
    assert thread.is_alive()
    found.settle(trial, None)
    thread.join(60)
    assert others[0].host == "a" and found.take().host == "a"


def test_one_crowd_is_one_refusal(monkeypatch):
    monkeypatch.setattr(hosts, "FIRST_WAIT_S", 0.01)
    found, _ = turns({"a": 50})
    crowd = [found.take() for _ in range(20)]
    for wanted in crowd:
        found.settle(wanted, BUSY)
    assert found.closed() == {}
    for _ in range(hosts.GIVE_UP["throttled"] - 1):
        assert found.closed() == {}
        found.settle(found.take(), BUSY)
    assert "throttled: 429" in found.closed()["a"]
    assert found.take() is None


def test_answers_between_refusals_keep_a_host(monkeypatch):
    monkeypatch.setattr(hosts, "FIRST_WAIT_S", 0.01)
    found, _ = turns({"a": 40})
    for _ in range(10):
        found.settle(found.take(), BUSY)
        found.settle(found.take(), FetchError("gone", "404"))
    assert found.closed() == {}


def test_a_video_comes_again_after_its_wait():
    found, _ = turns({"a": 1})
    wanted = found.take()
    found.settle(wanted, FetchError("network", "reset"), again_s=0.15)
    began = time.monotonic()
    assert found.take() is wanted
    assert time.monotonic() - began > 0.1
    found.settle(wanted, None)
    assert found.take() is None


def test_those_who_wait_go_home_when_it_is_to_stop():
    found, stopping = turns({"a": 5}, rate=0.01)
    assert found.take()
    stopping.set()
    assert found.take() is None


@pytest.mark.parametrize(
    ("asked_s", "expected_s"),
    [([None], 1.0), ([7.0], 7.0), ([None, None, None], 4.0), ([0.0, 0.0, 0.0], 4.0), ([99_999.0], 3600.0)],
)
def test_how_long_a_host_is_left_in_peace(asked_s, expected_s):
    host = Host("a", 1e6)
    now = 100.0
    for asked in asked_s:
        now = max(now, host.opens_at)
        host.refused(FetchError("throttled", "429", retry_after_s=asked), now, now)
    assert expected_s <= host.opens_at - now <= 1.1 * expected_s


@given(st.text(min_size=1), st.integers(1, 64))
def test_every_video_is_in_one_shard(video, of):
    inside = [n for n in range(1, of + 1) if bucket_of(video) % of == n - 1]
    assert len(inside) == 1 and Part(inside[0], of).sql == f"named AND bucket % {of} = {inside[0] - 1}"
