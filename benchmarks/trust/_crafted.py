"""Files made to hurt, each with the outcomes that are right for it: bombs, odd clocks, what is no file at all."""

import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from _seeds import X264, X265, write

USED = ["used", "used, damage told"]
NO_VIDEO = ["not_a_video"]
GONE = ["missing", "unreadable"]
TICK, MS = Fraction(1, 90_000), Fraction(1, 1000)
LIES = {"ffconcat.mp4": "ffconcat version 1.0\nfile 'plain.mp4'\nfile 'plain.mp4'\n"}
LIES |= {"itself.mp4": "ffconcat version 1.0\nfile 'itself.mp4'\n"}
LIES |= {"list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nplain.mp4\n"}
LIES |= {"live.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n"}
LIES |= {"description.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"}
LIES |= {"page.mp4": "<!doctype html><title>404</title>", "list.mpd": '<?xml version="1.0"?><MPD></MPD>'}


def jpeg(width: int, height: int, claimed: tuple[int, int] | None = None) -> bytes:
    """Return a gray picture as JPEG, which may claim another size."""
    data = bytearray(cv2.imencode(".jpg", np.full((height, width), 120, np.uint8))[1].tobytes())
    if claimed:
        struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, claimed[1], claimed[0])
    return bytes(data)


def y4m(width: int, height: int, frames: int, rate: str) -> bytes:
    size = width * height + 2 * (-(-width // 2) * -(-height // 2))
    head = f"YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C420jpeg\n".encode()
    return head + b"".join(b"FRAME\n" + bytes([i * 7 % 256]) * size for i in range(frames))


def gif(canvas: tuple[int, int], frames: int) -> bytes:
    """Return a GIF of one-pixel frames on a canvas of any size."""
    head = b"GIF89a" + struct.pack("<HH", *canvas) + b"\x80\0\0\0\0\0\xff\xff\xff"
    one = b"\x21\xf9\x04\0\x02\0\0\0" + b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\x02\x44\x01\0"
    return head + one * frames + b"\x3b"


def _tell(text: str, path: Path) -> None:
    path.write_text(text)


Make = Callable[[Path], object]
CRAFTED: dict[str, tuple[Make, list[str]]] = {
    # Sizes
    "one_pixel.y4m": (lambda p: p.write_bytes(y4m(1, 1, 20, "25:1")), [*USED]),
    "odd_sides.y4m": (lambda p: p.write_bytes(y4m(33, 17, 20, "25:1")), USED),
    "one_line.y4m": (lambda p: p.write_bytes(y4m(4000, 1, 20, "25:1")), USED),
    "one_column.y4m": (lambda p: p.write_bytes(y4m(1, 4000, 20, "25:1")), USED),
    "jpeg_65500.mjpeg": (lambda p: p.write_bytes(jpeg(64, 48, (65_500, 65_500)) * 20), ["damaged", "too_large"]),
    "jpeg_16000.mjpeg": (lambda p: p.write_bytes(jpeg(64, 48, (16_000, 16_000)) * 20), ["damaged", "too_large"]),
    "jpeg_8000.mjpeg": (lambda p: p.write_bytes(jpeg(64, 48, (8000, 8000)) * 20), [*USED, "damaged"]),
    "grows_to_16000.mjpeg": (
        lambda p: p.write_bytes(jpeg(64, 48) * 30 + jpeg(64, 48, (16_000, 16_000)) * 30),
        USED,
    ),
    "ever_other_sizes.mjpeg": (lambda p: p.write_bytes(b"".join(jpeg(16 + i, 500 - i) for i in range(400))), USED),
    "to_and_fro.mjpeg": (lambda p: p.write_bytes((jpeg(32, 32) + jpeg(4000, 4000)) * 8), USED),
    "canvas_65535.gif": (lambda p: p.write_bytes(gif((65_535, 65_535), 100)), ["too_large", "damaged", "no_frames"]),
    "canvas_16000.gif": (lambda p: p.write_bytes(gif((16_000, 16_000), 100)), ["too_large", "damaged"]),
    "canvas_8000.gif": (lambda p: p.write_bytes(gif((8000, 8000), 8)), USED),
    "many_held.mp4": (
        lambda p: write(p, "libx264", size=(2048, 2048), frames=24, options={**X264, "refs": "16", "g": "99"}),
        USED,
    ),
    "ten_bit_444.mp4": (
        lambda p: write(p, "libx265", size=(2048, 2048), frames=6, pixels="yuv444p10le", options=X265),
        USED,
    ),
    # Clocks and counts
    "one_a_second.mp4": (lambda p: write(p, "libx264", rate=1, options=X264), USED),
    "thousand_a_second.mp4": (lambda p: write(p, "libx264", rate=1000, frames=60, options=X264), USED),
    "million_a_second.y4m": (lambda p: p.write_bytes(y4m(16, 16, 2000, "1000000:1")), USED),
    "a_frame_in_a_day.y4m": (lambda p: p.write_bytes(y4m(16, 16, 20, "1:86400")), USED),
    "ten_thousand.y4m": (lambda p: p.write_bytes(y4m(2, 2, 10_000, "25:1")), USED),
    "five_thousand.gif": (lambda p: p.write_bytes(gif((16, 16), 5000)), USED),
    "no_duration.ivf": (lambda p: _all_at_once(p), USED),
    "one_frame.mp4": (lambda p: write(p, "libx264", frames=1, options=X264), USED),
    "late.mkv": (
        lambda p: write(p, "libx264", options=X264, tick=MS, at=lambda i: 2**40 + i * 40),
        USED,
    ),
    "early.mkv": (lambda p: write(p, "libx264", options=X264, at=lambda i: i - 1_000_000), [*USED, "no_frames"]),
    "wraps.ts": (
        lambda p: write(p, "libx264", options=X264, tick=TICK, at=lambda i: 2**33 - 60_000 + i * 3600),
        USED,
    ),
    "microseconds.mov": (
        lambda p: write(
            p, "libx264", options=X264, tick=Fraction(1, 1_000_000), rate=30, at=lambda i: i * 33_333 + i * i
        ),
        USED,
    ),
    "a_minute_each.mkv": (lambda p: write(p, "mpeg4", tick=Fraction(1, 1000), at=lambda i: i * 59_000), USED),
    # No files
    "pipe.mp4": (os.mkfifo, ["unreadable"]),
    "zeros.mp4": (lambda p: p.symlink_to("/dev/zero"), ["unreadable"]),
    "chance.mp4": (lambda p: p.symlink_to("/dev/urandom"), ["unreadable"]),
    "terminal.mp4": (lambda p: p.symlink_to("/dev/tty"), ["unreadable"]),
    "loop.mp4": (lambda p: p.symlink_to(p), GONE),
    "nowhere.mp4": (lambda p: p.symlink_to("/nowhere/at/all.mp4"), GONE),
    "folder.mp4": (Path.mkdir, ["unreadable"]),
    "empty.mp4": (Path.touch, ["empty"]),
    "sparse.mp4": (lambda p: _sparse(p, 1 << 40), ["not_a_video", "damaged"]),
    "growing.ts": (lambda p: _grow(p), USED),
    **{name: (partial(_tell, text), NO_VIDEO) for name, text in LIES.items()},
}


def _all_at_once(path: Path) -> None:
    """Show all frames at time 0."""
    data = bytearray(write(path, "libvpx").read_bytes())
    at = 32
    while at < len(data):
        data[at + 4 : at + 12] = bytes(8)
        at += 12 + int.from_bytes(data[at : at + 4], "little")
    path.write_bytes(data)


def _sparse(path: Path, size: int) -> None:
    """Make a terabyte of nothing, which takes no place on the disk."""
    with path.open("wb") as file:
        file.truncate(size)


def _grow(path: Path) -> None:
    """Make a file that someone goes on writing while it is read."""
    write(path, "mpeg2video", options={"g": "6"})
    data = path.read_bytes()

    def append() -> None:
        for _ in range(60):
            with path.open("ab") as file:
                file.write(data)
            time.sleep(0.02)

    threading.Thread(target=append, daemon=True).start()


def crafted(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield files as they are made, and what may come of each."""
    folder /= "crafted"
    folder.mkdir(parents=True)
    write(folder / "plain.mp4", "libx264", options=X264)
    for name, (make, wants) in CRAFTED.items():
        make(folder / name)
        yield folder / name, wants
