"""Levels: each inside the one before, as large as asked for where rules can do it, and rules that say the same."""

import itertools
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from longtake.cli import main
from longtake.errors import SetError, UsageError
from longtake.levels import SHARES, make_levels, read_aspects, tighten, wanted_shares
from longtake.schemas import SCHEMAS
from longtake.select import parse_rule
from longtake.select_set import read_rules, select_set
from longtake.store import Store

VALUES = st.floats(-1e6, 1e6, allow_subnormal=False) | st.sampled_from([0.0, 1.0, 1 / 3, float("nan")])


@st.composite
def pools(draw: st.DrawFn) -> tuple[list[np.ndarray], list[bool]]:
    """One to three scores of up to 60 clips, with ties and gaps; at least one clip has them all."""
    scores, clips = draw(st.integers(1, 3)), draw(st.integers(1, 60))
    columns = [np.array(draw(st.lists(VALUES, min_size=clips, max_size=clips))) for _ in range(scores)]
    for column in columns:
        column[0] = draw(st.floats(-10, 10))
    return columns, draw(st.lists(st.booleans(), min_size=scores, max_size=scores))


def kept(columns: list[np.ndarray], lower: list[bool], thresholds: tuple[float, ...]) -> np.ndarray:
    """What rules with these thresholds keep, through the text that a rule is stored as."""
    rules = [
        parse_rule(f"s {'<=' if less else '>='} {number:g}") for less, number in zip(lower, thresholds, strict=True)
    ]
    return np.logical_and.reduce([rule.holds(column) for rule, column in zip(rules, columns, strict=True)])


@given(pools(), st.lists(st.floats(0.001, 1), min_size=1, max_size=6))
def test_every_level_lies_inside_the_one_before(pool, shares: list[float]) -> None:
    columns, lower = pool
    parts = [kept(columns, lower, cut.thresholds) for cut in tighten(columns, lower, wanted_shares(shares))]
    assert all(part.any() for part in parts)
    for larger, smaller in itertools.pairwise(parts):
        assert not (smaller & ~larger).any()
    assert not (np.isnan(columns).any(axis=0) & np.any(parts, axis=0)).any(), "what was not measured is in no level"


@given(pools(), st.floats(0.001, 1))
def test_no_other_quantile_comes_nearer_to_the_share(pool, share: float) -> None:
    columns, lower = pool
    columns = [np.round(column, 2) for column in columns]  # a rule's text holds them whole
    clips = len(columns[0])
    measured = ~np.isnan(columns).any(axis=0)
    orders = [np.sort(c[measured])[:: -1 if less else 1] for c, less in zip(columns, lower, strict=True)]
    at_all = [
        kept_exactly(columns, lower, [order[place] for order in orders]).sum() for place in range(int(measured.sum()))
    ]
    wanted = max(1, round(share * clips))
    [cut] = tighten(columns, lower, [share])
    assert abs(int(kept_exactly(columns, lower, cut.thresholds).sum()) - wanted) == min(
        abs(n - wanted) for n in at_all if n
    )


def kept_exactly(columns: list[np.ndarray], lower: list[bool], thresholds) -> np.ndarray:
    held = [c <= t if less else c >= t for c, less, t in zip(columns, lower, thresholds, strict=True)]
    return np.logical_and.reduce(held)


@given(st.permutations(range(200)), st.sampled_from(SHARES))
def test_scores_without_ties_reach_the_share_to_the_clip(order: list[int], share: float) -> None:
    columns = [np.arange(200.0), np.array(order, float)]
    [cut] = tighten(columns, [False, True], [share])
    inside = kept(columns, [False, True], cut.thresholds)
    assert abs(int(inside.sum()) - round(share * 200)) <= 1, "one place further takes at most one clip a score"
    assert cut.top == pytest.approx(1 - cut.thresholds[0] / 200) and cut.thresholds[1] == 199 - cut.thresholds[0]


def test_one_score_is_cut_at_its_own_share() -> None:
    [cut] = tighten([np.arange(1000.0)], [False], [0.118])
    assert (cut.thresholds, cut.top) == ((882.0,), pytest.approx(0.118))
    [cut] = tighten([np.arange(1000.0)], [True], [0.118])
    assert (cut.thresholds, cut.top) == ((117.0,), pytest.approx(0.118))


def test_where_all_clips_are_equal_all_are_kept() -> None:
    [cut] = tighten([np.full(9, 0.25)], [False], [0.1])
    assert (cut.thresholds, cut.top) == ((0.25,), 1.0)


