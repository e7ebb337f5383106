"""How well the codec's own motion vectors tell what optical flow tells: they come nearly free with decoding.

    python benchmarks/vectors.py VIDEO... [--json results/vectors.json]

Videos are best of one shot each, H.264 or HEVC. For each pair of frames that the signal `motion` measures, vectors of
the frames between are taken, their lengths averaged over the picture, blocks without one counted as still, and their
speed in heights per second is compared with `motion.mean`: by pairs, and by the means of the videos. Vectors are taken
for those to the frame before, since files don't tell how far away the frame is that they point to.
"""

import argparse
import json
from pathlib import Path

import av
import cv2
import numpy as np
from _machine import measured_on
from numpy.typing import NDArray

from longtake.signals.motion import Motion
from longtake.video import scan

BETWEEN_S = 0.13
"""Just over the time between the two frames of a pair."""
Floats = NDArray[np.float64]


def vector_speeds(path: Path) -> tuple[Floats, Floats]:
    """Return the times of the frames, and their vectors' mean speed in heights per second; NaN for key frames."""
    times, speeds = [], []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"flags2": "+export_mvs"}
        for frame in container.decode(stream):
            found = frame.side_data.get("MOTION_VECTORS")
            times.append(frame.time or 0.0)
            speeds.append(np.nan if frame.pict_type == av.video.frame.PictureType.I else 0.0)
            if found is not None:
                block = found.to_ndarray()
                length = np.hypot(block["motion_x"], block["motion_y"]) / block["motion_scale"]
                area = block["w"].astype(np.float64) * block["h"]
                whole = max(area.sum(), frame.width * frame.height)
                speeds[-1] = float((length * area).sum() / whole * float(stream.average_rate or 25) / frame.height)
    return np.array(times) - times[0], np.array(speeds)


def pairs(path: Path) -> Floats:
    """Return rows of what flow and vectors say, of each pair of a video."""
    flow = scan(path, {"motion": Motion()}).series["motion"]
    times, speeds = vector_speeds(path)
    rows = []
    for start_s, mean in zip(flow.times, flow.column("mean"), strict=True):
        between = speeds[(times > start_s + 1e-3) & (times <= start_s + BETWEEN_S)]
        if np.isfinite(mean) and np.isfinite(between).any():
            rows.append((mean, np.nanmean(between)))
    return np.array(rows, np.float64).reshape(-1, 2)


def agreement(rows: Floats) -> dict[str, float]:
    """Return correlations of two columns, of their values and of their ranks, and how many rows there are."""
    ranks = np.argsort(np.argsort(rows, axis=0), axis=0)
    pearson, spearman = (float(np.corrcoef(both.T)[0, 1]) for both in (rows, ranks))
    return {"rows": len(rows), "pearson": round(pearson, 3), "spearman": round(spearman, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description="The codec's motion vectors against optical flow.")
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--json", type=Path, help="write the results here too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    found = [rows for path in options.videos if len(rows := pairs(path))]
    means = np.array([rows.mean(axis=0) for rows in found])
    factor = float(np.median(means[:, 1] / means[:, 0]))
    off = float(np.median(np.abs(means[:, 1] / factor / means[:, 0] - 1)))
    result = {
        "pairs": agreement(np.concatenate(found)),
        "videos": agreement(means),
        "vectors_over_flow": round(factor, 2),
        "median_difference_after_scaling": round(off, 3),
    }
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps({**measured_on(), **result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
