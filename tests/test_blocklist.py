"""The list of videos that a set must not take in again: how a person may write it, and what a run says of it."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from longtake.cli import main
from longtake.planning import REMOVED, hash_of, removed_before
from longtake.running import run
from longtake.store import Store
from longtake.video import video_id
from longtake.watch import Plan

SETTINGS = ("files.preset='ultrafast'",)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (None, set()),
        ("", set()),
        ("# 0123456789\n\n \n", set()),
        ("0123456789\nabcdef0123\n", {"0123456789", "abcdef0123"}),
        ("my-film-0123456789\r\n  0123456789  ", {"0123456789"}),
    ],
)
def test_lines_are_hashes_or_ids(text: str | None, holds: set[str], tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / REMOVED).write_text(text)
    assert removed_before(tmp_path) == holds


def test_a_run_leaves_out_what_is_on_the_list_until_its_line_is_gone(media, tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for name in ("cut", "still", "empty"):
        shutil.copy(media[name], films)
    (tmp_path / "set").mkdir()
    listed = video_id(media["cut"])
    (tmp_path / "set" / REMOVED).write_text(f"{hash_of(listed)}\n")
    plans: list[Plan] = []

    def keep(news: object) -> None:
        plans.extend([news] if isinstance(news, Plan) else [])

    run("lvd2m", [films], tmp_path / "set", settings=SETTINGS, watch=keep)
    assert (plans[0].videos, plans[0].removed, plans[0].copies, plans[0].to_scan) == (2, 1, 0, 2)
    assert Store(tmp_path / "set").read("videos")["id"].to_pylist() == [video_id(media["still"])]
    said = CliRunner().invoke(main, ["run", "lvd2m", str(films), "--to", str(tmp_path / "set"), "-s", *SETTINGS]).output
    assert "1 removed for good" in said
    (tmp_path / "set" / REMOVED).write_text("")
    run("lvd2m", [films], tmp_path / "set", settings=SETTINGS, watch=keep)
    assert (plans[-1].removed, plans[-1].to_scan) == (0, 1)
    assert listed in Store(tmp_path / "set").read("videos")["id"].to_pylist()
