"""What work would cost: arithmetic that holds for any numbers, and a dry run that says it and writes nothing."""

import math
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from media import pan, write_video

from longtake import costs, dry_run
from longtake.cli import main
from longtake.costs import Assumed, Costs, Rate, as_plain, between, forecast, from_plain, parted, read_assumed
from longtake.dry_run import dry_run as plan_only
from longtake.errors import UsageError
from longtake.show.forecast import size

amounts = st.floats(0, 1e6)
some = st.floats(0.01, 1e4)
rates = st.builds(Rate, amounts, amounts)
all_costs = st.builds(
    Costs,
    **{
        field.name: rates if field.type == "Rate" or field.type is Rate else amounts
        for field in fields(Costs)
        if field.name not in ("kept", "kept_clip_s", "pixels")
    },
    kept=st.floats(0, 1),
    kept_clip_s=some,
    pixels=some,
)
NUMBERS = ("video_h", "clips", "kept_clips", "kept_h", "scan_core_h", "write_core_h", "calls", "prompt_tokens")


def near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


@given(all_costs, some, some, st.floats(0.1, 1000))
def test_so_many_times_the_videos_cost_so_many_times_as_much(one, videos, minutes, times):
    few = forecast(one, Assumed(videos, minutes, core_hour_usd=0.05, tb_month_usd=20, prompt_usd=1, completion_usd=2))
    many = forecast(one, replace(few.assumed, videos=videos * times))
    assert all(near(getattr(many, name), times * getattr(few, name)) for name in NUMBERS)
    assert all(near(many.bytes[name], times * few.bytes[name]) for name in few.bytes)
    assert near(many.compute_usd, times * few.compute_usd) and near(many.model_usd, times * few.model_usd)
    assert near(many.storage_usd_month, times * few.storage_usd_month)


@given(all_costs, some, some, st.floats(1, 1000))
def test_more_cores_take_less_time_and_no_less_work(one, videos, minutes, times):
    alone = forecast(one, Assumed(videos, minutes))
    many = forecast(one, Assumed(videos, minutes, cores=times))
    assert near(many.elapsed_h * times, alone.elapsed_h) and many.core_h == alone.core_h


@given(all_costs, some, some, st.floats(1.5, 100))
def test_the_same_hours_in_shorter_videos_cost_no_less(one, videos, minutes, parts):
    whole = forecast(one, Assumed(videos, minutes, kept=0.0))
    cut = forecast(one, Assumed(videos * parts, minutes / parts, kept=0.0))
    assert near(whole.video_h, cut.video_h)
    assert cut.core_h >= whole.core_h * (1 - 1e-9) and sum(cut.bytes.values()) >= sum(whole.bytes.values()) * (1 - 1e-9)


@given(all_costs, all_costs, st.floats(0, 1))
def test_between_two_sizes_costs_lie_between(low, high, part):
    low, high = replace(low, pixels=100.0), replace(high, pixels=900.0)
    found = between([high, low], 100 + 800 * part)
    for field in fields(Costs):
        a, b, x = (getattr(one, field.name) for one in (low, high, found))
        pairs = zip(a, b, x, strict=True) if isinstance(a, Rate) else [(a, b, x)]
        assert all(min(p, q) * (1 - 1e-9) - 1e-9 <= r <= max(p, q) * (1 + 1e-9) + 1e-9 for p, q, r in pairs)
    assert between([low, high], 100.0) == low and between([low, high], 900.0) == high
    assert between([low, high], 5.0) == replace(low, pixels=5.0)
    assert between([low, high], 5000.0) == replace(high, pixels=5000.0)


@given(st.floats(0, 100), st.floats(0, 1e5), st.integers(2, 500), st.floats(0.01, 10))
def test_two_measurements_give_the_rate_they_come_from(each, hour, pieces, hours):
    truth = Rate(each, hour)
    found = parted((pieces, hours, truth.of(pieces, hours)), (1, hours, truth.of(1, hours)))
    assert math.isclose(found.each, each, rel_tol=1e-6, abs_tol=1e-6 * (each + hour * hours))
    assert math.isclose(found.hour * hours, hour * hours, rel_tol=1e-5, abs_tol=1e-5 * (each + hour * hours))


def test_a_rate_is_never_below_nothing():
    assert parted((10, 1.0, 5.0), (1, 1.0, 9.0)) == Rate(0.0, 9.0)
    assert parted((10, 1.0, 100.0), (1, 1.0, 1.0)).hour == 0.0


@given(all_costs)
def test_costs_survive_a_file(one):
    assert from_plain(as_plain(one)) == one