def test_thresholds_are_rounded_so_that_what_is_on_the_edge_stays() -> None:
    third = np.array([1 / 3, 0.1])
    assert tighten([third], [False], [0.5])[0].thresholds == (0.333333,)
    assert tighten([-third], [True], [0.5])[0].thresholds == (-0.333333,)
    assert tighten([third + 0.5], [True], [1.0])[0].thresholds == (0.833334,)


def test_nothing_measured_is_no_level() -> None:
    with pytest.raises(UsageError, match="no kept clip has all of the scores"):
        tighten([np.array([np.nan, 1.0]), np.array([1.0, np.nan])], [False, False], [0.5])


@pytest.mark.parametrize("share", [0, -0.1, 41.9, float("nan")])
def test_a_share_is_a_part(share: float) -> None:
    with pytest.raises(UsageError, match=r"as 0\.118"):
        wanted_shares([0.5, share])


def test_shares_come_in_order_and_once() -> None:
    assert wanted_shares([0.1, 0.4, 0.1]) == [0.4, 0.1]
    assert wanted_shares([]) == list(SHARES) == sorted(SHARES, reverse=True)


def test_aspects_are_scores_of_the_set() -> None:
    scores = {"motion.mean": np.ones(1), "look.border": np.ones(1)}
    assert [str(aspect) for aspect in read_aspects([], scores)] == ["motion.mean"]
    named = read_aspects(["-look.border", "motion.mean"], scores)
    assert [str(aspect.rule(0.5)) for aspect in named] == ["look.border <= 0.5", "motion.mean >= 0.5"]
    with pytest.raises(UsageError, match=r"did you mean 'motion.mean'"):
        read_aspects(["-motion.men"], scores)
    with pytest.raises(UsageError, match="named twice"):
        read_aspects(["motion.mean", "-motion.mean"], scores)
    with pytest.raises(UsageError, match="--by"):
        read_aspects([], {"duration_s": np.ones(1)})


# On a set


CLIPS = 400


