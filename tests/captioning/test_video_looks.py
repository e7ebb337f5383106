"""Small videos instead of grids, from clips to a server that takes them apart: the right frames of the right clip."""

import base64
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import av
import pytest
from faultserver import FaultServer
from media import SIZE, read_number, texture, write_number, write_video
from storyteller import SENTENCES, SHOWN, tell
from told import FPS, FRAMES, RECIPE

from longtake import run
from longtake.caption_set import caption_set
from longtake.captioning.estimating import PIXELS_A_TOKEN, picture_tokens
from longtake.captions import Look
from longtake.errors import UsageError
from longtake.store import Store

FILMS = 3
VIDEO = "captions.lvd2m.video=true"
IN_A_PART = [k * FPS // 2 for k in range(12)]
"""The frames of 6 s at 2 frames per second."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of videos of 12 s that waits for its captions; each frame of each carries a number of its own."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "films").mkdir()
    for film in range(FILMS):
        background = texture(*SIZE, seed=film)
        pictures = (write_number(background, film * FRAMES + frame) for frame in range(FRAMES))
        write_video(folder / "films" / f"film{film}.mp4", pictures, fps=FPS)
    (folder / "told.toml").write_text(RECIPE)
    assert run(str(folder / "told.toml"), [folder / "films"], folder / "set").kept == FILMS
    return folder / "set"


@pytest.fixture
def made(plain: Path, tmp_path: Path) -> Path:
    """A copy to work on."""
    subprocess.run(["cp", "-r", plain, tmp_path / "set"], check=True)
    return tmp_path / "set"


def model(server: FaultServer) -> list[str]:
    return [f"models.default.url='{server.url}'", "models.default.model='fake'"]


def numbers_in(body: dict[str, Any]) -> list[int]:
    """Return the numbers of all frames of a request's video; nothing where it shows none."""
    content = body["messages"][0]["content"]
    if isinstance(content, str):
        return []
    video, text = content
    assert (video["type"], text["type"]) == ("video_url", "text")
    kind, _, data = video["video_url"]["url"].partition(",")
    assert kind == "data:video/mp4;base64"
    with av.open(io.BytesIO(base64.b64decode(data))) as file:
        (stream,) = file.streams
        assert stream.average_rate == 2
        return [read_number(frame.to_ndarray(format="rgb24")) for frame in file.decode(stream)]


def tell_seen(body: dict[str, Any]) -> str:
    """Answer with the number that the first frame of the video carries; without one, with that of the text below."""
    numbers = numbers_in(body)
    return " ".join(sentence.format(n=numbers[0]) for sentence in SENTENCES) if numbers else tell(body)


def expected(clip_id: str, part: int) -> list[int]:
    film = int(clip_id[len("film")])
    return [film * FRAMES + part * 6 * FPS + frame for frame in IN_A_PART]


def assert_each_on_its_clip(folder: Path) -> None:
    rows = Store(folder).read("captions").to_pylist()
    assert len(rows) == FILMS * 4 and all(row["problems"] == [] for row in rows)
    for row in rows:
        part = row["number"] if row["kind"] == "raw" else 0
        assert int(SHOWN.search(row["text"])[1]) == expected(row["clip_id"], part)[0]
        if row["kind"] == "raw":
            assert row["frames_s"] == pytest.approx([row["start_s"] + k / 2 for k in range(12)])


def test_each_clip_is_shown_as_its_own_frames_and_told_of_as_a_video(made: Path) -> None:
    with FaultServer([tell_seen], latency=(0.0, 0.1)) as server:
        done = caption_set(made, settings=[*model(server), VIDEO])
    assert done.estimate.frames == FILMS * 2 * len(IN_A_PART)
    assert_each_on_its_clip(made)
    seen = 0
    for header, body in zip(server.headers, server.requests, strict=True):
        clip_id, question, _ = header["x-client-request-id"].split("/", 2)
        if ".raw." in question:
            part = int(question.rpartition(".")[2])
            assert numbers_in(body) == expected(clip_id, part)
            words = body["messages"][0]["content"][1]["text"]
            assert f"part {part + 1} of 2 of a video" in words and "grid" not in words
            seen += 1
    assert seen == FILMS * 2


def test_a_video_is_another_question_than_a_grid(made: Path) -> None:
    with FaultServer([tell]) as server:
        caption_set(made, settings=model(server))
    with FaultServer([tell_seen]) as server:
        caption_set(made, settings=[*model(server), VIDEO])
        assert sum(bool(numbers_in(body)) for body in server.requests) == FILMS * 2
        asked = len(server.requests)
        caption_set(made)
        assert len(server.requests) == asked, "answered once"
    assert_each_on_its_clip(made)


def test_videos_go_through_batch_files(made: Path, tmp_path: Path) -> None:
    with FaultServer([tell_seen]) as server:
        settings = [*model(server), VIDEO]
        done = caption_set(made, settings=settings, requests_to=tmp_path / "requests")
        results = []
        for line in (line for path in done.exported.files for line in path.read_text().splitlines()):
            asked = json.loads(line)
            assert len(numbers_in(asked["body"])) == len(IN_A_PART)
            message = {"content": tell_seen(asked["body"])}
            body = {"choices": [{"finish_reason": "stop", "message": message}], "model": "fake"}
            results.append({"custom_id": asked["custom_id"], "response": {"status_code": 200, "body": body}})
        assert len(results) == FILMS * 2 and server.requests == []
        (tmp_path / "results.jsonl").write_text("\n".join(map(json.dumps, reversed(results))))
        caption_set(made, settings=settings, results_from=[tmp_path / "results.jsonl"])
        assert server.requests == []
        caption_set(made)
        assert not any(numbers_in(body) for body in server.requests), "only what builds on them was left to ask"
    assert_each_on_its_clip(made)


@pytest.mark.parametrize("fps", ["0", "-1", "8.1", "nan"])
def test_a_rate_out_of_range_is_refused_before_anything_is_asked(made: Path, fps: str) -> None:
    with FaultServer([tell_seen]) as server:
        with pytest.raises(UsageError, match="video_fps"):
            caption_set(made, settings=[*model(server), VIDEO, f"captions.lvd2m.video_fps={fps}"])
        assert server.requests == []


def test_a_video_costs_half_of_its_frames() -> None:
    times = tuple(k / 2 for k in range(12))
    video, pictures = Look(times, cell_px=160, fps=2.0), Look(times, cell_px=160)
    assert picture_tokens(video, 320, 180) == pytest.approx(12 * 160 * 90 / PIXELS_A_TOKEN / 2)
    assert picture_tokens(video, 320, 180) == picture_tokens(pictures, 320, 180) / 2
