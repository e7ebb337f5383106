"""Recipes are checked before any decode, and survive being written down."""

import tomllib

import pytest

from longtake.clip_facts import CLIP_FACTS
from longtake.errors import UsageError
from longtake.recipe import load, names, resolve, score_keys
from longtake.schemas import SCHEMAS
from longtake.sections import TAKEN


@pytest.mark.parametrize("name", names())
def test_every_recipe_that_ships_is_sound_and_says_its_source(name: str) -> None:
    recipe = load(name)
    assert recipe.name == name
    assert recipe.about and recipe.source
    assert recipe.rules or name == "listed"  # which takes what a list names


@pytest.mark.parametrize("name", names())
def test_a_resolved_recipe_reads_back_as_the_same_work(name: str, tmp_path) -> None:
    recipe = load(name)
    path = tmp_path / "recipe.toml"
    path.write_text(recipe.to_toml())
    again = load(str(path))
    assert again.key == recipe.key
    assert again == recipe
    assert tomllib.loads(path.read_text())["made_with"]["steps"]


def test_lvd2m_holds_the_numbers_of_the_paper() -> None:
    recipe = load("lvd2m")
    rules = {rule.score: (rule.comparison, rule.number) for rule in recipe.rules}
    assert rules["duration_s"] == (">=", 10)
    assert rules["content.max"] == ("<", 50)
    assert rules["motion.mean"] == (">=", 0.074)  # 20 px sideways, of 960 for 16:9, in half a second
    assert rules["motion.mean"][1] == pytest.approx(20 / (960 * 9 / 16) / 0.5, abs=1e-3)
    assert recipe.signals["content"].parameters["hz"] == 0.5
    assert rules["judge.varied"] == rules["judge.appealing"] == (">=", 1)
    captioner, judge = recipe.captions["lvd2m"], recipe.judges["judge"]
    assert (captioner.parameters["segment_s"], captioner.parameters["frames"], judge.parameters["frames"]) == (30, 6, 8)
    assert recipe.waits(captioner) and recipe.waits(judge) and not recipe.waits(recipe.captions["measured"])


def test_miradata_holds_the_numbers_there_are_and_waits_for_two_models() -> None:
    recipe = load("miradata")
    rules = {rule.score: (rule.comparison, rule.number) for rule in recipe.rules}
    assert (recipe.shots.step.name, recipe.shots.parameters["threshold"]) == ("content", 26)
    assert recipe.clips.parameters["join"] == "model_a and model_b or colour and shape"
    assert rules["duration_s"] == (">=", 40)
    assert rules["light.brightest80"] == (">=", pytest.approx(20 / 255, abs=1e-4))
    assert rules["light.darkest80"] == ("<=", pytest.approx(235 / 255, abs=1e-4))
    assert {label: recipe.waits(use) for label, use in recipe.voters.items()} == {
        "model_a": True,
        "model_b": True,
        "colour": False,
        "shape": False,
    }
    named = load("miradata", ["models.model_a.url='local'", "models.model_b.url='http://localhost:1/v1'"])
    assert not any(named.waits(use) for use in named.voters.values())
    assert named.settings_of(named.voters["model_a"]) != named.settings_of(named.voters["model_b"])
    assert named.waits(named.captions["miradata"]), "captions are by a third"
    assert recipe.captions["miradata"].parameters["window_s"] == 120


def test_internvid_g_makes_spans_and_no_files() -> None:
    recipe = load("internvid-g")
    assert recipe.files is None and recipe.grounding
    assert (recipe.clips.step.name, recipe.clips.parameters["rule"]) == ("scenes", "last")
    assert recipe.clips.signal == recipe.grounding.signal == "signature"
    assert recipe.waits(recipe.captions["internvid_g"]) and not recipe.waits(recipe.captions["measured"])
    papers = load("internvid-g", ["shots.step='content'"])
    assert papers.shots.parameters == {"threshold": 27.0, "min_shot_s": 0.6}, "as its comment has it"


def test_a_model_makes_captioners_ready_and_is_kept_without_its_key() -> None:
    recipe = load("lvd2m", ["models.default.url='http://localhost:8000/v1'", "models.default.key_env='MY_KEY'"])
    assert not any(recipe.waits(use) for use in [*recipe.captions.values(), *recipe.judges.values()])
    assert resolve(recipe.as_dict()) == recipe
    assert resolve(tomllib.loads(recipe.to_toml())).models == recipe.models
    assert recipe.key == load("lvd2m").key, "a model changes nothing of what was measured"


