"""Peak memory of one worker: scanning a video with everything in a recipe, then writing a clip of it, at three sizes.

    python benchmarks/memory.py [--seconds 20] [--json results/memory.json]

Each measurement is a fresh process, as a worker is; the videos are moving noise textures, made on the spot.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np

SIZES = ((1280, 720), (1920, 1080), (3840, 2160))
WORKER = """
import resource, sys
from longtake.jobs import measure, write
from longtake.recipe import load
recipe = load("lvd2m")
job = {"path": sys.argv[1], "set": sys.argv[2], "recipe": recipe.as_dict(), "threads": 1}
done = measure(job, lambda reached: None)
peaks = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]
clip = {"id": "clip", **{k: done["clips"][0][k] for k in ("start_s", "end_s", "start_frame", "end_frame")}}
write({"video": done["video"], "clip": clip, "set": sys.argv[2], "files": {}}, lambda reached: None)
peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
print(*peaks)
"""


def make_video(path: Path, width: int, height: int, seconds: int) -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (height // 8, width // 4, 3), np.uint8)
    wide = np.asarray(cv2.resize(small, (width * 2, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast", "crf": "28"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * 24):
            window = np.ascontiguousarray(wide[:, number % width :][:, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(window, format="rgb24")))
        container.mux(stream.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description="Peak memory of one worker.")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            path = Path(folder) / f"{height}.mp4"
            make_video(path, width, height, options.seconds)
            command = [sys.executable, "-c", WORKER, str(path), folder]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            scan_mib, write_mib = map(int, said.split())
            rows.append({"size": f"{width}x{height}", "scan_mib": scan_mib, "scan_and_write_mib": write_mib})
            print(f"{width}x{height}: {scan_mib} MiB after the scan, {write_mib} MiB after writing a clip")
    if options.json:
        head = {"machine": f"{platform.machine()}, Python {platform.python_version()}", "seconds": options.seconds}
        options.json.write_text(json.dumps({**head, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
