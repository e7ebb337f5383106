"""What the dataset card says, and that readers of cards understand its head."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from exported import small_set
from hypothesis import given
from hypothesis import strategies as st
from madeup import ABOUT, row

from longtake.exporting import export_set
from longtake.exports import Placed
from longtake.exports._card import TO_FILL_IN, Tally, card, quantiles
from longtake.exports._plots import histogram
from longtake.store import Store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("card"))


def tally_of(folder: Path, clips: int) -> Tally:
    film = folder / "film.mp4"
    film.write_bytes(b"film")
    tally = Tally()
    for number in range(clips):
        one = row(film, number, split="val" if number < 10 else "train", text="one two three" if number % 2 else "")
        tally.add(one, Placed(film, 1_000_000, 32, 16, 24.0, 48, float(number)), one.text())
    return tally


def cells(text: str, first: str) -> list[str]:
    """Return the cells of the table row whose first cell is this."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    (found,) = [cells[1:] for cells in rows if cells[0] == first]
    return found


def code(text: str, fence: str) -> Iterator[str]:
    parts = text.split(f"\n{fence}")
    yield from (part.partition("\n")[2] for part in parts[1::2])


def test_statistics(tmp_path: Path) -> None:
    text = card(tally_of(tmp_path, 101), ABOUT, {"train": "train/**", "val": "val/**"}, "The layout.")
    assert "101 video clips, 1.4 hours, from 11 source videos. Made with longtake 9.9." in text
    assert cells(text, "train") == ["91"] and cells(text, "val") == ["10"]
    assert cells(text, "clip, seconds") == ["5.0", "25.0", "50.0", "75.0", "95.0", "50.0"]
    assert cells(text, "caption, words") == ["3"] * 6
    assert "50 of 101 clips have a caption; 101.0 MB of video." in text
    assert "11 `mkv`" in text
    assert cells(text, "all clips found") == ["1,200", "2.00"]
    assert cells(text, "`duration_s >= 10`") == ["40", "0.25"]


def test_the_recipe_is_whole_whatever_is_in_it(tmp_path: Path) -> None:
    text = card(tally_of(tmp_path, 1), ABOUT, {"val": "val/**"}, "The layout.")
    (recipe,) = code(text, "````")
    assert recipe == ABOUT.recipe_toml.rstrip("\n")


def test_licence_and_contact_are_left_open(tmp_path: Path) -> None:
    text = card(tally_of(tmp_path, 1), ABOUT, {"val": "val/**"}, "The layout.")
    lines = [line for line in text.splitlines() if TO_FILL_IN in line]
    assert len(lines) == 3
    assert lines[0].startswith("# license:")  # a comment of the head, or the hub refuses the card


def test_the_head_is_yaml_that_the_hub_knows(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: requirements/local.txt")
    types = {"txt": "string", "json": {"spans": [{"start_s": "float64"}]}}
    name = type(ABOUT)('a "set": #1', ABOUT.recipe_toml, ABOUT.funnel, ABOUT.made_with)
    text = card(tally_of(tmp_path, 11), name, {"train": "train-*.tar", "val": "val-*.tar"}, "The layout.", types)
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["pretty_name"] == 'a "set": #1'
    assert head["size_categories"] == ["n<1K"]
    assert head["configs"][0]["data_files"] == [
        {"split": "train", "path": "train-*.tar"},
        {"split": "val", "path": "val-*.tar"},
    ]
    assert head["dataset_info"]["features"] == [
        {"name": "txt", "dtype": "string"},
        {"name": "json", "struct": [{"name": "spans", "list": [{"name": "start_s", "dtype": "float64"}]}]},
    ]


@pytest.mark.parametrize("name", ["videofolder", "webdataset", "lance"])
def test_a_real_sets_card(made: Path, tmp_path: Path, name: str) -> None:
    export_set(made, name, tmp_path / "out", where=["duration_s >= 2"])
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    clips = Store(made).read("clips")
    long = sum(seconds >= 2 for seconds in clips["duration_s"].to_pylist())
    assert 0 < long < clips.num_rows
    assert cells(text, "all clips found")[0] == cells(text, "`duration_s >= 1`")[0] == str(clips.num_rows)
    assert cells(text, "`duration_s >= 2`")[0] == cells(text, "train")[0] == str(long)
    recipe = text.split("```toml\n")[1].split("\n```\n")[0]
    told, whole = tomllib.loads(recipe), tomllib.loads((made / "recipe.toml").read_text())
    assert "url" in whole["models"]["default"] and "url" not in told["models"]["default"]
    del whole["models"]["default"]["url"]
    assert told == whole
    assert str(tmp_path) not in text


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_quantiles_are_values_in_order(values: list[float]) -> None:
    found = quantiles(values)
    assert found == sorted(found) and set(found) <= set(values)
    for share, quantile in zip((0.05, 0.25, 0.5, 0.75, 0.95), found, strict=True):
        assert sum(value < quantile for value in values) <= share * len(values)
        assert sum(value <= quantile for value in values) >= share * len(values)


def test_what_the_card_shows_is_there(made: Path, tmp_path: Path) -> None:
    export_set(made, "videofolder", tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert shown == ["plots/durations.svg", "plots/captions.svg"]
    for path in shown:
        root = ElementTree.fromstring((tmp_path / "out" / path).read_text(encoding="utf-8"))
        heights = [float(bar.attrib["height"]) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
        assert len(heights) == 32 and max(heights) == 152 and min(heights) == 0


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_every_value_is_in_one_bar(values: list[float]) -> None:
    root = ElementTree.fromstring(histogram(values, "Some", "s"))
    bars = [bar.find("{http://www.w3.org/2000/svg}title").text for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert sum(int(words.rpartition(": ")[2].replace(",", "")) for words in bars) == len(values)
