"""Objects are read like files, in few requests, whatever happens on the way; and what can't be read says why."""

import io
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longtake.errors import UsageError
from longtake.places import ChangedError, Remote, UnreachableError, is_remote, place, ranges, stores
from longtake.sources.files import find_videos

BYTES = os.urandom(6_000_000)
DAMAGE = ("503", "500", "429", "cut", "reset", "shift", "trickle")


@pytest.fixture
def film(bucket: Remote) -> Remote:
    path = bucket / "films" / "a film.mp4"
    path.write_bytes(BYTES)
    return path.known()


@given(
    size=st.integers(0, 5000),
    first=st.integers(1, 700),
    moves=st.lists(st.tuples(st.integers(0, 5200), st.integers(0, 1500)), max_size=12),
)
def test_reading_anywhere_gives_what_a_file_gives(size: int, first: int, moves: list[tuple[int, int]]) -> None:
    obstore = pytest.importorskip("obstore")
    store = obstore.store.MemoryStore()
    data = BYTES[:size]
    obstore.put(store, "one", data)
    meta = obstore.head(store, "one")
    file = ranges.RangeFile(
        store, "one", "s3://b/one", stores.facts_of(size, meta["last_modified"], meta["e_tag"]), first
    )
    like = io.BytesIO(data)
    for to, count in moves:
        assert file.seek(to) == like.seek(to)
        assert file.read(count) == like.read(count)
        assert file.tell() == like.tell()
        assert len(file.windows) <= ranges.WINDOWS


def test_reading_on_takes_few_requests_and_no_byte_twice(way, film: Remote) -> None:
    way.clear()
    with film.open() as file:
        while part := file.read(50_000):
            assert part == BYTES[file.tell() - len(part) : file.tell()]
    assert len(way.of("GET")) == 5
    assert sum(one.sent for one in way.of("GET")) == len(BYTES)


def test_a_jump_drops_little(way, film: Remote) -> None:
    way.clear()
    with film.open() as file:
        for at in (0, len(BYTES) - 1000, 2_000_000):
            file.seek(at)
            file.read(1000)
    assert sum(one.sent for one in way.passed) <= 2 * ranges.FIRST_BYTES + 1000


def test_sound_and_pictures_that_lie_apart_are_read_in_turns(way, film: Remote) -> None:
    way.clear()
    with film.open() as file:
        for step in range(0, 1_000_000, 10_000):
            for start in (0, 3_000_000):
                file.seek(start + step)
                assert file.read(10_000) == BYTES[start + step : start + step + 10_000]
    assert len(way.of("GET")) <= 8
    assert sum(one.sent for one in way.passed) < 4_000_000


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_goes_wrong_on_the_way_is_asked_for_again(way, film: Remote, kind: str) -> None:
    way.clear()
    way.fail(kind, times=2)
    with film.open() as file:
        assert file.read() == BYTES
    assert not way.faults
    assert len(way.of("GET")) <= 7


def test_a_store_that_fails_on_and_on_is_given_up(way, film: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stores.RETRY, "max_retries", 1)
    monkeypatch.setattr(ranges, "TRY_S", 0.5)
    stores.store.cache_clear()
    way.fail("503", times=1000)
    with film.open() as file, pytest.raises(UnreachableError, match=f"^{film}: .*503"):
        file.read(10)


def test_what_may_not_be_read_is_not_asked_for_again(way, film: Remote) -> None:
    way.clear()
    way.fail("403")
    with film.open() as file, pytest.raises(PermissionError, match="credentials"):
        file.read(10)
    assert len(way.passed) == 1


def test_an_object_that_was_replaced_is_not_mixed(film: Remote) -> None:
    with film.open() as file:
        file.read(10)
        film.write_bytes(BYTES[::-1])
        assert file.read(10) == BYTES[10:20]
        file.seek(3_000_000)
        with pytest.raises(ChangedError, match="changed"):
            file.read(10)


def test_what_is_not_there_says_so(way, bucket: Remote) -> None:
    with pytest.raises(FileNotFoundError, match=f"^{bucket}/no.mp4: no such object"):
        (bucket / "no.mp4").stat()
    with pytest.raises(FileNotFoundError, match="no such bucket"):
        list(place("s3://no-such-bucket/a").walk())
    assert not (bucket / "no.mp4").is_file()
    assert not bucket.is_dir()


def test_a_listing_and_a_single_answer_agree(film: Remote) -> None:
    (listed,) = film.parent.walk()
    assert listed == film
    assert listed.facts == place(str(film)).stat()


def test_an_object_written_in_the_same_second_has_other_facts() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    one, other = (stores.facts_of(5, now, f'"{name}"') for name in "ab")
    assert one != other
    assert one.st_mtime_ns // 10**9 == other.st_mtime_ns // 10**9 == now.timestamp()
    assert stores.facts_of(5, now.replace(microsecond=700), "a").st_mtime_ns == one.st_mtime_ns


