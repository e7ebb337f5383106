"""What the benchmarks share: bare decoding, timing in alternating pairs, and where a result was measured.

No benchmark of its own. It loads no numpy, so that a script can first say how many threads that gets.
"""

import datetime
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av

from longtake import __version__


def bare(path: Path, threads: int) -> None:
    """Decode every frame of a file and do nothing with it."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "AUTO" if threads > 1 else "NONE"
        stream.codec_context.thread_count = threads
        for packet in container.demux(stream):
            for _ in packet.decode():
                pass


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def ratios(path: Path, work: Callable[[], object], pairs: int, threads: int) -> dict[str, float]:
    """Return the medians, over alternating pairs, of the time of some work on a file over bare decoding time."""
    found = []
    for _ in range(pairs):
        decoded = timed(lambda: bare(path, threads))
        worked = timed(work)
        found.append((worked[0] / decoded[0], worked[1] / decoded[1], decoded[0]))
    cpu, wall, decode_s = (statistics.median(column) for column in zip(*found, strict=True))
    return {"cpu": round(cpu, 3), "wall": round(wall, 3), "bare_cpu_s": round(decode_s, 3)}


def measured_on() -> dict[str, Any]:
    """Return the head of a file of results: the date, the machine, the versions."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {"longtake": __version__, "av": av.__version__, "ffmpeg": av.ffmpeg_version_info},
    }
