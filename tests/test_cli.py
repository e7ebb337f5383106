"""The command line: quick, plain, and with exit statuses that scripts can use."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from longtake import __version__
from longtake.cli import main
from longtake.store import Store

COMMANDS = sorted(main.commands)
FAST = ("-s", "files.preset=ultrafast")


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def made(media, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "set"
    status, said = call(
        "run", "lvd2m", media["long_takes"], media["cut"], "--to", folder, "-s", "files.preset=ultrafast"
    )
    assert status == 0, said
    return folder


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from longtake.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('numpy', 'av', 'cv2', 'pyarrow', 'lance', 'rich') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_in_a_line(command: str) -> None:
    status, said = call(command, "--help")
    assert status == 0 and said.startswith("Usage: main " + command)
    listed = next(line for line in call("--help")[1].splitlines() if line.split()[:1] == [command])
    assert not listed.endswith("...")


def test_version() -> None:
    assert call("--version") == (0, f"longtake, version {__version__}\n")


def test_run_plans_then_tells_and_points_on(media, tmp_path: Path) -> None:
    status, said = call("run", "lvd2m", media["long_takes"], "--to", tmp_path / "set", *FAST)
    assert status == 0
    for words in (
        "1 to scan, about 31.0 s of video",
        "not run  captions",
        "clips found",
        "duration_s >= 10",
        "report.html",
    ):
        assert words in said
    assert said.index("not run") < said.index("Scanning") < said.index("clips found")
    status, said = call("run", "lvd2m", media["long_takes"], "--to", tmp_path / "set", *FAST)
    assert status == 0 and "1 already in the set" in said and "Scanning" not in said


def test_run_ends_with_3_where_some_failed_and_1_where_all_did(media, tmp_path: Path) -> None:
    status, said = call("run", "lvd2m", media["cut"], media["empty"], "--to", tmp_path / "some", *FAST)
    assert status == 3 and "1 failure: 1 empty" in said
    status, said = call("run", "lvd2m", media["text"], media["empty"], "--to", tmp_path / "none", *FAST)
    assert status == 1 and "2 failures: 1 empty, 1 not_a_video" in said


def test_a_mistake_is_one_line_and_1(media, tmp_path: Path) -> None:
    for arguments in (
        ["run", "lvd2", media["cut"], "--to", tmp_path / "set"],
        ["run", "lvd2m", tmp_path / "gone", "--to", tmp_path / "set"],
        ["run", "lvd2m", media["cut"], "--to", tmp_path / "set", "-s", "clips.trim=1"],
        ["select", tmp_path],
        ["report", tmp_path],
        ["steps", "moton"],
        ["recipes", "lvd2"],
        ["shots", media["cut"], "--detector", "chnage"],
        ["shots", media["cut"], "-s", "treshold=1"],
    ):
        status, said = call(*arguments)
        assert status == 1, said
        assert said.startswith("longtake: ") and said.count("\n") == 1
    assert not (tmp_path / "set" / "videos.lance").exists()


def test_bad_options_are_clicks_own_business() -> None:
    assert call("run", "lvd2m")[0] == 2
    assert call("rnu")[0] == 2


def test_shots_as_json_has_the_published_form(media) -> None:
    status, said = call("shots", "--json", media["cut"], media["dissolve"])
    assert status == 0
    cut, dissolve = json.loads(said)
    assert set(cut) >= {"video", "duration_s", "fps", "transitions", "shots"}
    (transition,) = cut["transitions"]
    assert set(transition) == {"kind", "start_s", "end_s", "start_frame", "end_frame", "confidence"}
    assert transition["kind"] == "cut" and transition["start_frame"] == transition["end_frame"] == 48
    assert [set(shot) for shot in cut["shots"]] == [{"start_s", "end_s", "start_frame", "end_frame"}] * 2
    assert Path(cut["video"]).name == "cut.mp4" and Path(dissolve["video"]).name == "dissolve.mp4"
    assert [t["kind"] for t in dissolve["transitions"]] == ["dissolve"]


def test_shots_for_people_and_broken_files_among_them(media) -> None:
    status, said = call("shots", media["cut"], media["text"])
    assert status == 3
    assert "2 shots" in said and "frame 48" in said and "text.mp4 failed" in said
    assert call("shots", media["text"])[0] == 1


def test_shots_by_another_detector_with_a_parameter(media) -> None:
    status, said = call("shots", "--json", "--detector", "content", "-s", "threshold=200", media["cut"])
    assert status == 0 and json.loads(said)[0]["transitions"] == []


def test_ctrl_c_ends_at_once_and_keeps_what_is_done(media, tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for number in range(30):
        (films / f"{number:02}.mp4").write_bytes(media["long_takes"].read_bytes() + bytes(number))
    command = [sys.executable, "-c", "from longtake.cli import main; main()", "run", "lvd2m", films]
    process = subprocess.Popen(
        [*command, "--to", tmp_path / "set", "--workers", "2"], stderr=subprocess.PIPE, text=True
    )
    videos = tmp_path / "set" / "videos.lance"
    for _ in range(600):
        if list(videos.glob("_versions/*.manifest")):  # the first commit is whole
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    said = process.communicate(timeout=20)[1]
    assert time.monotonic() - began < 10
    assert process.returncode == 130, said
    assert "the same command goes on" in said and "Traceback" not in said
    assert 0 < Store(tmp_path / "set").read("videos").num_rows < 30


def test_select_prints_the_funnel(made: Path) -> None:
    status, said = call("select", made, "--keep", "duration_s >= 3")
    assert status == 0 and "duration_s >= 3" in said and "Nothing was changed" in said


def test_select_saves(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "set")
    status, said = call("select", folder, "--keep", "duration_s >= 3", "--save")
    assert status == 0 and "without a file" in said
    assert "duration_s >= 3" in (Path(folder) / "recipe.toml").read_text()


def test_report_is_written_again(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "set"))
    (folder / "report.html").unlink()
    status, said = call("report", folder)
    assert status == 0 and said.strip() == str(folder / "report.html")
    assert (folder / "report.html").stat().st_size > 10_000


def test_catalogues() -> None:
    assert "lvd2m" in call("recipes")[1]
    assert call("recipes", "lvd2m")[1].startswith('name = "lvd2m"')
    status, said = call("steps")
    assert status == 0 and all(kind in said for kind in ("signals", "shots", "clips", "scores"))
    assert "picture heights per second" in call("steps", "motion")[1]


def test_doctor_finds_this_machine_fit() -> None:
    status, said = call("doctor")
    assert status == 0 and __version__ in said and "h264" in said
