"""Fetching only a span of a video: bytes that come against those of the whole, and whether its frames are the same.

    python benchmarks/spans_fetched.py [--json results/spans_fetched.json]

A made video of ten minutes, 1280x720 at 24 frames per second, in some containers and with a key frame every 2 or every
10 seconds, is served on loopback; 10 seconds of its middle are fetched, then all of it. Loopback tells nothing of the
time that requests take: their number does.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from _machine import measured_on

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "fetching"))
from fileserver import FileServer  # type: ignore[import-not-found]  # the tests' own
from media import pan  # type: ignore[import-not-found]  # the tests' own

from longtake.fetching import Limits, Manner, fetch_list
from longtake.sources import Listed
from longtake.sources.lists import to_json
from longtake.sources.pieces import read_parts

FPS, MINUTE, MINUTES = 24, 60, 10
SPAN = (303.0, 313.0)
CASES = {
    "mp4, index in front, key frame every 10 s": (10, "mp4", {"movflags": "faststart"}),
    "mp4, index behind, key frame every 10 s": (10, "mp4", {}),
    "mp4, index in front, key frame every 2 s": (2, "mp4", {"movflags": "faststart"}),
    "mp4 in fragments, with an index of them": (2, "mp4", {"movflags": "frag_keyframe+empty_moov+dash+global_sidx"}),
    "mp4 in fragments, without an index": (2, "mp4", {"movflags": "frag_keyframe+empty_moov"}),
    "mkv, key frame every 2 s": (2, "matroska", {}),
    "mkv without cues": (2, "matroska", {"live": "1"}),
    "transport stream": (2, "mpegts", {}),
}


def minute(path: Path, gop_s: int) -> Path:
    """Encode a minute of pictures that move."""
    with av.open(str(path), "w", format="mp4") as out:
        options = {"preset": "ultrafast", "tune": "zerolatency", "bf": "2", "crf": "26", "g": str(gop_s * FPS)}
        stream = out.add_stream("libx264", rate=FPS, options={**options, "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for picture in pan(MINUTE * FPS, seed=5, speed=0.2, fps=FPS, size=(1280, 720)):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        out.mux(stream.encode())
    return path


def repeated(source: Path, target: Path, form: str, options: dict[str, str]) -> Path:
    """Write a minute ten times over, without encoding it again."""
    with av.open(str(target), "w", format=form, options=options) as out:
        stream = None
        for number in range(MINUTES):
            with av.open(str(source)) as file:
                video = file.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                for packet in file.demux(video):
                    if packet.pts is not None and packet.dts is not None:
                        shift = round(number * MINUTE / packet.time_base)
                        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                        out.mux(packet)
    return target


def frames(path: Path, shift_s: float) -> Iterator[tuple[float, Any]]:
    """Yield the frames of the span, with their times in the video."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert stream.time_base is not None
        first_s = float((stream.start_time or 0) * stream.time_base)
        if not shift_s:
            file.seek(round((SPAN[0] + first_s) / stream.time_base), stream=stream)
        for frame in file.decode(stream):
            assert frame.time is not None
            at_s = frame.time - first_s + shift_s
            if at_s >= SPAN[1] - 1e-3:
                return
            if at_s >= SPAN[0] - 1e-3:
                yield at_s, frame.to_ndarray()


def fetched(body: bytes, folder: Path, *, spans: bool) -> dict[str, Any]:
    """Fetch the span, or the whole, and say what came."""
    with FileServer({"/a": body}) as server:
        path = folder / "list.jsonl"
        path.write_text(to_json(Listed("plain", "a", f"{server.url}/a", *SPAN)) + "\n")
        began = time.monotonic()
        manner = Manner(allow_private=True, spans=spans)
        done = fetch_list([path], folder / f"to-{spans}", manner=manner, rate=100.0, limits=Limits(reserve_bytes=0))
        took_s = time.monotonic() - began
        assert done.counts == {"done": 1}, done
        asked = server.asked.total()
    return {"bytes": done.came_bytes, "requests": asked, "seconds": round(took_s, 2), "note": "; ".join(done.notes)}


def measure(minutes: dict[int, Path], name: str, folder: Path) -> dict[str, Any]:
    gop_s, form, options = CASES[name]
    folder.mkdir()
    source = repeated(minutes[gop_s], folder / "source", form, options)
    body = source.read_bytes()
    part, whole = (fetched(body, folder, spans=spans) for spans in (True, False))
    found = {"file_bytes": len(body), "span": part, "whole": whole, "share": round(part["bytes"] / len(body), 4)}
    pieces = read_parts(folder / "to-True").get("a", [])
    if pieces:
        own = next((folder / "to-True" / "videos").iterdir())
        found["piece_bytes"] = own.stat().st_size
        pairs = zip(frames(source, 0.0), frames(own, pieces[0].shift_s), strict=True)
        same = [abs(a - b) < 1e-6 and np.array_equal(x, y) for (a, x), (b, y) in pairs]
        found["frames"], found["equal"] = len(same), sum(same)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        minutes = {gop_s: minute(folder / f"minute-{gop_s}.mp4", gop_s) for gop_s in (2, 10)}
        for number, name in enumerate(CASES):
            found = results[name] = measure(minutes, name, folder / str(number))
            equal = (
                f"{found['equal']} of {found['frames']} frames equal" if "frames" in found else found["span"]["note"]
            )
            print(f"{name}: {found['span']['bytes'] / 1e6:.1f} of {found['file_bytes'] / 1e6:.1f} MB", end=" ")
            print(f"({found['share']:.1%}), {found['span']['requests']} requests, {equal}", flush=True)
    if arguments.json:
        about = {"span_s": SPAN, "minutes": MINUTES, "fps": FPS, "size": "1280x720"}
        arguments.json.write_text(json.dumps({**measured_on(), **about, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