@pytest.mark.parametrize(
    ("texts", "match"),
    [
        (["video=3"], "did you mean 'videos'"),
        (["videos"], "NAME=NUMBER"),
        (["videos=many", "minutes=1"], "no number"),
        (["videos=nan", "minutes=1"], "no number"),
        (["videos=-1", "minutes=1"], "no number"),
        (["videos=1"], "how many minutes"),
        (["videos=1", "minutes=1", "kept=2"], "at most 1"),
        (["videos=1", "minutes=1", "cores=0"], "over 0"),
    ],
)
def test_wrong_assumptions_are_told(texts, match):
    with pytest.raises(UsageError, match=match):
        read_assumed(texts, {})


def test_sizes_for_people():
    assert [size(x) for x in (0, 1500, 2.5e6, 3e12, 4.2e15)] == ["0.0 kB", "1.5 kB", "2.5 MB", "3.0 TB", "4.2 PB"]


def test_the_table_knows_what_it_was_measured_on():
    known = costs.table()
    assert {"machine", "date", "versions", "recipes"} <= known.keys()
    for name in ("lvd2m", "longtake"):
        rows = known["recipes"][name]
        assert len(rows) >= 3 and all(one.scan_cpu_s.hour > 0 and one.signal_bytes.hour > 0 for one in rows)
        more = sorted(rows, key=lambda one: one.pixels)
        assert more[0].scan_cpu_s.hour < more[-1].scan_cpu_s.hour


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dry")
    for seed in (1, 2, 3):
        write_video(folder / f"{seed}.mp4", pan(72, seed=seed, speed=0.3, size=(160, 90)))
    return folder


def test_a_dry_run_writes_nothing(films, tmp_path):
    said = CliRunner().invoke(main, ["run", "lvd2m", str(films), "--to", str(tmp_path / "set"), "--dry-run"])
    assert said.exit_code == 0, said.output
    assert "3 to scan" in said.output and "3 videos of 3.0 s" in said.output and "Nothing was written" in said.output
    assert "a day on" not in said.output and not re.search(r"\de-\d", said.output)
    assert not (tmp_path / "set").exists()
    assert CliRunner().invoke(main, ["run", "lvd2m", str(films), "--dry-run"]).exit_code == 0


def test_a_far_larger_run_needs_no_videos():
    told = ["videos=2.2e8", "minutes=0.167", "cores=10000", "kept=0.018", "kept_clip_s=20.2", "core_hour_usd=0.04"]
    words = ["run", "lvd2m", "--dry-run", *(word for one in told for word in ("--assume", one))]
    said = CliRunner().invoke(main, words)
    assert said.exit_code == 0, said.output
    assert (
        "220 million videos of 10.0 s" in said.output and "10,000 cores, a day on" in said.output and "$" in said.output
    )


def test_a_trial_measures_some_of_the_videos(films, tmp_path):
    done = plan_only("lvd2m", [films], assume=["videos=1e6"], measure=2, settings=["select.keep=['duration_s >= 1']"])
    assert "measured on 2 of these videos" in done.costs_from
    found = done.forecast
    assert found.video_h == pytest.approx(1e6 * 3 / 3600, rel=0.01)
    assert found.kept_clips == pytest.approx(1e6, rel=0.05)  # each is one take
    assert found.scan_core_h > 0 and found.write_core_h > 0 and found.bytes["clip files"] > 0
    assert found.calls >= 2 * found.kept_clips  # raw, then refined, and perhaps rewritten


def test_what_cannot_be_told_is_said(films, tmp_path):
    (tmp_path / "list.csv").write_text("url\nhttps://a.example/a.mp4\n")
    with pytest.raises(UsageError, match="a dry run fetches none"):
        plan_only("lvd2m", [tmp_path / "list.csv"])
    with pytest.raises(UsageError, match="name sources"):
        plan_only("lvd2m", assume=["videos=1", "minutes=1"], measure=3)
    (tmp_path / "own.toml").write_text('name = "own"\n')
    with pytest.raises(UsageError, match=r"nobody knows.*--measure"):
        plan_only(str(tmp_path / "own.toml"), [films])
    changed = plan_only("lvd2m", [films], settings=["signals.motion.pairs_hz=2"])
    assert "yours differs" in changed.costs_from
    said = CliRunner().invoke(main, ["run", "lvd2m"])
    assert said.exit_code == 2 and "name SOURCES and --to SET" in said.output
    said = CliRunner().invoke(main, ["run", "lvd2m", str(films), "--to", "set", "--measure", "2"])
    assert said.exit_code == 2 and "for --dry-run" in said.output


def test_prices_of_a_known_model_are_taken(films):
    where = ["models.default.url='https://api.openai.com/v1'", "models.default.model='gpt-4o-mini'"]
    done = plan_only("lvd2m", assume=["videos=1000", "minutes=10", "kept=0.5"], settings=where)
    assert done.forecast.model_usd is not None and done.forecast.model_usd > 0
    assert dry_run._priced(Assumed(1, 1, prompt_usd=7.0), done.recipe).prompt_usd == 7.0
