"""Captions to spans: seconds and peak memory for many scenes, with made-up vectors.

    python benchmarks/grounding.py [--json results/grounding.json]

10,000 scenes of 200 videos, and 5,000 scenes of one. Every scene has one to three shots of one of some looks, a caption
of ten words, and vectors of 768 numbers; with and without a place for texts. Each measurement is a fresh process with
one thread; the time to make the vectors up is taken off. CPU seconds tell what it takes on a busy machine too. Memory
is that beyond an interpreter that has loaded everything, a video's own vectors among it.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _machine import measured_on

from longtake.grounding import Sentence, Timeline
from longtake.grounding.internvid_g import internvid_g
from longtake.similarity import mean_vectors, unit

CASES = ((200, 50), (1, 5000))
COLUMNS = 768
SAID = "a man walks along the long road and looks at grey birds over some low houses near the water with red trees"
WORDS = SAID.split()


class MadeUp:
    """Videos of some looks that come back, made anew whenever they are gone through."""

    def __init__(self, videos: int, scenes: int, texts: bool) -> None:
        self.videos, self.scenes, self.texts = videos, scenes, texts
        self.wall_s = self.cpu_s = 0.0
        """What making them took."""

    def __iter__(self) -> Iterator[tuple[Timeline, list[Sentence]]]:
        for number in range(self.videos):
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            made = self.make(number)
            self.wall_s += time.perf_counter() - wall_s
            self.cpu_s += time.process_time() - cpu_s
            yield made

    def make(self, number: int) -> tuple[Timeline, list[Sentence]]:
        """Return one video with a caption for each scene."""
        rng = np.random.default_rng(number)
        n = self.scenes
        looks = rng.standard_normal((max(n // 5, 1), COLUMNS), np.float32)
        look = rng.integers(0, len(looks), n)
        owners = np.repeat(np.arange(n, dtype=np.int32), rng.integers(1, 4, n))
        shots = mean_vectors(_near(looks[look[owners]][:, None], rng))
        frames = _near(np.repeat(looks[look][:, None], 3, axis=1), rng)
        edges = np.cumsum(np.append(0, rng.uniform(1, 9, n)))
        vectors = _near(looks[look], rng) if self.texts else [None] * n
        words = rng.integers(0, len(WORDS), (n, 10))
        said = [
            Sentence(
                f"{i}", "made-up", "short", 0, " ".join(WORDS[w] for w in words[i]), edges[i], edges[i + 1], vector
            )
            for i, vector in enumerate(vectors)
        ]
        shots_at = np.stack([edges[owners], edges[owners + 1]], axis=1)
        return Timeline(f"{number}", float(edges[-1]), edges[:-1], edges[1:], shots, owners, frames, shots_at), said


def _near(vectors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return vectors with a cosine of about 0.9 to those given."""
    return unit(vectors + np.float32(0.5) * rng.standard_normal(vectors.shape, np.float32))


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(videos: int, scenes: int, texts: bool) -> dict[str, object]:
    corpus = MadeUp(videos, scenes, texts)
    before = peak_mib()
    reasons: Counter[str | None] = Counter()
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for _, spans in internvid_g(corpus):
        reasons.update(span.rejected_by for span in spans)
    wall_s, cpu_s = time.perf_counter() - wall_s - corpus.wall_s, time.process_time() - cpu_s - corpus.cpu_s
    assert sum(reasons.values()) == videos * scenes
    return {
        "videos": videos,
        "scenes": videos * scenes,
        "texts": texts,
        "seconds": round(wall_s, 2),
        "cpu_seconds": round(cpu_s, 2),
        "more_mib": peak_mib() - before,
        "good": reasons[None],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Captions to spans: seconds and peak memory.")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=3, type=int, metavar=("VIDEOS", "SCENES", "TEXTS"), help="one measurement alone")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], options.one[1], bool(options.one[2]))))
        return
    rows = []
    for videos, scenes in CASES:
        for texts in (1, 0):
            command = [sys.executable, __file__, "--one", *map(str, (videos, scenes, texts))]
            one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            said = subprocess.run(command, capture_output=True, text=True, check=True, env=one_thread).stdout
            rows.append(json.loads(said))
            print(rows[-1])
    if options.json:
        options.json.write_text(json.dumps({**measured_on(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
