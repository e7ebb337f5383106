"""The command line: quick, plain, and with exit statuses that scripts can use."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from faultserver import FaultServer

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
        "captions lvd2m, measured",
        "not run  judge and captions lvd2m: no model; give one with --url",
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
    done = CliRunner().invoke(main, ["shots", str(media["cut"]), str(media["text"])])
    assert done.exit_code == 3
    head, first, cut, second = done.stdout.splitlines()
    assert head == f"{media['cut']}  4.0 s, 2 shots, 1 transition"
    assert first.split() == ["shot", "0.000", "s", "to", "2.000", "s", "frames", "0", "to", "47"]
    assert cut.split()[:5] == ["cut", "2.000", "s", "frame", "48"]
    assert second.split() == ["shot", "2.000", "s", "to", "4.000", "s", "frames", "48", "to", "95"]
    assert done.stderr.startswith(f"{media['text']} failed: ") and done.stderr.count(str(media["text"])) == 1
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
    while process.poll() is None and not list(videos.glob("_versions/*.manifest")):  # till the first commit is whole
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 130, said
    assert "the same command goes on" in said and "Traceback" not in said
    assert 0 < Store(tmp_path / "set").read("videos").num_rows < 30


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["shots", "a.mp4"], "Stopped."),
        (["export", "a-set", "csv", "--to", "out"], "Stopped. The same command goes on."),
        (["caption", "a-set"], "Stopped. What was finished is in the set; the same command goes on."),
    ],
    ids=lambda one: one[0] if isinstance(one, list) else "",
)
def test_ctrl_c_says_what_that_command_leaves(monkeypatch: pytest.MonkeyPatch, words: list[str], left: str) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main.commands[words[0]], "callback", stopped)
    status, said = call(*words)
    assert status == 130 and said.strip() == left


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


@pytest.mark.parametrize("name", ["nosuch", "README.md"])
def test_doctor_says_which_folder_is_not_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[1])
    assert call("doctor", name) == (
        1,
        f"longtake: {name}: no such folder; name one on the disk that a set is to be on\n",
    )


def test_names_that_the_terminals_encoding_lacks_are_written_all_the_same(media, tmp_path: Path) -> None:
    shutil.copy(media["still"], tmp_path / "fïlm 映画.mp4")
    command = [sys.executable, "-c", "from longtake.cli import main; main()", "shots", str(tmp_path)]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"f\xeflm \u6620\u753b.mp4" in done.stdout


def test_ctrl_c_while_modules_load_says_nothing() -> None:
    """A module that loads early stands for a moment in which the user presses the keys."""
    code = (
        "import os, signal, sys, types\n"
        "class Press:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'longtake.cli.making': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Press())\n"
        "import longtake.cli\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_ones_own_step_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_shown.py").write_text("SIGNAL = 'motion'\ndef calm(series, *, below=0.1):\n    'Share of calm.'\n")
    status, said = call("steps", "own_shown:calm")
    assert status == 0
    assert [line.strip() for line in said.splitlines()] == [
        "own",
        "own_shown:calm Share of calm.",
        "below = 0.1",
        "reads the signal motion",
    ]


def test_doctor_finds_this_machine_fit() -> None:
    status, said = call("doctor")
    assert status == 0 and __version__ in said and "h264" in said


def told(body: dict) -> str:
    """Answer as a model would, so that every clip's story is another one."""
    words = str(body["messages"])
    name = hash(words) % 1000
    story = (
        f"Tile number {name} of a wide patterned surface fills the view of the camera from the start to the end. "
        "The pattern slides past at an even speed while the camera keeps its distance. Brighter spots follow darker "
        "ones and leave the view on the opposite side, one after the other."
    )
    if "GOOD, BAD or UNKNOWN" in words:
        return "GOOD"
    if "25 to 45 words" in words:
        return "CAPTION: " + " ".join(story.split()[:19]) + " again. The pattern slides past at an even speed."
    return ("CAPTION: " if "CAPTION:" in words else "") + story


def test_caption_plans_asks_once_and_points_on(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "set")
    with FaultServer([told]) as server:
        where = ("--url", server.url, "--model", "fake")
        status, said = call("caption", folder, *where, "--dry-run")
        assert status == 0 and "3 calls about 1 clip" in said and "price unknown" in said and not server.requests
        status, said = call("caption", folder, *where)
        assert status == 0, said
        for words in (
            "3 answers in",
            "300 tokens in, 60 out, 3 of unknown price",
            "3 captions for 1 clip",
            "report.html",
        ):
            assert words in said
        assert len(server.requests) == 3
        status, said = call("caption", folder)
        assert status == 0 and "to ask   nothing" in said and len(server.requests) == 3
        status, said = call("run", folder / "recipe.toml", folder / "none", "--to", folder)
        assert status == 1 and "no such file" in said


