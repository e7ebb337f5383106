"""A set on an object store is captioned there: every answer once, also after a kill, and the journal is gone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faultserver import FaultServer
from media import SIZE, texture, write_number, write_video
from objectserver import Way
from storyteller import tell

from longtake import run
from longtake.caption_set import caption_set
from longtake.places import Remote
from longtake.store import Store

sys.path.append(str(Path(__file__).resolve().parents[1] / "captioning"))

from told import FPS, FRAMES, RECIPE, model

FILMS = 2


@pytest.fixture
def waiting(bucket: Remote, tmp_path: Path) -> Remote:
    """A set there of clips that wait for captions."""
    folder = tmp_path / "films"
    folder.mkdir()
    for film in range(FILMS):
        background = texture(*SIZE, seed=film)
        pictures = (write_number(background, film * FRAMES + frame) for frame in range(FRAMES))
        write_video(folder / f"film{film}.mp4", pictures, fps=FPS)
    (tmp_path / "told.toml").write_text(RECIPE)
    assert run(str(tmp_path / "told.toml"), [folder], bucket / "my-set", workers=1).kept == FILMS
    return bucket / "my-set"


def test_captions_are_made_there_and_no_answer_is_paid_for_twice(waiting: Remote, way: Way) -> None:
    with FaultServer([tell], latency=(0.3, 0.6)) as server:
        settings = model(server)
        code = (
            "import sys; from longtake.caption_set import caption_set; caption_set(sys.argv[1], settings=sys.argv[2:])"
        )
        process = subprocess.Popen([sys.executable, "-c", code, str(waiting), *settings], stderr=subprocess.DEVNULL)
        while process.poll() is None and not list((waiting / "answers.journal").walk()):
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert list((waiting / "answers.journal").walk()), "it was killed with answers in the journal"
        done = caption_set(str(waiting), settings=settings, workers=1)
        under_way = 2 * FILMS
        assert len(server.requests) <= FILMS * 4 + under_way
        assert done.asked and done.asked.spent.answers < FILMS * 4
    rows = Store(waiting).read("captions").to_pylist()
    assert len(rows) == FILMS * 4 and not any(row["problems"] for row in rows)
    keys = Store(waiting).read("answers", ["key"])["key"].to_pylist()
    assert len(keys) == len(set(keys)) == FILMS * 4
    assert not list((waiting / "answers.journal").walk())
    assert not (waiting / ".lock").is_file()
