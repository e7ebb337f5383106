"""Models asked about transitions: who said what is kept, and clips go by it, whatever happens on the way."""

import base64
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from faultserver import FaultServer
from media import SIZE, texture, write_video

from longtake import run
from longtake.planning import mark_revoted
from longtake.recipe import load
from longtake.removing import remove_videos
from longtake.running import RunResult
from longtake.schemas import SCHEMAS
from longtake.show.live import without_model
from longtake.store import Store

FPS, SHOT_S = 10, 2.0
MEANS = {
    "one": [(180, 60), (180, 60), (180, 160), (70, 160), (70, 160)],
    "two": [(70, 60), (180, 160), (180, 160), (180, 160)],
    "three": [(90, 90)],
    "four": [(90, 90), (90, 90), (180, 60), (70, 160), (70, 60)],
}
"""Mean red and blue of each shot of each film."""
SEEDS = {"one": 300, "two": 300, "three": 500, "four": 900}
RECIPE = """
name = "stitched"
[shots]
step = "content"
[voters.red]
step = "same_scene"
model = "red"
[voters.blue]
step = "same_scene"
model = "blue"
[clips]
step = "stitch"
join = "red and blue"
trim_s = 0
[models.red]
[models.blue]
"""
SERVED = ["models.red.model='red'", "models.blue.model='blue'"]
TRANSITIONS = sum(len(means) - 1 for means in MEANS.values())
VOLATILE = {"asked", "elapsed_s", "tries"}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films of still shots, each another texture; what they share is how red and how blue they are."""
    folder = tmp_path_factory.mktemp("films")
    for name, means in MEANS.items():
        pictures = []
        for number, (red, blue) in enumerate(means):
            plain = texture(*SIZE, seed=SEEDS[name] + number).astype(float)
            plain += (red, 110, blue) - plain.mean(axis=(0, 1))
            pictures += [np.clip(plain, 0, 255).astype(np.uint8)] * round(SHOT_S * FPS)
        write_video(folder / f"{name}.mp4", pictures, fps=FPS)
    return folder


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    (tmp_path / "stitched.toml").write_text(RECIPE)
    return str(tmp_path / "stitched.toml")


def rows_of(body: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean colour of the upper and of the lower row of the picture that a request shows."""
    url = next(part["image_url"]["url"] for part in body["messages"][0]["content"] if part["type"] == "image_url")
    jpeg = base64.b64decode(url.partition(",")[2])
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert picture.shape[:2] == (3 * 8 + 2 * 180, 4 * 8 + 3 * 320)
    cells = [[picture[8 + r * 188 :][:180, 8 + c * 328 :][:, :320] for c in range(3)] for r in range(2)]
    means = [[cell.mean(axis=(0, 1)) for cell in row] for row in cells]
    for row in means:
        assert np.ptp(row, axis=0).max() < 6, "each row holds frames of one shot"
    return np.mean(means[0], axis=0), np.mean(means[1], axis=0)


def look(body: dict) -> str:
    """Answer as the model asked for would: one goes by red, one by blue."""
    upper, lower = rows_of(body)
    channel = {"red": 0, "blue": 2}[body["model"].partition("-")[0]]
    return "YES" if abs(upper[channel] - lower[channel]) < 15 else "NO"


def ask(films: Path, recipe: str, to: Path, server: FaultServer | None, *more: str, **terms: object) -> RunResult:
    at = [f"models.{name}.url='{server.url}'" for name in ("red", "blue")] if server else []
    return run(recipe, [films], to, settings=[*SERVED, *at, *more], **terms)


def expected(joins: Callable[[tuple[int, int], tuple[int, int]], bool]) -> dict[str, list[tuple[float, float]]]:
    """Return the clips by film that come of a rule on two neighbouring shots."""
    clips = {}
    for name, means in MEANS.items():
        starts = [0, *(k for k, pair in enumerate(pairwise(means), 1) if not joins(*pair)), len(means)]
        clips[name] = [(start * SHOT_S, end * SHOT_S) for start, end in pairwise(starts)]
    return clips


BOTH = expected(lambda a, b: a == b)
RED = expected(lambda a, b: a[0] == b[0])
SHOTS = expected(lambda a, b: False)


def clips(folder: Path) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for row in Store(folder).read("clips").sort_by("start_s").to_pylist():
        assert row["kept"] and row["transitions"] == len(row["transitions_at"])
        assert row["transitions"] == round(row["duration_s"] / SHOT_S) - 1
        found.setdefault(film(row), []).append((round(row["start_s"], 2), round(row["end_s"], 2)))
    return found


def film(row: dict) -> str:
    return row["video_id"].rpartition("-")[0]