def test_run_judges_writes_and_captions_where_a_model_is_named(media, tmp_path: Path) -> None:
    with FaultServer([told]) as server:
        arguments = ("run", "lvd2m", media["long_takes"], "--to", tmp_path / "set", "--url", server.url, *FAST)
        status, said = call(*arguments)
        assert status == 0, said
        assert "not run" not in said and said.index("Judging") < said.index("Writing") < said.index("Captioning")
        assert len(server.requests) == 2 + 3
        status, said = call(*arguments)
        assert status == 0 and len(server.requests) == 5
    rows = Store(tmp_path / "set").read("clips", ["judge.varied", "judge_key"], "kept").to_pylist()
    assert [row["judge.varied"] for row in rows] == [1.0] and rows[0]["judge_key"]


def test_a_judge_that_says_bad_rejects_and_one_that_can_t_tell_does_not_keep(media, tmp_path: Path) -> None:
    verdicts = iter(["BAD", "GOOD", "UNKNOWN", "GOOD"])

    def judge(body: dict) -> str:
        return next(verdicts) if "GOOD, BAD or UNKNOWN" in str(body["messages"]) else told(body)

    with FaultServer([judge]) as server:
        rules = "select.keep=['duration_s >= 10', 'judge.varied >= 1', 'judge.appealing >= 1']"
        more = ("-s", rules, "-s", "models.default.concurrency=1", *FAST)
        status, said = call("run", "lvd2m", media["long_takes"], "--to", tmp_path / "set", "--url", server.url, *more)
    assert status == 0, said
    reasons = Store(tmp_path / "set").read("clips", ["rejected_by"], "duration_s >= 10")["rejected_by"].to_pylist()
    assert sorted(reasons) == ["judge.varied >= 1", "judge.varied >= 1 (not measured)"]
    assert not list((tmp_path / "set" / "clips").glob("*/*.mp4")), "nothing is written for a clip that a judge rejects"


def test_a_server_that_is_not_there_is_one_line_and_3(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "set")
    more = ("-s", "models.default.tries=1", "-s", "models.default.model='m'")
    status, said = call("caption", folder, "--url", "http://127.0.0.1:9/v1", *more)
    assert status == 3
    assert "Stopped asking" in said and "127.0.0.1:9" in said and "The same command goes on" in said
    assert Store(folder).read("failures").num_rows == 0


def test_ctrl_c_ends_captioning_at_once_and_keeps_what_was_answered(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "set")
    answered = threading.Event()

    def once(number: int, body: dict) -> object:
        if number == 0:
            answered.set()
            return told
        return "slow"

    with FaultServer(once) as server:
        code = "from longtake.cli import main; main()"
        command = [sys.executable, "-c", code, "caption", folder, "--url", server.url, "--model", "m"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while len(server.requests) < 2 or not answered.is_set():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=300)[1]
    assert process.returncode == 130, said
    assert "the same command goes on" in said and "Traceback" not in said
    with FaultServer([told]) as server:
        assert call("caption", folder, "--url", server.url)[0] == 0
        assert len(server.requests) == 2


def test_caption_through_batch_files(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made, tmp_path / "set")
    where = ("--url", "http://127.0.0.1:9/v1", "--model", "m")
    status, said = call("caption", folder, *where, "--requests-to", tmp_path / "requests")
    assert status == 0 and "1 request written" in said
    status, said = call("caption", folder, *where, "--requests-to", tmp_path / "requests")
    assert status == 1 and "is not empty" in said
    status, said = call("caption", folder, "--results-from", tmp_path / "requests" / "requests-000.jsonl", "--dry-run")
    assert status == 0 and "still to be asked" in said  # requests are no results
    (tmp_path / "prose.txt").write_text("hello")
    status, said = call("caption", folder, "--results-from", tmp_path / "prose.txt", "--dry-run")
    assert status == 1 and "prose.txt, line 1: no line of a batch's results" in said


def test_a_budget_without_a_price_and_a_rule_nobody_answers_are_refused_at_once(
    made: Path, media, tmp_path: Path
) -> None:
    where = ("--url", "http://127.0.0.1:9/v1", "--model", "m", "--budget", "3")
    status, said = call("run", "lvd2m", media["cut"], "--to", tmp_path / "set", *where)
    assert status == 1 and "no budget without a price" in said and "Scanning" not in said
    status, said = call("select", made, "--keep", "judge.nope >= 1")
    assert status == 1 and "there is appealing, varied" in said


def test_captions_want_a_set_and_a_captioner(made: Path, tmp_path: Path) -> None:
    assert call("caption", tmp_path)[0] == 1
    status, said = call("caption", made, "--step", "lvd2n", "--dry-run")
    assert status == 1 and "did you mean 'lvd2m'" in said
    status, said = call("caption", made, "--retry-failed", "quarantine", "--dry-run")
    assert status == 1 and "quarantined" in said
