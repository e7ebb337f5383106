"""File names and texts of others are only text: on the console, in tables for spreadsheets, on pages, as paths."""

import csv
import io
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from longtake.cli import main
from longtake.exports.csv import FORMULA
from longtake.show.live import Live
from longtake.show.words import console, harmless
from longtake.store import Store
from longtake.watch import Progress

CODES = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b1A\x08\x7f\u202e"
"""Renames a terminal's window, clears it, colours it, moves up a line, and turns the text around."""
MARKUP = "[/bold] [red]not red[/] [link=file:x]y[/link] [@click=z]"
FILM = f"=cmd|' [red]{CODES}[/nothing]\n<img src=x onerror=alert(1)>.mp4"
OTHER = "-1+1[/].mp4"
TEXTS = (
    f'=HYPERLINK("http://a.example"){CODES}',
    f"{MARKUP} ../../../etc/passwd",
    "\n=1+1",
    "＝1+1 </script><script>alert(1)</script><!--",
)
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def call(*words: str) -> Result:
    """Run a command; nothing it says may have codes, and no error of ours or a library's may end it."""
    told = CliRunner().invoke(main, words)
    assert not CONTROLS.search(told.stdout + told.stderr), repr(told.output)
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    return told


@pytest.fixture(scope="module")
def films(media, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films") / "in[bold]"
    folder.mkdir()
    (folder / FILM.replace("/", "∕")).write_bytes(media["cut"].read_bytes())
    (folder / OTHER.replace("/", "∕")).write_bytes(media["cut"].read_bytes()[:3000])
    return folder


@pytest.fixture(scope="module")
def made(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "[red] =set"
    settings = ["-s", "select.keep=['duration_s >= 1']", "-s", "files.preset='ultrafast'", "--workers", "1"]
    told = call("run", "lvd2m", str(films), "--to", str(folder), *settings)
    assert "Kept 2 clips" in told.stdout, told.output
    store = Store(folder)
    rows = store.read("captions", where="kind = 'measured'").to_pylist()
    more = [
        {**row, "kind": "raw", "step": "lvd2m", "number": i, "text": text}
        for row in rows
        for i, text in enumerate(TEXTS)
    ]
    store.append("captions", more)
    return folder


def test_no_command_sends_codes_to_the_terminal(made: Path, films: Path, tmp_path: Path) -> None:
    film = next(path for path in films.iterdir() if path.name.startswith("="))
    assert "alert" in call("shots", str(film)).stdout
    broken = next(path for path in films.iterdir() if path.name.startswith("-"))
    call("shots", str(broken))
    call("shots", "--json", str(film))
    call("shots", f"{tmp_path}/no{CODES}such[/].mp4")
    call("select", str(made), "--keep", "duration_s >= 2")
    call("select", str(made), "--keep", f"dur{CODES}[/] >= 2")
    call("report", str(made))
    call("hash", str(made))
    call("hash", str(made), str(made))
    call("report", f"{made}{CODES}[/]")
    told = call("run", "lvd2m", str(film), "--to", f"{tmp_path}/{CODES}")
    assert told.exit_code == 1 and "can't have control characters" in told.stderr
    call("doctor", str(made))
    call("caption", str(made), "--dry-run")
    call("export", str(made), "csv", "--to", str(tmp_path / "out[red]"))
    call("export", str(made), f"c{CODES}[/]", "--to", str(tmp_path / "other"))
    call("remove", str(made), f"no{CODES}[/]such")


def test_a_name_that_is_no_text_is_a_failure_that_can_be_printed(films: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    try:
        (tmp_path / "in" / "a\udcff\x1b.mp4").touch()
    except (OSError, UnicodeError):
        pytest.skip("this disk takes no such name")
    told = call("run", "lvd2m", str(tmp_path / "in"), "--to", str(tmp_path / "set"), "--workers", "1")
    assert told.exit_code == 1 and "unreadable" in told.stdout + told.stderr
    failure = Store(tmp_path / "set").read("failures").to_pylist()[0]
    assert failure["item"].endswith("/a\\xff\x1b.mp4") and "no text in UTF-8" in failure["message"]
    page = (tmp_path / "set" / "report.html").read_text(encoding="utf-8")
    assert "a\\\\xff" in page and "\x1b" not in page
    told = call("shots", str(tmp_path / "in" / "a\udcff\x1b.mp4"))
    assert told.exit_code == 1 and "no text in UTF-8" in told.stdout + told.stderr


def test_clips_and_pictures_lie_inside_the_set_under_plain_names(made: Path) -> None:
    rows = Store(made).read("clips", ["id", "video_id", "file"]).to_pylist()
    for row in rows:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*_\d+_\d+", row["id"])
        assert re.fullmatch(r"clips/[a-z0-9][a-z0-9-]*/[a-z0-9_-]+\.mp4", row["file"])
        assert (made / row["file"]).resolve().is_relative_to(made.resolve())


def test_no_cell_of_a_csv_file_is_a_formula(made: Path, tmp_path: Path) -> None:
    columns = "columns='id,source,video_id,short=caption:lvd2m.raw,start_s,file'"
    assert call("export", str(made), "csv", "--to", str(tmp_path / "out"), "-s", columns).exit_code == 0
    text = (tmp_path / "out" / "train.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 3 and any("HYPERLINK" in cell for row in rows for cell in row)
    assert [cell for row in rows for cell in row if cell.startswith(FORMULA)] == []


@given(st.text(st.sampled_from("=+-@\t\r\n＝＋－＠'\" ,;a1"), max_size=6))
def test_any_text_is_guarded_in_a_csv_cell_and_can_be_had_back(text: str) -> None:
    from longtake.exports.csv import _guarded

    cell = str(_guarded(text))
    assert not cell.startswith(FORMULA)
    assert cell.removeprefix("'") == text or cell == text


def test_the_report_has_hostile_texts_as_data_only(made: Path) -> None:
    call("report", str(made))
    page = (made / "report.html").read_text(encoding="utf-8")
    assert page.lower().count("<script") == 2 and "<img src=x" not in page and "<!--" not in page.partition("data")[2]
    assert "\x1b" not in page


@given(st.text(st.sampled_from(f"{CODES}{MARKUP}\ud800\udcff\x00\r\n\tab\\"), max_size=30))
def test_nothing_that_is_printed_moves_the_terminal(text: str) -> None:
    for terminal in (False, True):
        out = console()
        out.file, out._force_terminal, out._color_system = io.StringIO(), terminal, None
        table = Table("name")
        table.add_row(Text(text))
        for what in (Text(text), escape(text), table):
            out.print(what)
        out.print(text, markup=False)
        said = out.file.getvalue()
        assert not CONTROLS.search(said)


@given(st.text())
def test_harmless_text_is_left_alone_and_all_can_be_written(text: str) -> None:
    said = harmless(text)
    assert not CONTROLS.search(said)
    said.encode()
    assert harmless(said) == said
    if not CONTROLS.search(text):
        assert said == text


def test_words_of_progress_are_no_markup(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal, raising=False)
        with Live() as live:
            live(Progress("merge", 1, 2, 0, 0.0, 0.0, 1.0, f"{MARKUP}\x07"))
        assert "[red]not red[/]" in capsys.readouterr().err