def votes(folder: Path) -> list[dict]:
    return Store(folder).read("votes").to_pylist()


def said(folder: Path) -> Counter:
    return Counter((row["voter"], row["joins"]) for row in votes(folder))


def tables(folder: Path) -> dict[str, list[str]]:
    store = Store(folder)
    return {
        table: sorted(str({k: v for k, v in row.items() if k not in VOLATILE}) for row in store.read(table).to_pylist())
        for table in set(SCHEMAS) - {"runs"}
    }


def test_clips_go_by_what_two_models_say_and_every_vote_is_kept(films: Path, recipe: str, tmp_path: Path) -> None:
    with FaultServer([look]) as server:
        done = ask(films, recipe, tmp_path / "set", server)
        assert len(server.requests) == 2 * TRANSITIONS == done.voted.spent.answers
        assert done.voted.clips == TRANSITIONS and done.voted.waiting == [] and done.failures == {}
        before = tables(tmp_path / "set")
        again = ask(films, recipe, tmp_path / "set", server)
        assert len(server.requests) == 2 * TRANSITIONS and again.voted.clips == 0
    assert tables(tmp_path / "set") == before
    assert clips(tmp_path / "set") == BOTH != SHOTS
    answers = {(row["clip_id"], row["step"]): row for row in Store(tmp_path / "set").read("answers").to_pylist()}
    assert len(answers) == len(votes(tmp_path / "set")) == 2 * TRANSITIONS
    for row in votes(tmp_path / "set"):
        a, b = MEANS[film(row)][row["number"]], MEANS[film(row)][row["number"] + 1]
        channel = ("red", "blue").index(row["voter"])
        assert row["joins"] == (a[channel] == b[channel])
        assert row["start_s"] == row["end_s"] == pytest.approx((row["number"] + 1) * SHOT_S)
        assert row["model"] == "fake" and row["score"] is None  # as the server calls itself
        stretch = f"{row['video_id']}_{row['number'] * 2000:08d}_{row['number'] * 2000 + 4000:08d}"
        answer = answers[stretch, f"voters.{row['voter']}"]
        assert answer["text"] == ("YES" if row["joins"] else "NO") and len(answer["frames_s"]) == 6


def test_without_a_model_voters_wait_and_what_was_said_stays_said(films: Path, recipe: str, tmp_path: Path) -> None:
    done = ask(films, recipe, tmp_path / "set", None)
    assert done.voted.waiting == ["red", "blue"] and clips(tmp_path / "set") == SHOTS
    assert without_model(load(recipe)) == ["voter red and voter blue: no model; give one with --url"]
    with FaultServer([look]) as server:
        ask(films, recipe, tmp_path / "set", server)
    assert clips(tmp_path / "set") == BOTH
    ask(films, recipe, tmp_path / "set", None)
    assert clips(tmp_path / "set") == BOTH
    ask(films, recipe, tmp_path / "set", None, "clips.join='red'")
    assert clips(tmp_path / "set") == RED


def test_another_rule_needs_neither_model_nor_decode(films: Path, recipe: str, tmp_path: Path) -> None:
    with FaultServer([look]) as server:
        ask(films, recipe, tmp_path / "set", server)
        signals = Store(tmp_path / "set").version("signals")
        done = ask(films, recipe, tmp_path / "set", server, "clips.join='red'")
        assert len(server.requests) == 2 * TRANSITIONS and done.plan.to_scan == 0
    assert clips(tmp_path / "set") == RED and Store(tmp_path / "set").version("signals") == signals


def test_another_model_or_prompt_is_asked_anew_and_only_it(films: Path, recipe: str, tmp_path: Path) -> None:
    with FaultServer([look]) as server:
        ask(films, recipe, tmp_path / "set", server)
        before = tables(tmp_path / "set")
    with FaultServer([lambda body: "NO" if body["model"] == "blue-2" else look(body)]) as server:
        ask(films, recipe, tmp_path / "set", server, "models.blue.model='blue-2'")
        assert [body["model"] for body in server.requests] == ["blue-2"] * TRANSITIONS
        assert clips(tmp_path / "set") == SHOTS and said(tmp_path / "set")["blue", False] == TRANSITIONS
    with FaultServer([look]) as server:
        ask(films, recipe, tmp_path / "set", server)
        assert server.requests == [], "what the first model said is still there"
        now = tables(tmp_path / "set")
        assert {*now.pop("answers")} > {*before.pop("answers")} and now == before
        ask(films, recipe, tmp_path / "set", server, "voters.red.side_s=0.5")
        assert [body["model"] for body in server.requests] == ["red"] * TRANSITIONS
    assert clips(tmp_path / "set") == BOTH and sum(said(tmp_path / "set").values()) == 2 * TRANSITIONS


