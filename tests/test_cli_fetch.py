"""From a published list to a set, as a user types it."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from media import FPS, pan, write_video

from longtake.cli import main
from longtake.store import Store


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, and nothing on the screen."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that has one film."""
    folder = tmp_path_factory.mktemp("site")
    write_video(folder / "film.mp4", pan(6 * FPS, seed=3, speed=0.05))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_list_becomes_a_set_with_its_spans_captions_and_scores(site: str, tmp_path: Path) -> None:
    rows = [f"{site}/film.mp4,1,3.5,A slow pan.,0.5", f"{site}/lost.mp4,0,2,Lost.,0.1", "file:///etc/passwd,0,1,No.,0"]
    (tmp_path / "list.csv").write_text("link,from,to,text,score\n" + "\n".join(rows) + "\n")
    asked = ["fetch", tmp_path / "list.csv", "--to", tmp_path / "got", "--map", "url=link,start=from,end=to"]
    asked += ["--map", "caption=text", "--rate", 100]
    refused = call(*asked)
    assert refused.exit_code == 1
    assert "0 of 2 videos here" in refused.output
    assert "2 refused: " in refused.output and "allow" in refused.output
    done = call(*asked, "--allow-private", "--spans")
    assert done.exit_code == 3, done.output
    assert "came whole, though only spans were asked for: 1: its host" in done.output.replace("\n", " ")
    assert "1 of 2 videos here" in done.output and "1 gone: " in done.output
    assert "1 row of 3 could not be used" in done.output and "row 3" in done.output
    made = call("run", "listed", tmp_path / "got", "--to", tmp_path / "set", "-s", "scores.listed.names=score")
    assert made.exit_code == 0, made.output
    [clip] = Store(tmp_path / "set").read("clips").to_pylist()
    assert (clip["start_s"], clip["end_s"]) == pytest.approx((1.0, 3.5), abs=0.5 / FPS)
    assert clip["listed"] == {"score": 0.5}
    [said] = Store(tmp_path / "set").read("captions", where="step = 'listed'").to_pylist()
    assert said["text"] == "A slow pan."
    again = call("fetch", "--to", tmp_path / "got", "--allow-private")
    assert again.exit_code == 3 and "0 came now" in again.output


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("a,b\n1,2\n")
    for words, said in (
        (["fetch", tmp_path / "no.csv", "--to", tmp_path / "x"], "no such list"),
        (["fetch", tmp_path / "list.csv", "--to", tmp_path / "x"], "--map"),
        (["fetch", tmp_path / "list.csv", "--to", tmp_path / "x", "--map", "url"], "NAME=COLUMN"),
        (["fetch", "--to", tmp_path / "nothing"], "name a list"),
        (["fetch", tmp_path / "list.csv", "--to", tmp_path / "x", "--shard", "4/3"], "is no shard"),
        (["fetch", tmp_path / "list.csv", "--to", tmp_path / "x", "--extractor-args", "web"], "SITE:NAME=VALUE"),
    ):
        done = call(*words)
        assert done.exit_code == 1 and said in done.output, done.output
        assert len(done.output.strip().splitlines()) == 1, done.output


def test_what_came_decides_the_exit_status_and_is_said_to_its_end(site: str, tmp_path: Path) -> None:
    options = ["--rate", 100, "--allow-private"]
    (tmp_path / "bad.csv").write_text("link\nfile:///etc/passwd\n")
    none = call("fetch", tmp_path / "bad.csv", "--to", tmp_path / "none", *options)
    assert none.exit_code == 1 and "0 of 0 videos here" in none.output
    (tmp_path / "some.csv").write_text(f"link\nfile:///etc/passwd\n{site}/film.mp4\n")
    to = tmp_path / "with a blank"
    some = call("fetch", tmp_path / "some.csv", "--to", to, *options)
    assert some.exit_code == 3 and "1 of 1 video here" in some.output
    assert "some.csv: url=link, no start, no end: whole videos" in some.output
    assert f"longtake run listed '{to}' --to SET" in some.output.replace("\n", "")
    (tmp_path / "good.csv").write_text(f"link\n{site}/film.mp4\n")
    good = ["fetch", tmp_path / "good.csv", "--to", tmp_path / "good", *options]
    full = call(*good, "--max-gb", 1e-6)
    assert full.exit_code == 1 and "used up; a larger --max-gb goes on." in full.output.replace("\n", " ")
    assert "same command" not in full.output
    assert call(*good).exit_code == 0
    shards = [call(*good[:3], f"{tmp_path}/{n}", "--shard", f"{n}/2", *options).exit_code for n in (1, 2)]
    assert shards == [0, 0], "a shard without a video lacks nothing"


def test_the_help_names_all_that_columns_can_be() -> None:
    said = " ".join(call("fetch", "--help").output.split())
    assert "[LIST]..." in said
    for word in ("video (an id)", "clip", "COLUMN@ms", "span", "caption:KIND", "score:NAME"):
        assert word in said