def write_rules(folder: Path, rules: list[str]) -> None:
    (folder / "recipe.toml").write_text(f"[select]\nkeep = {rules}\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of 40 videos in two folders, 10 clips each; a fifth is too short, and some lack a score."""
    folder = tmp_path_factory.mktemp("levels") / "set"
    folder.mkdir()
    write_rules(folder, ["duration_s >= 12"])
    rng = np.random.default_rng(1)
    motion, sharpness = rng.random(CLIPS), rng.random(CLIPS)
    score = pa.struct([("mean", pa.float64())]), pa.struct([("sharpness", pa.float64()), ("border", pa.float64())])
    schema = SCHEMAS["clips"].append(pa.field("motion", score[0])).append(pa.field("look", score[1]))
    rows = [
        {
            "id": f"v{i // 10}_{i}",
            "video_id": f"v{i // 10}",
            "duration_s": 10.0 + i % 10,
            "kept": True,
            "motion": {"mean": None if i % 100 == 7 else motion[i]},
            "look": {"sharpness": sharpness[i], "border": 0.0},
        }
        for i in range(CLIPS)
    ]
    store = Store(folder)
    store.append("clips", rows, schema)
    store.append("videos", [{"id": f"v{i}", "path": f"/films/{'ab'[i % 4 == 0]}/{i}.mp4"} for i in range(40)])
    return folder


def test_levels_of_a_set_are_what_select_keeps(made: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    done = make_levels(made, to=tmp_path / "levels")
    assert (done.clips, done.videos, done.measured, done.not_measured) == (320, 40, 316, {"motion.mean": 4})
    assert [level.share for level in done.levels] == list(SHARES)
    assert [path.name for path in done.files] == ["pool.toml", *(f"level-{n}.toml" for n in range(1, 5))]
    pool, *choices = [select_set(made, read_rules(path)) for path in done.files]
    assert pool.funnel[-1].clips == done.clips and pool.funnel[-1].seconds == pytest.approx(done.seconds)
    for level, choice in zip(done.levels, choices, strict=True):
        assert choice.funnel[-1].clips == level.clips == pytest.approx(level.share * 320, abs=2)
        assert choice.funnel[-1].seconds == pytest.approx(level.seconds)
        assert level.videos <= level.clips
    assert done.sources["a"][0] + done.sources["b"][0] == 320
    assert [sum(parts) for parts in zip(*done.sources.values(), strict=True)][1:] == [x.clips for x in done.levels]
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


def test_a_level_made_the_set_s_rules_is_the_next_pool_and_the_pool_s_file_leads_back(
    made: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(made, tmp_path / "set"))
    done = make_levels(copy, [0.5], ["motion.mean"], to=tmp_path / "levels")
    write_rules(copy, read_rules(tmp_path / "levels" / "level-1.toml"))
    assert make_levels(copy, [0.5]).clips == done.levels[0].clips
    write_rules(copy, read_rules(tmp_path / "levels" / "pool.toml"))
    assert make_levels(copy, [0.5]).clips == done.clips


def test_what_can_not_be_reached_is_said(made: Path) -> None:
    words = " ".join(make_levels(made, [1.0, 0.002, 0.001]).words())
    assert "4 of 320 clips have no motion.mean" in words
    assert "Level 1 can't reach its share: only 316 clips" in words
    assert "Level 3 holds the same clips as level 2" in words
    (said,) = make_levels(made, [0.5], ["look.border"]).words()
    assert said == "Level 1 is off its share: 320 clips have the same look.border, and no rule parts them."


def a_set(folder: Path, **scores: list[float]) -> Path:
    """Return a set of as many clips as there are scores."""
    folder.mkdir()
    write_rules(folder, ["duration_s >= 1"])
    kinds = pa.struct([(name, pa.float64()) for name in scores])
    clips = [dict(zip(scores, values, strict=True)) for values in zip(*scores.values(), strict=True)]
    rows = [
        {"id": f"v_{i}", "video_id": "v", "duration_s": 9.0, "kept": True, "s": clip} for i, clip in enumerate(clips)
    ]
    store = Store(folder)
    store.append("clips", rows, SCHEMAS["clips"].append(pa.field("s", kinds)))
    store.append("videos", [{"id": "v", "path": "/films/v.mp4"}])
    return folder


def test_clips_are_called_equal_only_where_they_are(tmp_path: Path) -> None:
    """Of two scores that oppose each other the best clips of each go together: 0, 2, 4 and on are left."""
    up = [float(i) for i in range(40)]
    opposed = a_set(tmp_path / "opposed", a=up, b=up[::-1])
    made = make_levels(opposed, [0.25, 0.125], ["s.a", "s.b"])
    assert [level.clips for level in made.levels] == [10, 6]
    why = "no threshold on all scores together comes nearer"
    assert made.words() == [f"Level 2 is off its share: {why}."]
    tied = make_levels(a_set(tmp_path / "tied", a=[*up[:30], *[30.0] * 10], b=up), [0.1], ["s.b", "s.a"])
    assert tied.words() == []
    tied = make_levels(tmp_path / "tied", [0.1], ["s.a"])
    assert tied.words() == ["Level 1 is off its share: 10 clips have the same s.a, and no rule parts them."]


def test_values_that_a_rule_s_text_can_not_part_are_equal(tmp_path: Path) -> None:
    made = make_levels(a_set(tmp_path / "near", a=[1 + i / 1e9 for i in range(40)]), [0.5], ["s.a"])
    assert made.words() == ["Level 1 is off its share: 40 clips have the same s.a, and no rule parts them."]


def test_what_can_not_be_done_is_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(SetError, match="is no set"):
        make_levels(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(UsageError, match="not empty"):
        make_levels(made, to=tmp_path / "full")
    copy = Path(shutil.copytree(made, tmp_path / "set"))
    write_rules(copy, ["duration_s >= 100"])
    with pytest.raises(UsageError, match="keep no clip"):
        make_levels(copy)


@pytest.mark.parametrize("text", ["", "keep = []", "keep = 'duration_s >= 1'", "keep = [3]", "keep = [", "rules = []"])
def test_a_file_without_rules_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "level.toml").write_text(text)
    with pytest.raises(UsageError, match=r"level\.toml"):
        read_rules(tmp_path / "level.toml")
    with pytest.raises(UsageError, match="can't be read"):
        read_rules(tmp_path / "nowhere.toml")


def test_the_commands(made: Path, tmp_path: Path) -> None:
    def call(*arguments: object) -> str:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
        return result.output

    to = tmp_path / "levels"
    said = call(
        "levels", made, "--share", 0.4, "--share", 0.1, "--by", "motion.mean", "--by", "-look.border", "--to", to
    )
    assert "level 2:  the set's rules and motion.mean >= " in said and ", look.border <= 0" in said
    assert [line.split()[0] for line in said.splitlines() if line.startswith(("a ", "b "))] == ["a", "b"]
    clips = next(line.split()[4] for line in said.splitlines() if line.startswith("level 2 "))
    assert f"Keeps {clips} clips" in call("select", made, "--rules", to / "level-2.toml")
    assert "Keeps 0 clips" in call("select", made, "--rules", to / "level-2.toml", "--keep", "duration_s >= 99")
    assert "Nothing was written" in call("levels", made)