def test_votes_are_about_shots_that_are_there(films: Path, recipe: str, tmp_path: Path) -> None:
    """With a higher threshold one cut of each film goes, and one of its neighbours parts other shots."""
    with FaultServer([look]) as server:
        ask(films, recipe, tmp_path / "set", server)
        before, asked = tables(tmp_path / "set"), len(server.requests)
        ask(films, recipe, tmp_path / "set", server, "shots.threshold=50")
        endings = [s for s in Store(tmp_path / "set").read("shots").to_pylist() if s["ends_in"]]
        assert len(endings) == TRANSITIONS - 3
        assert Counter((row["video_id"], row["number"], row["start_s"]) for row in votes(tmp_path / "set")) == {
            (shot["video_id"], shot["number"], shot["ends_in"]["start_s"]): 2 for shot in endings
        }
        new = {row["clip_id"].partition("_")[2] for row in Store(tmp_path / "set").read("answers").to_pylist()[asked:]}
        assert new == {"00004000_00010000", "00002000_00008000", "00000000_00006000"}
        assert len(server.requests) == asked + 6
        ask(films, recipe, tmp_path / "set", server)
        assert len(server.requests) == asked + 6
    now = tables(tmp_path / "set")
    assert {*now.pop("answers")} > {*before.pop("answers")} and now == before


def test_one_model_that_fails_is_a_failure_and_the_others_votes_count(films: Path, recipe: str, tmp_path: Path) -> None:
    join = "clips.join='red and blue or red'"
    with FaultServer(lambda _, body: "400" if body["model"] == "blue" else look) as server:
        done = ask(films, recipe, tmp_path / "set", server, join)
        assert done.failures == {"rejected": TRANSITIONS} and done.voted.failed == TRANSITIONS
        asked = len(server.requests)
        ask(films, recipe, tmp_path / "set", server, join)
        assert len(server.requests) == asked, "not tried again by itself"
    assert clips(tmp_path / "set") == RED and set(said(tmp_path / "set")) == {("red", True), ("red", False)}
    failures = Store(tmp_path / "set").read("failures").to_pylist()
    assert {row["step"] for row in failures} == {"voters.blue"}
    shots = Store(tmp_path / "set").read("shots").to_pylist()
    starts = {f"{s['video_id']}_{round(s['start_s'] * 1000):08d}" for s in shots if s["ends_in"]}
    assert {row["item"].rpartition("_")[0] for row in failures} == starts
    with FaultServer([look]) as server:
        done = ask(films, recipe, tmp_path / "set", server, retry_failed=["rejected"])
        assert len(server.requests) == TRANSITIONS and done.failures == {}
    assert clips(tmp_path / "set") == BOTH


def test_who_can_t_tell_has_no_vote_and_is_not_asked_again(films: Path, recipe: str, tmp_path: Path) -> None:
    with FaultServer([lambda body: "UNKNOWN" if body["model"] == "blue" else look(body)]) as server:
        ask(films, recipe, tmp_path / "set", server)
        ask(films, recipe, tmp_path / "set", server)
        assert len(server.requests) == 2 * TRANSITIONS
    assert clips(tmp_path / "set") == SHOTS and said(tmp_path / "set")["blue", None] == TRANSITIONS


def test_a_budget_is_kept_and_the_next_run_goes_on(films: Path, recipe: str, tmp_path: Path) -> None:
    priced = [f"models.{name}.{part}=10.0" for name in ("red", "blue") for part in ("price_in", "price_out")]
    with FaultServer([look], latency=0.02) as server:  # an answer: 100 and 20 tokens, $0.0012
        done = ask(films, recipe, tmp_path / "set", server, *priced, budget_usd=0.01)
        assert "budget" in done.voted.stopped and done.voted.spent.cost_usd <= 0.01
        assert 0 < len(server.requests) < 2 * TRANSITIONS and done.failures == {}
        ask(films, recipe, tmp_path / "set", server, *priced)
        assert len(server.requests) == 2 * TRANSITIONS
    assert clips(tmp_path / "set") == BOTH


