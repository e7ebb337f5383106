"""The footage that the transition network learns from and is judged by: which clips, and that they are cut exactly."""

import csv
import json
import shutil
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from media import pan, write_video

TRAINING = Path(__file__).parents[2] / "training"


@pytest.fixture(scope="module", autouse=True)
def modules():
    """Scripts import each other by name."""
    folders = [str(TRAINING), str(TRAINING.parent / "benchmarks")]
    sys.path[:0] = folders
    yield
    for folder in folders:
        sys.path.remove(folder)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "film.mp4"
    write_video(path, pan(40, seed=1, speed=0.4, fps=25), fps=25)
    return path


def clips():
    with (TRAINING / "clips.csv").open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table))


def films():
    return json.loads((TRAINING / "films.json").read_text())


def test_nothing_that_is_judged_was_learned_from():
    learned = {(one["package"], one["file"]) for one in clips() if one["use"] == "train"}
    judged = {(one["package"], one["file"]) for one in [*films(), *(one for one in clips() if one["use"] == "held")]}
    assert len(learned) > 50 and len(judged) > 15 and not learned & judged


def test_known_films_have_their_transitions_in_order():
    for film in films():
        spans = [(first, last) for _, first, last in film["transitions"]]
        assert spans == sorted(spans) and all(first <= last for first, last in spans), film["name"]
        assert all(first == last for kind, first, last in film["transitions"] if kind == "cut"), film["name"]


def test_a_clip_has_the_frames_that_were_asked_for(source, tmp_path):
    from cameras import read_single
    from gather import keep_clip

    clip = {"use": "train", "package": "@some/package", "file": "package/film.mp4", "first": "10", "stop": "25"}
    keep_clip(clip, source, tmp_path)
    [path] = (tmp_path / "train").iterdir()
    whole, part = read_single(source), read_single(path)
    assert (len(part.frames), part.fps) == (15, 25)
    apart = np.abs(whole.frames[10:25].astype(int) - part.frames).mean(axis=(1, 2, 3))
    beside = np.abs(whole.frames[11:26].astype(int) - part.frames).mean(axis=(1, 2, 3))
    assert (apart < 0.3 * beside).all(), (apart, beside)


def test_a_film_is_laid_out_as_the_benchmark_reads_it(source, tmp_path):
    from gather import keep_film
    from truth import Span, read

    spans = [["cut", 12, 12], ["fade_black", 20, 30]]
    film = {"name": "one", "transitions": spans, "ignore": [[35, 99999]], "long_takes": [[0, 11]]}
    keep_film(film, source, tmp_path)
    [known] = read(tmp_path / "films")
    assert (known.name, known.frames, known.fps, known.ignore, known.long_takes) == (
        "one",
        40,
        25,
        ((35, 39),),
        ((0, 11),),
    )
    assert known.transitions == (Span("cut", 12, 12), Span("fade_black", 20, 30))
    assert known.path.read_bytes() == source.read_bytes()


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm fetches the packages")
def test_a_package_is_unpacked(source, tmp_path):
    from gather import unpack

    package = tmp_path / "some"
    package.mkdir()
    (package / "package.json").write_text(json.dumps({"name": "some", "version": "1.0.0"}))
    shutil.copy(source, package / "film.mp4")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = unpack(str(package), {"package/film.mp4"}, scratch)
    assert found["package/film.mp4"].read_bytes() == source.read_bytes()
    with av.open(str(found["package/film.mp4"])) as container:
        assert container.streams.video[0].frames == 40
