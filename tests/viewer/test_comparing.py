"""Two sets of the same videos: what is the same clip, what entered, what left, and why."""

import shutil

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from looking import served

from longtake.schemas import SCHEMAS
from longtake.select_set import select_set
from longtake.store import Store
from longtake.viewer.comparing import SAME_SHARE, _match

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 25)), max_size=12).map(
    lambda found: np.array([[a, a + b] for a, b in found], np.float64).reshape(-1, 2).T
)


@given(spans, spans)
def test_a_match_is_what_shares_most(these, those):
    found = _match(these, those)
    for place, (start, end) in enumerate(these.T.tolist()):
        shares = []
        for begin, stop in those.T.tolist():
            common = min(end, stop) - max(start, begin)
            shares.append(common if common > SAME_SHARE * min(end - start, stop - begin) else 0.0)
        best = max(shares, default=0.0)
        assert (found[place] >= 0) == (best > 0)
        if best > 0:
            assert shares[found[place]] == best


@pytest.fixture(scope="module")
def two(made, tmp_path_factory):
    """The made-up set, and one of the same videos with other rules, its clips half a second later, without one."""
    other = tmp_path_factory.mktemp("compare") / "other"
    shutil.copytree(made, other)
    store = Store(other)
    rows = store.read("clips", ["id", "start_s", "end_s"]).to_pylist()
    later = [{**row, "start_s": row["start_s"] + 0.5, "end_s": row["end_s"] + 0.5} for row in rows]
    store.update("clips", "id", later, _schema())
    gone = store.read("clips", ["id"], "kept OR duration_s > 12")["id"].to_pylist()[0]
    store.delete("clips", "id", [gone])
    select_set(other, ["duration_s >= 12", "motion.mean >= 0.05"], save=True)
    select_set(made, ["duration_s >= 12", "look.luma >= 0.4"], save=True)
    return made, other, gone


def _schema():
    return pa.schema([SCHEMAS["clips"].field(name) for name in ("id", "start_s", "end_s")])


def test_what_entered_and_left(two):
    made, other, gone = two
    kept = [set(Store(folder).read("clips", ["id"], "kept")["id"].to_pylist()) for folder in (made, other)]
    with served(made, other) as asker:
        told = asker.get("api/compare")
        sides = {side: asker.post("api/compare/clips", side=side, limit=200) for side in ("entered", "left", "both")}
        first = sides["left"]["clips"][0]["id"]
        assert asker.get(f"{sides['left']['prefix']}api/clips/{first}")["kept"]
        assert not asker.get(f"{sides['entered']['prefix']}api/clips/{first}")["kept"]
    ids = {side: {clip["id"] for clip in found["clips"]} for side, found in sides.items()}
    assert ids["entered"] == kept[0] - kept[1]
    assert ids["left"] == kept[1] - kept[0]
    assert ids["both"] == kept[0] & kept[1]
    assert {side: told[side] for side in ids} == {side: len(found) for side, found in ids.items()}
    assert told["moved"] == told["both"] > 0
    why = {(row["side"], row["rule"]): row["n"] for row in told["why"]}
    assert why[("left", "look.luma >= 0.4")] == told["left"]
    assert why.get(("entered", None), 0) == (gone in kept[0])
    assert why[("entered", "motion.mean >= 0.05")] == told["entered"] - (gone in kept[0])
    # A clip that left is shown as the set that still has it knows it.
    assert all(clip["kept"] for clip in sides["left"]["clips"])


def test_without_another_set_it_says_what_to_do(asker):
    assert "--with OTHER" in asker.get("api/compare", 400)["error"]
    assert not asker.get("api/set")["has"]["other"]