def test_what_is_no_vote_is_a_failure(
    films: Path, recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_voters.py").write_text(
        "async def sure(view, ask):\n    assert 0 < view.transition[0] <= view.transition[1] < view.duration_s\n"
        "    return True\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with FaultServer([look]) as server:
        own = ["voters.red.step='own_voters:sure'", "clips.join='blue'"]
        done = ask(films, recipe, tmp_path / "set", server, *own)
    assert done.failures == {"error": TRANSITIONS} and set(said(tmp_path / "set")) == {("blue", True), ("blue", False)}
    assert "returns a Vote" in Store(tmp_path / "set").read("failures").to_pylist()[0]["message"]


def test_a_kill_between_shots_and_votes_doubles_no_vote(
    films: Path, recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_reckoner.py").write_text(
        "from longtake.records import Vote\nSIGNAL = 'content'\n"
        "def few(series, shots):\n    return [Vote(len(shots) < 5, len(shots))] * (len(shots) - 1)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    own = ["voters.third.step='own_reckoner:few'", "clips.join='third'"]
    ask(films, recipe, tmp_path / "set", None, *own)
    before = tables(tmp_path / "set")
    store = Store(tmp_path / "set")
    row = next(row for row in store.read("videos").to_pylist() if film(row | {"video_id": row["id"]}) == "two")
    store.delete("shots", "video_id", [row["id"]])
    store.delete("videos", "id", [row["id"]])
    store.append("videos", [{**row, "made_by": "another recipe"}])
    ask(films, recipe, tmp_path / "set", None, *own)
    assert tables(tmp_path / "set") == before and set(said(tmp_path / "set")) == {("third", True), ("third", False)}
    assert clips(tmp_path / "set")["two"] == [(0.0, 8.0)] and clips(tmp_path / "set")["one"] == SHOTS["one"]


def test_without_a_transition_nobody_is_asked(films: Path, recipe: str, tmp_path: Path) -> None:
    for to, source in ((tmp_path / "none", tmp_path / "nothing"), (tmp_path / "three", films / "three.mp4")):
        (tmp_path / "nothing").mkdir(exist_ok=True)
        (tmp_path / "nothing" / "empty.mp4").touch()
        with FaultServer([look]) as server:
            done = ask(source, recipe, to, server)
            assert done.voted.clips == 0 and server.requests == []


def test_votes_go_with_their_video(films: Path, recipe: str, tmp_path: Path) -> None:
    with FaultServer([look]) as server:
        ask(films, recipe, tmp_path / "set", server)
    gone = next(row["video_id"] for row in votes(tmp_path / "set") if film(row) == "one")
    remove_videos(tmp_path / "set", [gone])
    assert {film(row) for row in votes(tmp_path / "set")} == {"two", "four"}
    answers = Store(tmp_path / "set").read("answers").to_pylist()
    assert answers and all(row["video_id"] != gone for row in answers)


KILLED = """
import sys
from longtake import run
run(sys.argv[1], [sys.argv[2]], sys.argv[3], settings=sys.argv[4:])
"""


def test_kill_9_anywhere_changes_nothing_in_the_end(films: Path, recipe: str, tmp_path: Path) -> None:
    with FaultServer([look]) as server:
        ask(films, recipe, tmp_path / "whole", server)
    chance = random.Random(6)
    with FaultServer([look], latency=(0.05, 0.15)) as server:
        at = [f"models.{name}.{part}" for name in ("red", "blue") for part in (f"url='{server.url}'", "concurrency=1")]
        command = [sys.executable, "-c", KILLED, recipe, str(films), str(tmp_path / "set"), *SERVED, *at]
        kills = 0
        for _ in range(3):
            process = subprocess.Popen(command)
            begun, had = time.monotonic(), len(server.requests)
            enough = had + chance.randint(2, 5)
            while len(server.requests) < enough and process.poll() is None and time.monotonic() - begun < 120:
                time.sleep(0.01)
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
            process.wait()
        subprocess.run(command, check=True)
        asked = Counter(header["x-client-request-id"].split("/")[-2] for header in server.headers)
    assert kills >= 2 and sum(count - 1 for count in asked.values()) <= kills * 4, "more than was under way"
    assert tables(tmp_path / "set") == tables(tmp_path / "whole") and clips(tmp_path / "set") == BOTH


@pytest.mark.parametrize("lost", ["derive", "votes"])
def test_a_set_left_between_two_commits_is_made_whole(films: Path, recipe: str, tmp_path: Path, lost: str) -> None:
    """As a kill leaves it after votes were stored and before clips were made with them, or just before the votes."""
    with FaultServer([look]) as server:
        ask(films, recipe, tmp_path / "whole", server)
        ask(films, recipe, tmp_path / "set", None)
        store, whole = Store(tmp_path / "set"), Store(tmp_path / "whole")
        mark_revoted(store, {row["video_id"] for row in votes(tmp_path / "whole")})
        store.append("answers", whole.read("answers").to_pylist())
        if lost == "derive":
            store.append("votes", votes(tmp_path / "whole"))
        asked = len(server.requests)
        ask(films, recipe, tmp_path / "set", server)
        assert len(server.requests) == asked
    assert tables(tmp_path / "set") == tables(tmp_path / "whole")
    shutil.rmtree(tmp_path / "whole")
