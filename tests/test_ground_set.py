"""Captions of a set become spans: from real scans, by a real vision-text model, again with other numbers."""

import importlib.util
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from media import FPS, Picture, pan, write_video

from longtake import corpus, spanning
from longtake.cli import main
from longtake.engines.local import LocalEngine
from longtake.errors import SetError, UsageError
from longtake.exporting import export_set
from longtake.ground_set import GroundedSet, ground_set
from longtake.running import run
from longtake.store import Store

CLIP = str(Path(__file__).parent / "data" / "tiny-clip")
HERE = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
needs_transformers = pytest.mark.skipif(not HERE, reason="needs torch and transformers: requirements/local.txt")

TONES = {"red": (215, 40, 35), "blue": (45, 60, 225), "green": (35, 170, 60), "black": (10, 10, 10)}
SCENES = ("red", "blue", "green", "red", "black")
"""Of three seconds each: red comes twice."""
SCENE_S = 3
SEEING = f"""
name = "seeing"
[shots]
step = "content"
[clips]
step = "scenes"
signal = "embedding"
[signals.embedding]
model = "{CLIP}"
[grounding]
signal = "embedding"
similar_above = 0.9
quantile = 0.0
"""
BLIND = """
name = "blind"
[shots]
step = "content"
[clips]
step = "scenes"
[grounding]
"""


def film(colours: Sequence[str]) -> Iterator[Picture]:
    """A scene of each colour, with a bar that moves."""
    for colour in colours:
        for i in range(SCENE_S * FPS):
            picture = np.full((180, 320, 3), TONES[colour], np.uint8)
            picture[:, 2 * i : 2 * i + 8] = 128
            yield picture


def places(seeds: Sequence[int]) -> Iterator[Picture]:
    """A slow pan over each of some places, full of detail."""
    for seed in seeds:
        yield from pan(SCENE_S * FPS, seed=seed, speed=0.05)


def tell(made: Path, texts: Sequence[str]) -> None:
    """Give the clips of a set, in order of time, a caption each."""
    clips = sorted(Store(made).read("clips").to_pylist(), key=lambda clip: (clip["video_id"], clip["start_s"]))
    assert len(clips) == len(texts)
    rows = [
        {
            **{"clip_id": clip["id"], "video_id": clip["video_id"], "step": "told", "kind": "short", "number": 0},
            **{"start_s": 0.0, "end_s": clip["end_s"] - clip["start_s"], "text": text, "problems": [], "frames_s": []},
        }
        for clip, text in zip(clips, texts, strict=True)
    ]
    Store(made).append("captions", rows)


def make(folder: Path, recipe: str, pictures: Iterator[Picture]) -> Path:
    """Return a set of a film of five scenes, whose captions name colours."""
    write_video(folder / "film.mp4", pictures)
    (folder / "recipe.toml").write_text(recipe)
    run(str(folder / "recipe.toml"), [folder / "film.mp4"], folder / "set", workers=1)
    tell(folder / "set", [f"A {colour} picture moves." for colour in SCENES])
    return folder / "set"


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("seeing"), SEEING, film(SCENES))


@pytest.fixture(scope="module")
def seen(seeing: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GroundedSet]:
    """That set with its spans, and what was said as they were made."""
    made = copy(seeing, tmp_path_factory.mktemp("seen"))
    return made, ground_set(made)


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("blind"), BLIND, places((1, 2, 3, 1, 4)))


def copy(made: Path, to: Path) -> Path:
    return Path(shutil.copytree(made, to / "set"))


def spans(made: Path) -> list[dict]:
    return sorted(Store(made).read("spans").to_pylist(), key=lambda span: span["caption_start_s"])


@needs_transformers
def test_a_negative_span_ends_where_the_same_is_seen_again(seen: tuple[Path, GroundedSet]) -> None:
    made, done = seen
    assert (done.spanned.spans, done.spanned.embedded, done.spanned.scored) == (5, 4, True)
    first, blue, _, again, black = spans(made)
    assert (first["start_s"], first["end_s"]) == (0, pytest.approx(SCENE_S, abs=0.05))
    assert (first["neg_start_s"], first["neg_end_s"]) == (0, pytest.approx(3 * SCENE_S, abs=0.05))
    assert (first["left"], first["right"], first["neg_end_scene"]) == ("video", "similar", 3)
    assert [similar["start_s"] for similar in first["similar"]] == [pytest.approx(3 * SCENE_S, abs=0.05)]
    assert (again["neg_start_s"], again["neg_end_s"]) == pytest.approx((SCENE_S, 5 * SCENE_S), abs=0.05)
    for span in (blue, black):
        assert (span["neg_start_s"], span["neg_end_s"]) == (0, pytest.approx(5 * SCENE_S, abs=0.05))
        assert span["score"] > span["rival"]


