"""The gate: how many are let in, when, and in which order; hours pass at once on a loop whose clock jumps."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.ask.gate import BELIEVED, FIRST_WAIT_S, LONGEST_WAIT_S, Gate


class Jumps(asyncio.SelectorEventLoop):
    """A loop that doesn't wait: its clock jumps to whatever comes next."""

    def __init__(self) -> None:
        self.now = 0.0
        loop = self

        class Selector(selectors.DefaultSelector):
            def select(self, timeout: float | None = None) -> Any:
                loop.now += timeout or 0.0
                return super().select(0)

        super().__init__(Selector())

    def time(self) -> float:
        return self.now


def run(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=Jumps) as runner:
        return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


async def refused(gate: Gate, wait_s: float | None) -> float:
    """Enter, be refused, leave; return how long it took to be let in."""
    began = now()
    sent_at = await gate.enter()
    await asyncio.sleep(0.001)
    gate.refused(sent_at, wait_s)
    gate.leave()
    return sent_at - began


def test_lets_in_as_many_as_there_are_places_in_order():
    async def main() -> None:
        gate, entered, peak = Gate(3), [], 0

        async def visit(number: int) -> None:
            nonlocal peak
            await gate.enter()
            entered.append(number)
            peak = max(peak, gate.active)
            await asyncio.sleep(1)
            gate.leave()

        await asyncio.gather(*(visit(number) for number in range(10)))
        assert entered == list(range(10))
        assert (peak, gate.active, now()) == (3, 0, pytest.approx(4))

    run(main())


def test_a_crowd_refused_together_halves_the_places_once():
    async def main() -> None:
        gate = Gate(8)
        await asyncio.gather(*(refused(gate, 1.0) for _ in range(8)))
        assert gate.limit == 4
        await refused(gate, 1.0)
        assert gate.limit == 2

    run(main())


def test_there_is_always_one_place():
    async def main() -> None:
        gate = Gate(4)
        for _ in range(6):
            await refused(gate, 0.1)
        assert gate.limit == 1

    run(main())


def test_places_grow_by_one_after_as_many_answers_up_to_the_most():
    async def main() -> None:
        gate = Gate(4)
        await refused(gate, 0.0)
        limits = []
        for _ in range(12):
            gate.answered()
            limits.append(gate.limit)
        assert limits == [2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]

    run(main())


def test_a_refusal_holds_everybody_back():
    async def main() -> None:
        gate = Gate(4)
        await refused(gate, 600.0)
        waits = await asyncio.gather(*(gate.enter() for _ in range(2)))
        assert min(waits) >= 600

    run(main())


def test_nobody_waits_longer_than_the_longest_back_off():
    async def main() -> None:
        gate = Gate(1)
        await refused(gate, 86_400.0)
        assert LONGEST_WAIT_S <= await gate.enter() <= LONGEST_WAIT_S * 1.11

    run(main())


def test_the_own_back_off_doubles_till_an_answer_comes():
    async def main() -> None:
        gate = Gate(1)
        waits = [await refused(gate, None) for _ in range(5)]
        for wait_s, power in zip(waits[1:], range(4), strict=True):
            assert FIRST_WAIT_S * 2**power * 0.99 <= wait_s <= FIRST_WAIT_S * 2**power * 1.11
        gate.answered()
        await refused(gate, None)
        assert await refused(gate, None) <= FIRST_WAIT_S * 1.11

    run(main())


def test_a_server_that_always_says_now_is_not_believed_for_ever():
    async def main() -> None:
        gate = Gate(1)
        waits = [await refused(gate, 0.0) for _ in range(BELIEVED + 4)]
        assert max(waits[: BELIEVED + 1]) < FIRST_WAIT_S
        assert min(waits[BELIEVED + 1 :]) > FIRST_WAIT_S

    run(main())


def test_one_who_stops_waiting_takes_no_place():
    async def main() -> None:
        gate = Gate(1)
        await gate.enter()
        waiting = [asyncio.create_task(gate.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        gate.leave()
        waiting[1].cancel()  # the place is its own already, though it hasn't run since
        await asyncio.gather(*waiting, return_exceptions=True)
        assert [task.cancelled() for task in waiting] == [True, True, False]
        assert gate.active == 1

    run(main())


@given(
    most=st.integers(1, 6),
    visits=st.lists(st.lists(st.sampled_from(["ok", 0.0, 0.5, 30.0, None]), max_size=4), min_size=1, max_size=20),
)
def test_whatever_happens_all_get_through_and_the_bounds_hold(most: int, visits: list[list[Any]]):
    async def main() -> None:
        gate = Gate(most)

        async def visit(outcomes: list[Any]) -> None:
            for outcome in [*outcomes, "ok"]:
                sent_at = await gate.enter()
                assert 1 <= gate.active <= most
                await asyncio.sleep(0.01)
                if outcome == "ok":
                    gate.answered()
                else:
                    gate.refused(sent_at, outcome)
                assert 1 <= gate.limit <= most
                gate.leave()

        await asyncio.gather(*map(visit, visits))
        assert gate.active == 0

    run(main())
