"""Lists of made-up videos, and small real files to serve."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import av
import pytest
from media import Media

from longtake.sources import Listed
from longtake.sources.lists import to_json

Lister = Callable[..., Path]


@pytest.fixture(scope="session")
def mp4(media: Media, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a small video, its index in front."""
    path = tmp_path_factory.mktemp("served") / "fast.mp4"
    with av.open(str(media["cut"])) as source, av.open(str(path), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return path.read_bytes()


@pytest.fixture(scope="session")
def big(mp4: bytes) -> bytes:
    """Return a video of 4 MB: the small one with a box behind it that readers skip."""
    size = 4_000_000
    return mp4 + struct.pack(">I4s", size - len(mp4), b"free") + bytes(range(256)) * ((size - len(mp4)) // 256 + 1)


@pytest.fixture
def lister(tmp_path: Path) -> Lister:
    """Return what writes a list of videos by id and address, each with some clips."""

    def write(videos: Mapping[str, str], *, clips: int = 1, name: str = "videos.jsonl") -> Path:
        rows = [
            Listed("plain", video, url, float(at), at + 1.0, clip=f"{video}-{at}")
            for at in range(clips)
            for video, url in videos.items()
        ]
        path = tmp_path / name
        path.write_text("".join(f"{to_json(row)}\n" for row in rows))
        return path

    return write
