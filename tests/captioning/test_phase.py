"""Captions from clips, server and store together: right, once, and on the clip they belong to."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path

import pyarrow as pa
import pytest
from faultserver import FaultServer
from storyteller import SENTENCES, SHOWN, tell, words_of
from told import FILMS, FPS, FRAMES, RECIPE, captions, model, number_of

from longtake import run
from longtake.caption_set import caption_set
from longtake.captioning.repeats import BUILT, PROBLEM
from longtake.schemas import SCHEMAS
from longtake.store import Store
from longtake.watch import Estimate


def assert_each_on_its_clip(folder: Path) -> None:
    rows = captions(folder)
    assert Counter((row["clip_id"], row["kind"]) for row in rows) == Counter(
        {(clip, kind): (2 if kind == "raw" else 1)
         for clip in {row["clip_id"] for row in rows} for kind in ("raw", "refined", "rewritten")}
    )  # fmt: skip
    assert len({row["clip_id"] for row in rows}) == FILMS
    for row in rows:
        told = int(SHOWN.search(row["text"])[1])
        assert told // FRAMES == number_of(row["clip_id"])
        assert row["problems"] == []
        if row["kind"] == "raw":  # the first of 6 frames: the middle of the first sixth of a part of 6 s
            assert (
                told % FRAMES == round((row["start_s"] + 0.5) * FPS)
                or abs(row["frames_s"][0] * FPS - told % FRAMES) < 1
            )


def test_every_level_of_every_clip_about_the_right_frames(made: Path) -> None:
    with FaultServer([tell]) as server:
        done = caption_set(made, settings=model(server))
        assert done.asked.spent.answers == FILMS * 4 == len(server.requests) == done.estimate.calls
        assert_each_on_its_clip(made)
        rows = captions(made)
        assert {(row["kind"], row["start_s"], row["end_s"]) for row in rows} == {
            ("raw", 0.0, 6.0), ("raw", 6.0, 12.0), ("refined", 0.0, 12.0), ("rewritten", 0.0, 12.0)
        }  # fmt: skip
        assert all(row["model"] == "fake" and row["answer"] for row in rows)
        again = caption_set(made)
        assert again.estimate.calls == 0 and len(server.requests) == FILMS * 4
    answers = {row["key"]: row for row in Store(made).read("answers").to_pylist()}
    assert {row["answer"] for row in rows} == answers.keys()
    assert all(row["frames_hash"] for row in answers.values() if row["question"] == "raw")


def test_shuffled_and_late_answers_stay_on_their_clips(made: Path) -> None:
    with FaultServer([tell], latency=(0.0, 0.2)) as server:
        caption_set(made, settings=model(server, concurrency=16))
        assert server.peak > 4
        identities = [header["x-client-request-id"] for header in server.headers]
    assert_each_on_its_clip(made)
    stored = {row["key"]: row for row in Store(made).read("answers").to_pylist()}
    for identity in identities:
        clip, _, key_and_frames = identity.split("/", 2)
        key, _, frames_hash = key_and_frames.partition("/")
        assert stored[key]["clip_id"] == clip and stored[key]["frames_hash"] == frames_hash


def test_a_changed_parameter_asks_only_what_it_changes(made: Path) -> None:
    with FaultServer([tell]) as server:
        caption_set(made, settings=model(server))
        before = len(server.requests)
        caption_set(made, settings=["captions.lvd2m.rewrite=false"])
        assert len(server.requests) == before
        assert {row["kind"] for row in captions(made)} == {"raw", "refined"}
        caption_set(made, settings=["captions.lvd2m.rewrite=true"])
        assert len(server.requests) == before  # all of it was answered once
        caption_set(made, settings=["captions.lvd2m.segment_s=12"])
        assert len(server.requests) == before + 3 * FILMS
    assert_kinds = Counter(row["kind"] for row in captions(made))
    assert assert_kinds == {"raw": FILMS, "refined": FILMS, "rewritten": FILMS}


def test_without_its_sources_a_set_is_captioned_from_its_own_files(films: Path, tmp_path: Path) -> None:
    moved = tmp_path / "films"
    subprocess.run(["cp", "-r", films, moved], check=True)
    (tmp_path / "told.toml").write_text(RECIPE.replace("[captions", "[files]\n[captions", 1))
    run(str(tmp_path / "told.toml"), [moved], tmp_path / "set")
    subprocess.run(["rm", "-r", moved], check=True)
    with FaultServer([tell]) as server:
        caption_set(tmp_path / "set", settings=model(server))
    assert_each_on_its_clip(tmp_path / "set")


def test_pictures_of_a_file_that_was_replaced_are_shown_to_nobody(films: Path, tmp_path: Path) -> None:
    subprocess.run(["cp", "-rp", films, tmp_path / "films"], check=True)
    (tmp_path / "told.toml").write_text(RECIPE)
    run(str(tmp_path / "told.toml"), [tmp_path / "films"], tmp_path / "set")
    subprocess.run(["cp", films / "film1.mp4", tmp_path / "films" / "film0.mp4"], check=True)
    with FaultServer([tell]) as server:
        done = caption_set(tmp_path / "set", settings=model(server))
        assert done.asked.failed == 1 and {number_of(row["clip_id"]) for row in captions(tmp_path / "set")} == {
            1,
            2,
            3,
            4,
        }
        (failure,) = Store(tmp_path / "set").read("failures").to_pylist()
        assert failure["kind"] == "changed" and "another file is there" in failure["message"]
        subprocess.run(["cp", films / "film0.mp4", tmp_path / "films" / "film0.mp4"], check=True)
        assert not caption_set(tmp_path / "set").asked.failed
    assert_each_on_its_clip(tmp_path / "set")


def test_pictures_that_can_t_be_taken_are_failures_and_the_rest_goes_on(made: Path, films: Path) -> None:
    store = Store(made)
    gone = store.read("videos").to_pylist()[0]
    where = pa.schema([SCHEMAS["videos"].field(name) for name in ("id", "path")])
    store.update("videos", "id", [{"id": gone["id"], "path": "/nowhere.mp4"}], where)
    with FaultServer([tell]) as server:
        done = caption_set(made, settings=model(server))
        assert done.asked.failed == 1 and done.asked.clips == FILMS - 1
        (failure,) = store.read("failures").to_pylist()
        assert failure["kind"] == "missing" and failure["step"] == "captions.lvd2m"
        asked = len(server.requests)
        assert caption_set(made).asked.failed == 0 and len(server.requests) == asked
        store.update("videos", "id", [{"id": gone["id"], "path": gone["path"]}], where)
        assert caption_set(made, retry_failed=["missing"]).asked.clips == 1
    assert store.read("failures").num_rows == 0
    assert_each_on_its_clip(made)


def test_answers_that_fail_their_checks_twice_are_set_aside(made: Path) -> None:
    def stubborn(body: dict) -> str:
        text = tell(body)
        return "In the first frame a car is seen." if "number 24" in text or "number 5 " in text else text

    with FaultServer([stubborn]) as server:
        done = caption_set(made, settings=model(server))
        assert done.asked.quarantined == 2
        aside = [row for row in captions(made) if row["problems"]]
        assert {number_of(row["clip_id"]) for row in aside} == {0, 2} and {row["kind"] for row in aside} == {"raw"}
        assert all("frame" in " ".join(row["problems"]) for row in aside)
        others = {row["clip_id"] for row in captions(made) if row["kind"] == "refined"}
        assert len(others) == FILMS - 2, "nothing is built on a caption that is set aside"
        asked = len(server.requests)
        caption_set(made)
        assert len(server.requests) == asked, "not asked a third time"
    with FaultServer([tell]) as server:
        caption_set(made, settings=model(server), retry_failed=["quarantined"])
    assert_each_on_its_clip(made)


def test_one_text_for_many_clips_is_asked_again_and_then_set_aside(made: Path) -> None:
    """As LVD-2M's wrong caption, which stands on some 4,000 clips; here on all, and one clip's is mended."""

    def same(body: dict) -> str:
        text = tell(body)
        mended = "other clips" in str(body["messages"]) and "number 24" in text
        return text if mended or "25 to 45" not in str(body["messages"]) else tell_of(77)

    def tell_of(number: int) -> str:
        return (
            f"CAPTION: The number {number} stands in a corner of a wide textured surface while the camera keeps its "
            "distance and the pattern slides past at an even speed."
        )

    with FaultServer([same]) as server:
        done = caption_set(made, settings=model(server))
    rows = [row for row in captions(made) if row["kind"] == "rewritten"]
    good = [row for row in rows if not row["problems"]]
    assert done.asked.quarantined == FILMS - len(good) and len(good) <= 1
    assert all("same text" in row["problems"][0] for row in rows if row["problems"])
    assert sum(not row["problems"] for row in captions(made) if row["kind"] != "rewritten") == FILMS * 3


def test_what_was_made_of_one_text_for_many_clips_is_set_aside_too(made: Path) -> None:
    numbers = count(200)

    def one_raw(body: dict) -> str:
        words = words_of(body)
        if "100 to 250" in words:
            return " ".join(sentence.format(n=77) for sentence in SENTENCES)
        return tell(body) if "25 to 45" in words else tell(body).replace("number 77", f"number {next(numbers)}")

    with FaultServer([one_raw]) as server:
        done = caption_set(made, settings=model(server))
    rows = captions(made)
    assert done.asked.quarantined == len(rows) == FILMS * 4
    said = {row["kind"]: row["problems"] for row in rows}
    assert said == {"raw": [PROBLEM], "refined": [BUILT], "rewritten": [BUILT]}


@pytest.mark.parametrize("action", ["401", "404", "quota"])
def test_what_nobody_can_answer_stops_the_asking_and_loses_nothing(made: Path, action: str) -> None:
    with FaultServer([tell, tell, tell, action]) as server:
        done = caption_set(made, settings=model(server, concurrency=1))
    assert done.asked.stopped and done.asked.spent.answers == 3
    assert Store(made).read("failures").num_rows == 0, "a clip is not to blame"
    with FaultServer([tell]) as server:
        caption_set(made, settings=model(server))
        assert len(server.requests) == FILMS * 4 - 3
    assert_each_on_its_clip(made)


def test_a_rejected_request_is_a_failure_of_its_clip_alone(made: Path) -> None:
    def script(_: int, body: dict) -> object:
        return "400" if SHOWN.search(tell(body)) and "number 5 " in tell(body) else tell

    with FaultServer(script) as server:
        done = caption_set(made, settings=model(server))
    assert (done.asked.failed, done.asked.clips) == (1, FILMS - 1)
    (failure,) = Store(made).read("failures").to_pylist()
    assert failure["kind"] == "rejected" and number_of(failure["item"]) == 0


def test_a_budget_is_kept_and_the_next_run_goes_on(made: Path) -> None:
    priced = {"price_in": 0.0, "price_out": 60.0, "max_tokens": 40}  # an answer: 20 tokens of at most 40, $0.0012
    with FaultServer([tell], latency=0.02) as server:
        done = caption_set(made, settings=model(server, **priced), budget_usd=0.01)
        assert "budget" in done.asked.stopped
        assert 4 <= done.asked.spent.answers <= 8 and done.asked.spent.cost_usd <= 0.01
        caption_set(made)
        assert len(server.requests) == FILMS * 4
    assert_each_on_its_clip(made)


def test_an_estimate_asks_nothing_and_changes_nothing(made: Path) -> None:
    before = (made / "recipe.toml").read_text()
    seen: list[Estimate] = []
    with FaultServer([tell]) as server:
        settings = model(server, price_in=1.0, price_out=2.0)
        done = caption_set(made, settings=settings, dry_run=True, watch=seen.append)
        assert server.requests == []
    found = done.estimate
    assert seen == [found]
    assert (found.kept, found.clips, found.calls, found.frames) == (FILMS, FILMS, FILMS * 4, FILMS * 12)
    assert found.cost_usd == pytest.approx((found.prompt_tokens + 2 * found.completion_tokens) / 1e6)
    assert (made / "recipe.toml").read_text() == before and captions(made) == []


def test_through_batch_files_in_as_many_rounds_as_there_are_levels(made: Path, tmp_path: Path) -> None:
    """A batch service is stood in for by the storyteller; its results come shuffled and some of them twice."""
    rounds = 0
    with FaultServer([tell]) as server:
        settings = model(server)
        for rounds in range(1, 5):
            folder = tmp_path / f"round{rounds}"
            done = caption_set(made, settings=settings, requests_to=folder)
            if not done.exported.requests:
                break
            assert not done.asked.captions
            results = []
            for path in done.exported.files:
                for line in path.read_text().splitlines():
                    asked = json.loads(line)
                    message = {"content": tell(asked["body"])}
                    body = {"choices": [{"finish_reason": "stop", "message": message}], "model": "fake"}
                    results.append({"custom_id": asked["custom_id"], "response": {"status_code": 200, "body": body}})
            results += [*results[:3], {**results[0], "custom_id": "0123456789abcdef-00"}]
            random.Random(rounds).shuffle(results)
            (folder / "results.jsonl").write_text("\n".join(json.dumps(row) for row in results))
            read = caption_set(made, settings=settings, results_from=[folder / "results.jsonl"], dry_run=True).imported
            assert (read.answers, read.strange) == (len(results) - 4, 1)
        assert rounds == 4 and server.requests == [] and done.asked.captions == FILMS * 4
    assert_each_on_its_clip(made)


KILLED = """
import sys
from longtake.caption_set import caption_set
caption_set(sys.argv[1], settings=sys.argv[2:])
"""


def test_kill_9_in_the_middle_pays_no_kept_answer_twice_and_loses_none(made: Path) -> None:
    """The server counts: what was under way when the process died may be asked again, what had arrived may not."""
    chance = random.Random(3)
    with FaultServer([tell], latency=(0.05, 0.15)) as server:
        settings = model(server, concurrency=2)
        command = [sys.executable, "-c", KILLED, str(made), *settings]
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
        caption_set(made, settings=settings)
        asked = Counter(header["x-client-request-id"].split("/")[-2] for header in server.headers)
    assert kills >= 2
    assert sum(count - 1 for count in asked.values()) <= kills * 2, "more than was under way"
    assert_each_on_its_clip(made)
    keys = Store(made).read("answers", ["key"])["key"].to_pylist()
    assert len(keys) == len(set(keys)) == FILMS * 4
    assert not (made / "answers.journal").exists()
