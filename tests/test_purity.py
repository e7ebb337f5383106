"""The share of files without a transition, its interval, and the words for both."""

import pyarrow as pa
import pytest

from longtake.purity import Purity, SecondLook, second_look, wilson
from longtake.schemas import SCHEMAS

LATE = "file_transitions <= 0"


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # The first four: R. G. Newcombe, Statistics in Medicine 17, 1998, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(n - hits, n) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_of_no_files_nothing_is_known() -> None:
    assert wilson(0, 0) == (0, 1)
    assert Purity(0, 0).share == 0


def test_a_share_below_one_is_never_said_to_be_all() -> None:
    assert str(Purity(38, 37)) == "97.4 % (95 % interval 86.5 to 99.5 %)"
    assert str(Purity(3, 3)) == "100 % (95 % interval 43.9 to 100 %)"
    assert str(Purity(100_000, 99_999)).startswith("99.9 % (")
    assert all(Purity(n, n).interval[1] == 1 and Purity(n, 0).interval[0] == 0 for n in range(1, 200))


def clips(*rows: tuple[float, bool, str | None, int | None]) -> pa.Table:
    """Make rows of `clips` from: length in seconds, whether there is a file, why rejected, transitions found."""
    plain = [
        {"duration_s": s, "file": "a.mp4" if file else None, "rejected_by": why, "file_transitions": found}
        for s, file, why, found in rows
    ]
    return pa.Table.from_pylist(plain, schema=SCHEMAS["clips"])


def test_only_files_that_were_written_and_looked_at_count() -> None:
    look = second_look(
        clips(
            (12.0, True, None, 0),
            (12.0, True, None, 2),
            (4.0, True, None, 0),
            (30.0, True, None, None),  # a file nobody looked at
            (3.0, False, "duration_s >= 10", None),
            (11.0, False, "motion.mean >= 0.1", 0),  # its file went when the rules changed
        )
    )
    assert look == SecondLook(every=Purity(3, 2), long=Purity(2, 1), removed=0, unseen=1)


def test_a_rule_about_the_look_does_not_make_the_share_better() -> None:
    rows = [(12.0, True, None, 0)] * 37
    kept, dropped = clips(*rows, (12.0, True, None, 1)), clips(*rows, (12.0, False, LATE, 1))
    unmeasured = clips(*rows, (12.0, False, LATE, 1), (12.0, False, f"{LATE} (not measured)", None))
    assert second_look(kept).every == second_look(dropped).every == second_look(unmeasured).every == Purity(38, 37)
    assert second_look(dropped).removed == 1


def test_words() -> None:
    marked = SecondLook(Purity(38, 37), Purity(38, 37), removed=0, unseen=0)
    first, second, third = marked.words()
    assert first == (
        "Second look: 37 of 38 files of 10 s and more hold no transition: 97.4 % (95 % interval 86.5 to 99.5 %)."
    )
    assert "no person checked" in second and "'file_transitions <= 0'" in third
    mixed = SecondLook(Purity(40, 39), Purity(38, 38), removed=1, unseen=2)
    assert mixed.words() == [
        "Second look: 39 of 40 files hold no transition: 97.5 % (95 % interval 87.1 to 99.6 %).",
        "Of 10 s and more: 38 of 38 files: 100 % (95 % interval 90.8 to 100 %).",
        second,
        "With a transition, and removed by a rule: 1 file.",
        "Not looked at a second time: 2 files.",
    ]
    assert second_look(clips()).words() == []
    assert second_look(clips((12.0, True, None, None))).words() == ["Not looked at a second time: 1 file."]


def test_where_shots_were_joined_the_words_say_so() -> None:
    looked = SecondLook(Purity(4, 4), Purity(4, 4), removed=0, unseen=0, joined=True)
    assert "4 of 4 files of 10 s and more hold no transition beyond those where shots were joined" in looked.words()[0]
    rows = [{"duration_s": 12.0, "file": "a.mp4", "file_transitions": 0, "transitions": n} for n in (0, 2)]
    assert second_look(pa.Table.from_pylist(rows, schema=SCHEMAS["clips"])).joined
    assert not second_look(pa.Table.from_pylist(rows[:1], schema=SCHEMAS["clips"])).joined