def test_a_setting_reaches_its_step_and_makes_other_work() -> None:
    plain, changed = load("lvd2m"), load("lvd2m", ["clips.trim_s=0.5", "signals.content.hz=1"])
    assert changed.clips.parameters["trim_s"] == 0.5
    assert changed.signals["content"].parameters["hz"] == 1
    assert changed.key != plain.key
    assert changed.signals["motion"].key == plain.signals["motion"].key
    assert load("lvd2m", ["select.keep=['duration_s >= 5']"]).key == plain.key


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["clips.trim=1"], "did you mean 'trim_s'"),
        (["models.default.ur='x'"], r"\[models.default\] has no parameter 'ur'; did you mean 'url'"),
        (["models.default.concurrency='8'"], "concurrency = '8'"),
        (["models.default.concurrency=0"], "concurrency must be 1 or more"),
        (["models.default.url='localhost:80'"], "write http://HOST:PORT/v1"),
        (["models.default.timeout_s=0"], "timeout_s = 0.0 must be above 0"),
        (["models.default.price_in=-4"], "price_in = -4.0 must be 0 or more"),
        (["models=3", "models.default.url='x'"], "models was set to 3 before"),
        (["files=0"], r"\[files\] is a table of parameters, not 0"),
        (["captions.lvd2m.model='x'"], "no model 'x'"),
        (["captions.lvd2m.segment_s=0"], r"\[captions.lvd2m\] .*above 0"),
        (["captions.lvd2m.fames=3"], "did you mean 'frames'"),
        (["captions.lvdm.frames=3"], "did you mean 'lvd2m'"),
        (["judges.motion.step='lvd2m'"], "share the label 'motion'"),
        (["scores.width.step='motion'"], "the label 'width', and so has a column of clips"),
        (["judges.kept.step='lvd2m'"], "the label 'kept', and so has a column of clips"),
        (["judges.judge.model=['a']"], r"model = .* should be the name of a model"),
        (["select.kepe=['duration_s >= 1']"], r"\[select\] has no parameter 'kepe'; did you mean 'keep'"),
        (["select.keep=5"], "keep is a list of rules"),
        (["copies.best=' ,'"], r"best = ' ,' names no score"),
        (["not_run='judges'"], "not_run is a list of texts"),
        (["shots.step=5"], "a step in shots has a name, not 5"),
        (["scores.motion.signal=5"], r"\[scores.motion\]: signal = 5 should be the label of a signal"),
        (["scores.motion.signal=look"], "'motion' can't go by the signal 'look'; it reads 'motion'"),
        (["clips.trim_s=2020-01-01"], 'trim_s = "2020-01-01" should be of type float'),
        (["clip.trim_s=1"], "did you mean 'clips'"),
        (["shots.step=chnage"], "did you mean 'change'"),
        (["scores.moton.x=1"], "did you mean 'motion'"),
        (["signals.edges.hz=1"], "nothing reads the signal 'edges'"),
        (["select.keep=['motion.median_ >= 1']"], "did you mean 'motion.median'"),
        (["select.keep=['fast']"], "score comparison number"),
        (["files.crf='low'"], "should be of type int"),
        (["files.quality=3"], "no parameter 'quality'"),
        (["files.crf=200"], "crf = 200 should be at least 0 and at most 51"),
        (["files.preset=warp"], 'preset = "warp" should be "ultrafast" or'),
        (["clips.trim_s=-1"], "trim_s = -1 should be at least 0"),
        (["clips.trim_s=nan"], "trim_s = NaN should be at least 0"),
        (["signals.motion.pairs_hz=0"], "pairs_hz = 0 should be above 0 and at most 5"),
        (["signals.motion.pairs_hz=6"], "should be above 0 and at most 5"),
        (["shots.cut=2"], "cut = 2 should be above 0 and at most 1"),
        (["shots.step=content", "shots.threshold=0"], "threshold = 0 should be above 0"),
        (["shots.step=adaptive", "shots.window_width=0"], "window_width = 0 should be at least 1"),
        (["clips.trim_s"], "write NAME=VALUE"),
        (["scores.motion=3"], "one table a step"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_right(settings: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load("lvd2m", settings)


def test_a_recipe_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="did you mean 'lvd2m'"):
        load("lvd2")
    with pytest.raises(UsageError, match="no recipe file"):
        load("nowhere/mine.toml")


def test_broken_toml_says_where(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("name = 'x'\n[clips\n")
    with pytest.raises(UsageError, match="line 2"):
        load(str(path))
    path.write_bytes("name = 'Fünf'".encode("latin-1"))
    with pytest.raises(UsageError, match="can't be read"):
        load(str(path))


def test_another_step_by_a_setting_takes_no_parameter_of_the_one_before(tmp_path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(load("miradata").to_toml())  # as a set keeps it: with every parameter
    changed = load(str(path), ["shots.step=adaptive", "clips.step=takes", "clips.trim_s=0.3"])
    assert changed.shots == load("miradata", ["shots.step=adaptive"]).shots
    assert changed.clips.parameters == {"trim_s": 0.3}
    asked = load(str(path), ["captions.miradata.step=lvd2m", "voters.model_a.step=same_scene"])
    assert asked.captions["miradata"].model == "default" and asked.voters["model_a"].model == "model_a"
    assert load("internvid-g", ["grounding.step=internvid_g"]) == load("internvid-g")


def test_no_label_of_a_score_can_be_a_column_that_clips_have() -> None:
    assert set(TAKEN) == set(SCHEMAS["clips"].names)


def test_one_signal_twice_under_two_labels() -> None:
    recipe = resolve(
        {
            "shots": {"step": "content", "signal": "full"},
            "signals": {"full": {"step": "content"}, "content": {"hz": 0.5}},
            "scores": {"content": {}},
        }
    )
    assert recipe.shots.signal == "full"
    assert recipe.signals["full"].parameters["hz"] is None
    assert recipe.signals["full"].key != recipe.signals["content"].key


def test_facts_of_clips_can_be_asked_for_like_scores() -> None:
    recipe = resolve({"select": {"keep": [f"{fact} > 0" for fact in CLIP_FACTS]}})
    assert len(recipe.rules) == len(CLIP_FACTS)
    assert not set(score_keys(load("lvd2m"))) & set(CLIP_FACTS)
