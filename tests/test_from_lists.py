"""Lists and addresses as sources of a run: fetched into the set, and gone on with."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner
from media import FPS, pan, write_video

from longtake.cli import main
from longtake.dry_run import dry_run
from longtake.errors import UsageError
from longtake.fetching import Manner
from longtake.from_lists import ADDRESSES, bring_lists, fetched_beside
from longtake.running import run
from longtake.store import Store

HERE = Manner(allow_private=True)


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, and nothing on the screen."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two films."""
    made = tmp_path_factory.mktemp("site")
    for name, seed in (("one.mp4", 3), ("two.mp4", 4)):
        write_video(made / name, pan(4 * FPS, seed=seed, speed=0.05))
    return made


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """Return the address of a server of that folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_list_is_fetched_into_the_set_and_run(site: str, folder: Path, tmp_path: Path) -> None:
    named = tmp_path / "named.csv"
    named.write_text(f"url,start,end,caption\n{site}/one.mp4,1,3,A pan.\n{site}/lost.mp4,0,1,Lost.\n")
    to = tmp_path / "set"
    brought = bring_lists([named, folder / "two.mp4"], to, manner=HERE)
    assert brought.fetched is not None
    assert brought.fetched.counts == {"done": 1, "gone": 1} and brought.fetched.lacks
    assert brought.sources == [folder / "two.mp4", fetched_beside(to)]
    assert run("listed", brought.sources, to).funnel[0].clips == 1
    [said] = Store(to).read("captions", where="step = 'listed'").to_pylist()
    assert said["text"] == "A pan."
    # As a user types it, on what is here already; what is gone stays gone, and is said.
    done = CliRunner().invoke(main, ["run", "listed", str(named), str(folder / "two.mp4"), "--to", str(to)])
    assert done.exit_code == 3, done.output
    assert "1 of 2 videos here, 0 came now" in done.output and "1 gone" in done.output
    assert "longtake run listed" not in done.output


def test_a_dry_run_plans_with_what_is_here(site: str, folder: Path, tmp_path: Path) -> None:
    named, to = tmp_path / "named.csv", tmp_path / "set"
    named.write_text(f"url\n{site}/one.mp4\n{site}/lost.mp4\n")
    sources = [named, f"{site}/two.mp4"]
    bring_lists([named], to, manner=HERE)
    with pytest.raises(UsageError, match=r"two\.mp4: its videos are not here yet"):
        dry_run("lvd2m", sources, to)
    bring_lists(sources, to, manner=HERE)
    for _ in range(2):
        plan = dry_run("lvd2m", [*sources, folder / "two.mp4"], to).plan
        assert plan is not None and plan.to_scan == 3
    named.write_text(f"url\n{site}/one.mp4\n{site}/two.mp4\n")
    with pytest.raises(UsageError, match=r"named\.csv: its videos are not here yet"):
        dry_run("lvd2m", sources, to)


def test_addresses_are_sources_too_and_those_of_before_stay(site: str, tmp_path: Path) -> None:
    first = bring_lists([f"{site}/one.mp4"], tmp_path / "set", manner=HERE)
    assert first.fetched is not None and first.fetched.counts == {"done": 1} and not first.fetched.lacks
    second = bring_lists([f"{site}/two.mp4", f"{site}/one.mp4"], tmp_path / "set", manner=HERE)
    assert second.fetched is not None and second.fetched.counts == {"done": 2} and second.fetched.came == 1
    assert (fetched_beside(tmp_path / "set") / ADDRESSES).read_text() == f"{site}/one.mp4\n{site}/two.mp4\n"


def test_videos_and_folders_are_left_as_they_are(folder: Path, tmp_path: Path) -> None:
    sources = [folder, folder / "one.mp4"]
    brought = bring_lists(sources, tmp_path / "set", retry_failed=["crash", "all"])
    assert (brought.sources, brought.fetched, brought.retry_failed) == (sources, None, ["crash", "all"])
    assert not (tmp_path / "set").exists()


def test_a_text_that_calls_itself_a_video_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "page.mp4").write_text("https://example.com/one.mp4\n")
    assert bring_lists([tmp_path / "page.mp4"], tmp_path / "set").fetched is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"retry_failed": ["gone"]}, "nothing to try again is named 'gone'"),
        ({"retry_failed": ["crsh"]}, "did you mean 'crash'"),
        ({"mapping": {"url": "link"}}, "no list is named"),
        ({"manner": Manner(spans=True)}, "no list is named"),
    ],
)
def test_mistakes_are_told_before_anything_is_done(
    folder: Path, tmp_path: Path, words: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        bring_lists([folder], tmp_path / "set", **words)
    assert not (tmp_path / "set").exists()


def test_a_list_that_nobody_can_read_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="--map"):
        bring_lists([tmp_path / "odd.csv"], tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_a_bad_recipe_is_told_before_anything_is_fetched(site: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["run", "nothing", f"{site}/one.mp4", "--to", str(tmp_path / "set")])
    assert done.exit_code == 1 and "no recipe 'nothing'" in done.output
    assert not (tmp_path / "set").exists()


def test_nothing_fetched_ends_there(site: str, tmp_path: Path) -> None:
    """Loopback is refused unless it is allowed; there is nothing to run on then."""
    done = CliRunner().invoke(main, ["run", "lvd2m", f"{site}/one.mp4", "--to", str(tmp_path / "set")])
    assert done.exit_code == 1 and "0 of 1 video" in done.output and "1 refused" in done.output
