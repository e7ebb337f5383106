"""What is taken for a video: by content alone."""

from collections.abc import Iterator
from functools import partial

import pytest
from media import Media

from longtake.fetching import accept as module
from longtake.fetching.accept import ending_of
from longtake.fetching.examine import Examiners
from longtake.fetching.states import FetchError, Got


@pytest.fixture(scope="module")
def accept() -> Iterator[partial]:
    """Return what looks into a file, with one process for all of them."""
    with Examiners() as examiners:
        yield partial(module.accept, examiners=examiners)


def test_a_video_is_taken_whatever_it_is_called(tmp_path, mp4, accept):
    path = tmp_path / "body.part"
    path.write_bytes(mp4)
    found = accept(Got(path))
    assert (found.ending, found.bytes, found.remark) == ("mp4", len(mp4), "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html>404</html>",
        b'{"error": "no such video"}',
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"ID3" + bytes(500),
        bytes(5000),
        b"\x00\x00\x00\x20ftypisom" + bytes(3000),
    ],
)
def test_what_is_no_video_is_refused(tmp_path, body, accept):
    path = tmp_path / "a.mp4"
    path.write_bytes(body)
    with pytest.raises(FetchError) as caught:
        accept(Got(path))
    assert caught.value.state == "bad_file"
    assert str(tmp_path) not in caught.value.message


def test_half_a_video_is_taken_only_where_the_host_has_no_more(tmp_path, mp4, accept):
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4[: len(mp4) // 2])
    assert "of the declared" in accept(Got(path)).remark
    with pytest.raises(FetchError, match="of the declared"):
        accept(Got(path, whole=False))


def test_every_container_that_we_write_is_known(media: Media):
    for name in ("cut", "with_sound", "vfr", "numbered"):
        path = media[name]
        with path.open("rb") as file:
            assert ending_of(file.read(4096)) == path.suffix.removeprefix(".")