@needs_transformers
def test_nothing_is_done_twice_and_other_numbers_need_no_model(
    seen: tuple[Path, GroundedSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = copy(seen[0], tmp_path)
    before = spans(made)
    monkeypatch.setattr(LocalEngine, "run_items", lambda *_, **__: pytest.fail("a worker was started"))
    again = ground_set(made)
    assert again.spanned.was_there and again.spanned.embedded == 0
    assert spans(made) == before
    other = ground_set(made, settings=["least_s=100"])
    assert (other.spanned.spans, other.spanned.rejected) == (0, {"positive too short": 5})
    assert "least_s = 100" in (made / "recipe.toml").read_text()
    assert ground_set(made, settings=["least_s=0.5"]).spanned.spans == 5
    assert spans(made) == before


@needs_transformers
def test_a_new_caption_alone_is_embedded_and_the_rest_follows_it(
    seen: tuple[Path, GroundedSet], tmp_path: Path
) -> None:
    made = copy(seen[0], tmp_path)
    store = Store(made)
    blue = store.read("captions", where="text LIKE '%blue%'").to_pylist()
    store.delete("captions", "clip_id", [blue[0]["clip_id"]])
    store.append("captions", [{**blue[0], "text": "A red picture moves."}])
    assert ground_set(made).spanned.embedded == 0, "that text is known"
    assert spans(made)[0]["neg_end_s"] == pytest.approx(SCENE_S, abs=0.05), "the next scene's caption says the same"
    store.append("captions", [{**blue[0], "kind": "dense", "text": "A blue picture moves slowly."}])
    assert ground_set(made).spanned.embedded == 1


@needs_transformers
def test_captions_find_their_positives_better_than_chance(seen: tuple[Path, GroundedSet], tmp_path: Path) -> None:
    made = copy(seen[0], tmp_path)
    found = ground_set(made, evaluated=True).evaluation
    assert found is not None
    assert (found.spans, found.retrieved.recall_05) == (5, 1.0)
    assert found.random.recall_05 < 0.5
    shown = CliRunner().invoke(main, ["ground", str(made), "--evaluate"])
    assert shown.exit_code == 0, shown.output
    assert "5 spans of 5 captions." in shown.output
    assert "by caption" in shown.output and "1.000" in shown.output


def test_without_a_place_for_texts_pictures_alone_bound_the_spans(blind: Path, tmp_path: Path) -> None:
    made = copy(blind, tmp_path)
    done = ground_set(made)
    assert (done.spanned.scored, done.spanned.embedded) == (False, 0)
    assert done.spanned.spans >= 4
    first, *_ = spans(made)
    assert (first["neg_start_s"], first["neg_end_s"]) == (0, pytest.approx(3 * SCENE_S, abs=0.05))
    assert first["score"] is None
    shown = CliRunner().invoke(main, ["ground", str(made), "--evaluate"])
    assert "captions were not weighed against pictures" in shown.output
    assert "Nothing to evaluate" in shown.output


def test_a_run_grounds_what_it_captioned_and_goes_on(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", film(SCENES))
    first = run("internvid-g", [tmp_path / "film.mp4"], tmp_path / "set", workers=1)
    assert first.spanned is not None
    before = spans(tmp_path / "set")
    assert first.spanned.spans + sum(first.spanned.rejected.values()) == len(before) >= first.kept > 2
    write_video(tmp_path / "other.mp4", film(("blue", "green")))
    more = run("internvid-g", [tmp_path / "film.mp4", tmp_path / "other.mp4"], tmp_path / "set", workers=1)
    assert more.spanned is not None and more.spanned.videos == 2
    assert [span for span in spans(tmp_path / "set") if span["video_id"] == before[0]["video_id"]] == before
    again = run("internvid-g", [tmp_path / "film.mp4", tmp_path / "other.mp4"], tmp_path / "set", workers=1)
    assert again.spanned is not None and again.spanned.was_there


def test_what_is_missing_is_said_with_the_command_for_it(blind: Path, tmp_path: Path) -> None:
    made = copy(blind, tmp_path)
    with pytest.raises(UsageError, match=r"without the signal look.*-s grounding\.signal=look"):
        ground_set(made, settings=["signal=look"])
    with pytest.raises(UsageError, match="did you mean 'similar_above'"):
        ground_set(made, settings=["similar_abov=0.5"])
    store = Store(made)
    store.delete("captions", "kind", ["short"])
    with pytest.raises(UsageError, match=r"has a caption, of which.*longtake caption"):
        ground_set(made)


def test_a_model_that_is_not_there_ends_the_run_before_a_video_is_opened(tmp_path: Path) -> None:
    if not HERE:
        pytest.skip("needs torch and transformers: requirements/local.txt")
    write_video(tmp_path / "film.mp4", film(("red",)))
    (tmp_path / "recipe.toml").write_text(SEEING.replace(CLIP, str(tmp_path / "nothing")))
    with pytest.raises(UsageError, match=r"signal embedding: .*nothing"):
        run(str(tmp_path / "recipe.toml"), [tmp_path / "film.mp4"], tmp_path / "set", workers=1)
    assert not Store(tmp_path / "set").read("failures").num_rows


@needs_transformers
def test_a_text_that_two_videos_share_is_embedded_once_and_known_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for name, colours in (("a", ("red", "blue")), ("b", ("blue", "red")), ("c", ("green", "red"))):
        write_video(films / f"{name}.mp4", film(colours))
    (tmp_path / "recipe.toml").write_text(SEEING)
    run(str(tmp_path / "recipe.toml"), [tmp_path / "films"], tmp_path / "set", workers=1)
    tell(tmp_path / "set", ["A red picture.", "A blue picture."] * 2 + ["A green picture.", "A red picture."])
    assert ground_set(tmp_path / "set").spanned.embedded == 3
    assert all(span["score"] is not None for span in spans(tmp_path / "set"))
    together = spans(tmp_path / "set")
    monkeypatch.setattr(corpus, "VIDEOS_AT_ONCE", 1)
    ground_set(tmp_path / "set", settings=["least_s=0.4"])
    assert spans(tmp_path / "set") == together, "however many are read at once"


def test_spans_of_other_clips_do_not_go_out(blind: Path, tmp_path: Path) -> None:
    made = copy(blind, tmp_path)
    ground_set(made)
    export_set(made, "charades_sta", tmp_path / "before")
    first = spans(made)[0]["clip_id"]
    Store(made).update(
        "clips", "id", [{"id": first, "kept": False}], pa.schema([("id", pa.string()), ("kept", pa.bool_())])
    )
    with pytest.raises(SetError, match="longtake ground"):
        export_set(made, "charades_sta", tmp_path / "after")
    ground_set(made)
    export_set(made, "charades_sta", tmp_path / "after")
    assert first not in {span["clip_id"] for span in spans(made)}


def test_tidied_tables_make_no_span_stale(blind: Path, tmp_path: Path) -> None:
    made = copy(blind, tmp_path)
    ground_set(made)
    store = Store(made)
    versions = store.version("captions")
    store.delete("captions", "step", ["nobody"], also="false")
    store.purge()
    assert store.version("captions") != versions
    assert spanning.are_fresh(store) and ground_set(made).spanned.was_there


def test_a_recipe_without_grounding_leaves_no_spans(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", film(SCENES))
    run("internvid-g", [tmp_path / "film.mp4"], tmp_path / "set", workers=1)
    assert spans(tmp_path / "set")
    run(
        "internvid-g",
        [tmp_path / "film.mp4"],
        tmp_path / "set",
        workers=1,
    )
    run("lvd2m", [tmp_path / "film.mp4"], tmp_path / "set", settings=["select.keep=[]"], workers=1)
    assert not spans(tmp_path / "set")


def test_wrong_numbers_are_said_at_once_and_not_kept(blind: Path, tmp_path: Path) -> None:
    made = copy(blind, tmp_path)
    before = (made / "recipe.toml").read_text()
    for wrong in ("quantile=7", "similar_above=3", "most_s=nan", "margin=nan", "pool=sum", "strict=maybe"):
        with pytest.raises(UsageError, match=wrong.partition("=")[0]):
            ground_set(made, settings=[wrong])
    with pytest.raises(UsageError, match="no kept clip has a caption of kind 'shrot'; did you mean"):
        ground_set(made, caption="shrot")
    assert (made / "recipe.toml").read_text() == before
    ground_set(made, settings=["strict=False"])


def test_clips_that_overlap_end_it_in_plain_words(blind: Path, tmp_path: Path) -> None:
    made = copy(blind, tmp_path)
    store = Store(made)
    clip = store.read("clips").slice(0, 1)
    more = clip.set_column(clip.schema.get_field_index("id"), "id", pa.array(["other"]))
    store.append("clips", more.to_pylist(), clip.schema)
    with pytest.raises(SetError, match="clips overlap"):
        ground_set(made)


def test_the_signal_can_be_changed_and_changed_back(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", film(SCENES))
    run("internvid-g", [tmp_path / "film.mp4"], tmp_path / "set", workers=1)
    recipe = str(tmp_path / "set" / "recipe.toml")
    run(recipe, [tmp_path / "film.mp4"], tmp_path / "set", settings=["grounding.signal=colour"], workers=1)
    assert ground_set(tmp_path / "set", settings=["signal=signature"]).signal == "signature"