@pytest.mark.parametrize("name", ["a b.mp4", "50%20.mp4", "what?#now.mp4", "été 東京.mp4", "+&=;,@.mp4", "a'\"b.mp4"])
def test_any_name_can_be_read(bucket: Remote, name: str) -> None:
    (bucket / "odd" / name).write_bytes(b"film")
    (found,) = (bucket / "odd").walk()
    assert (found.name, found.read_bytes()) == (name, b"film")
    assert place(str(found)) == found


def test_more_names_than_one_page_holds(way, bucket: Remote) -> None:
    names = [f"{number}.mp4" for number in range(8)]
    for name in names:
        (bucket / "many" / name).write_bytes(b"x")
    (bucket / "many-more.mp4").write_bytes(b"x")
    way.clear()
    way.most_keys = 3
    assert [one.name for one in (bucket / "many").walk()] == names
    assert len(way.passed) == 3


def test_sources_on_a_store(bucket: Remote) -> None:
    for name in ("b.mp4", "deep/er/A.MKV", "notes.txt", "deep/._b.mp4", "no-ending"):
        (bucket / "films" / name).write_bytes(b"film")
    found = find_videos([f"{bucket}/films/", f"{bucket}/films/no-ending", f"{bucket}/films/b.mp4"])
    assert [str(one).removeprefix(f"{bucket}/films/") for one in found.videos] == [
        "b.mp4",
        "deep/er/A.MKV",
        "no-ending",
    ]
    assert found.others == 2
    for source, words in [("no", "no such object or folder"), ("films/notes.txt/x", "no such"), ("texts", "no video")]:
        (bucket / "texts" / "a.txt").write_bytes(b"text")
        with pytest.raises(UsageError, match=words):
            find_videos([f"{bucket}/{source}"])
    with pytest.raises(UsageError, match="no such bucket"):
        find_videos(["s3://no-such-bucket/films"])


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("s3://bucket", ("s3", "bucket", "")),
        ("gs://bucket/a/b.mp4", ("gs", "bucket", "a/b.mp4")),
        ("az://container/a/", ("az", "container", "a")),
        ("hf://datasets/someone/films/a/b.mp4", ("hf", "datasets/someone/films", "a/b.mp4")),
        ("hf://datasets/someone/films@v2/b.mp4", ("hf", "datasets/someone/films@v2", "b.mp4")),
        ("hf://someone/model", ("hf", "someone/model", "")),
    ],
)
def test_addresses(address: str, parts: tuple[str, str, str]) -> None:
    found = place(address)
    assert (found.scheme, found.bucket, found.key) == parts
    assert str(found) == address.rstrip("/")
    assert is_remote(address)


def test_what_is_no_address() -> None:
    for name in ("films/a.mp4", "/s3://a", "s3:/a/b", "https://host/a.mp4", "s3"):
        assert isinstance(place(name), Path)
    for name in ("s3://", "hf://datasets", "hf://datasets/someone"):
        with pytest.raises(UsageError):
            place(name)


def test_keys_come_from_a_profile_where_the_environment_has_none(way, monkeypatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    (tmp_path / "no-credentials").write_text("[work]\naws_access_key_id = me\naws_secret_access_key = %secret\n")
    (tmp_path / "no-config").write_text(f"[profile work]\nregion = eu-north-1\nendpoint_url = {way.url}\n")
    monkeypatch.setenv("AWS_PROFILE", "work")
    stores.settings.cache_clear()
    assert stores.settings("s3", "b") == {
        "access_key_id": "me",
        "secret_access_key": "%secret",
        "region": "eu-north-1",
        "endpoint": way.url,
        "allow_http": "true",
    }


def test_a_public_bucket_is_read_without_keys(way, film: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert way.passed[0].signed
    stores.store.cache_clear()
    stores.settings.cache_clear()
    way.clear()
    assert place(str(film)).open().read(5) == BYTES[:5]
    assert [one.signed for one in way.passed] == [False, False]


def test_azure_is_asked_at_another_address_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append((self.path, self.headers["Authorization"].partition(":")[0]))
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "me")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"http://127.0.0.1:{server.server_port}/me")
        stores.settings.cache_clear()
        stores.store.cache_clear()
        with pytest.raises(FileNotFoundError):
            place("az://films/a.mp4").stat()
        server.shutdown()
    stores.settings.cache_clear()
    stores.store.cache_clear()
    assert asked[0] == ("/me/films/a.mp4", "SharedKey me")


def test_files_here_need_no_library(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["obstore"] = None
from longtake.sources.files import find_videos
from longtake.errors import UsageError
find_videos([sys.argv[1]])
try:
    find_videos(["s3://bucket/films"])
except UsageError as error:
    print(error)
"""
    (tmp_path / "a.mp4").touch()
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "pip install 'longtake[objects]'" in done.stdout
