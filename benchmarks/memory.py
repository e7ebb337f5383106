"""Peak memory of one worker: scanning a video with everything in a recipe, then writing a clip of it.

    python benchmarks/memory.py [--seconds 8] [--json results/memory.json]

The clip is written twice: copied where it can be (H.264 can), then encoded whole. Each measurement is a fresh process,
as a worker is; the videos are moving noise textures, made on the spot. One is three times as long as the others: what
a worker needs doesn't grow with that, but for the numbers it measures.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np
from _machine import measured_on
from av.video.stream import VideoStream

CASES = (
    ("libx264", 1280, 720, 1),
    ("libx264", 1280, 720, 3),
    ("libx264", 1920, 1080, 1),
    ("libx264", 3840, 2160, 1),
    ("libx265", 1920, 1080, 1),
    ("libx265", 3840, 2160, 1),
)
"""Encoder, width, height, and how many times as long as asked."""
QUIET = {"libx264": {}, "libx265": {"x265-params": "log-level=none"}}
WORKER = """
import sys
from pathlib import Path
from longtake.jobs import measure, write
from longtake.recipe import load

def peak():  # not getrusage: that begins with what the process had that started this one
    return next(int(line.split()[1]) for line in Path("/proc/self/status").open() if "VmHWM" in line) // 1024

recipe = load("lvd2m")
job = {"path": sys.argv[1], "set": sys.argv[2], "recipe": recipe.as_dict(), "threads": 1}
done = measure(job, lambda reached: None)
peaks = [peak()]
clip = {"id": "clip", **{k: done["clips"][0][k] for k in ("start_s", "end_s", "start_frame", "end_frame")}}
for copy in (True, False):
    job = {"video": done["video"], "clip": clip, "set": sys.argv[2], "files": {"copy": copy}}
    write(job, lambda reached: None)
    peaks.append(peak())
print(*peaks)
"""


def make_video(path: Path, encoder: str, width: int, height: int, seconds: int) -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (height // 8, width // 4, 3), np.uint8)
    wide = np.asarray(cv2.resize(small, (width * 2, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=24, options={"preset": "ultrafast", "crf": "28", **QUIET[encoder]})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * 24):
            window = np.ascontiguousarray(wide[:, number % width :][:, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(window, format="rgb24")))
        container.mux(stream.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description="Peak memory of one worker.")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for encoder, width, height, times in CASES:
            path = Path(folder) / "video.mp4"
            make_video(path, encoder, width, height, options.seconds * times)
            command = [sys.executable, "-c", WORKER, str(path), folder]
            said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            scanned, copied, encoded = map(int, said.split())
            seconds = options.seconds * times
            row = {"codec": encoder.removeprefix("lib"), "size": f"{width}x{height}", "seconds": seconds}
            rows.append({**row, "scan_mib": scanned, "copy_mib": copied, "encode_mib": encoded})
            print(f"{row}: {scanned} MiB after the scan, {copied} after a copied clip, {encoded} after an encoded one")
    if options.json:
        options.json.write_text(json.dumps({**measured_on(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
