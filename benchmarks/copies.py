"""How well copies of footage are found, and how long a large set takes.

    python benchmarks/copies.py [FOOTAGE] [--clips 100000] [--json results/copies.json]

FOOTAGE holds `singles/`, videos of one shot each; without it, `dev` in the folder that LONGTAKE_FOOTAGE names. Of each:
copies: 19 altered ones (`_altered.py`) against the shot itself. recall: the share that is taken for a copy.
moments: halves, thirds and quarters of the shot against those of its altered copies that show another time. Any that is
    taken for a copy is false; so is any two different shots, among them takes of one place.
The constants of `longtake.duplicates` were set on the first 28 shots; the others were not looked at before,
    but for `TRUSTED_S`, which two of them called for.
A set of CLIPS made-up clips, of which 5 % are copies of others and a fifth share places with some twenty others:
seconds, memory, how many of the copies were found, and how many clips were taken for copies that are none.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy is loaded

import argparse
import json
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _altered import Film, altered, decode, see, write
from _machine import measured_on
from numpy.typing import NDArray

from longtake.duplicates import EVIDENCE, Copies, match, parts, pictures
from longtake.grouping import group_copies
from longtake.recipe import Recipe, resolve
from longtake.schemas import SCHEMAS
from longtake.store import Store, score_columns
from longtake.watch import Estimate, Plan, Progress

SET_ON = 28
"""Shots, the first by name, that the constants of `longtake.duplicates` were set on."""
MOMENTS = ("crf 35", "10 % cropped", "letterboxed", "several at once")
"""The altered copies whose other moments a shot is compared with; `several at once` begins 1.3 s later."""
LATER_S = {"several at once": 1.3}
GAP_S = 0.2
TERMS = Copies()
Span = tuple[float, float]


def is_copy(one: Film, span: Span, other: Film, other_span: Span) -> bool:
    """Return whether two clips are taken for copies, as `longtake run` does."""
    (_, some), (_, others) = (parts(f.series["signature"], *s) for f, s in ((one, span), (other, other_span)))
    if not len(some) or not len(others) or float((some @ others.T).max()) < TERMS.alike:
        return False
    shown = (pictures(f.series[EVIDENCE], *s) for f, s in ((one, span), (other, other_span)))
    found = match(*shown, part=TERMS.part)
    return found is not None and found.is_copy(TERMS.together)


@dataclass
class Tally:
    """What was taken for copies."""

    copies: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    moments: list[bool] = field(default_factory=list)
    others: list[bool] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Moments and shots that are no copies, and were taken for them."""

    def told(self) -> dict[str, Any]:
        """Return it as numbers."""
        right = [yes for found in self.copies.values() for yes in found]
        false = sum(self.moments) + sum(self.others)
        return {
            "copies": len(right),
            "recall": round(sum(right) / len(right), 4),
            "recall_by": {name: round(sum(found) / len(found), 3) for name, found in self.copies.items()},
            "moments": len(self.moments),
            "false_moments": sum(self.moments),
            "pairs_of_shots": len(self.others),
            "false_shots": sum(self.others),
            "precision": round(sum(right) / max(1, sum(right) + false), 4),
            "wrong": self.wrong,
        }


def judge(paths: Sequence[Path]) -> dict[str, Any]:
    """Judge all shots, those that the constants were set on and the others apart."""
    tallies = {"set_on": Tally(), "held_out": Tally()}
    films = {path.stem: see(path) for path in paths}
    known = {path.stem for path in paths[:SET_ON]}
    for path in paths:
        tally = tallies["set_on" if path.stem in known else "held_out"]
        _judge_shot(path, films[path.stem], tally)
        print(path.stem, "done", flush=True)
    for one, other in combinations(sorted(films), 2):
        tally = tallies["set_on" if {one, other} <= known else "held_out"]
        spans = [(0.0, films[name].duration_s) for name in (one, other)]
        tally.others.append(is_copy(films[one], spans[0], films[other], spans[1]))
        if tally.others[-1]:
            tally.wrong.append(f"{one} and {other}")
    return {name: tally.told() for name, tally in tallies.items()}


def _judge_shot(path: Path, film: Film, tally: Tally) -> None:
    whole = (0.0, film.duration_s)
    with tempfile.TemporaryDirectory() as folder:
        for copy in altered(*decode(path)):
            target = Path(folder, "copy.mp4")
            write(target, copy)
            made = see(target)
            tally.copies[copy.name].append(is_copy(film, whole, made, (0.0, made.duration_s)))
            if copy.name in MOMENTS:
                _judge_moments(path.stem, copy.name, film, made, tally)


def _judge_moments(shot: str, name: str, film: Film, made: Film, tally: Tally) -> None:
    """Compare stretches of a shot with those of a copy that show another time."""
    later_s = LATER_S.get(name, 0.0)
    for count in (2, 3, 4):
        length_s = min(film.duration_s, made.duration_s + later_s) / count
        if length_s < 2.5:
            continue
        for i, k in permutations(range(count), 2):
            mine = (i * length_s + GAP_S * (i > k), (i + 1) * length_s - GAP_S * (i < k))
            theirs = (max(0.0, k * length_s - later_s), (k + 1) * length_s - later_s)
            tally.moments.append(is_copy(film, mine, made, theirs))
            if tally.moments[-1]:
                tally.wrong.append(f"{shot}, {name}: parts {i} and {k} of {count}")


# A large set, made up

CLIPS_A_VIDEO = 5
VIDEOS_AT_ONCE = 200
PLACES_SHARED, SHARERS = 0.2, 20
PLANTED = 0.05


class MadeUp:
    """Clips with signatures and thumbnails as real ones have them: near for one place, moving each in its own way."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(0)
        self.count = count
        places = rng.integers(0, max(1, round(count * PLACES_SHARED / SHARERS)), count)
        self.place = np.where(rng.random(count) < PLACES_SHARED, places, count + np.arange(count))
        self.lasts_s = rng.uniform(6, 20, count)
        self.of = np.arange(count)
        """The clip that each is a copy of; itself for most."""
        copies = rng.choice(count, round(count * PLANTED), replace=False)
        originals = rng.choice(np.setdiff1d(np.arange(count), copies), len(copies))
        self.of[copies] = originals
        self.shift_s = np.where(self.of == np.arange(count), 0.0, rng.uniform(0, 2, count).round(1))
        self.lasts_s[copies] = self.lasts_s[originals] - self.shift_s[copies]

    def rows(self, clip: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the signature, twice per second, and the thumbnail, 8 times per second."""
        of = int(self.of[clip])
        where, own, noise = (np.random.default_rng([kind, seed]) for kind, seed in
                             ((1, int(self.place[of])), (2, of), (3, clip)))  # fmt: skip
        duration_s, shift_s = self.lasts_s[clip], self.shift_s[clip]
        base = np.ones(112) / np.sqrt(112)
        look = _unit(np.sqrt(0.6) * base + np.sqrt(0.4) * _unit(where.normal(size=112)))
        look = _unit(look + 0.25 * _unit(own.normal(size=112)))
        signature = look + 0.15 * _unit(noise.normal(size=112)) * (of != clip)
        signature = signature + 0.1 * noise.normal(size=(int(duration_s * 2) + 1, 112)) / np.sqrt(112)
        at_s = shift_s + np.arange(int(duration_s * 8) + 1) / 8
        cells = where.uniform(40, 200, 36) + _moves(own, at_s)
        cells = cells * (0.9 if of != clip else 1.0) + noise.normal(0, 0.3, cells.shape)
        return _unit(signature).astype(np.float32), cells.astype(np.float32)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _moves(rng: np.random.Generator, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    waves = rng.uniform(-6, 6, (5, 36)), rng.uniform(0.1, 0.8, (5, 1, 1)), rng.random((5, 1, 36))
    angles = 2 * np.pi * (waves[1] * at_s[None, :, None] + waves[2])
    return np.asarray((waves[0][:, None] * np.sin(angles)).sum(axis=0))


def fill(store: Store, recipe: Recipe, made: MadeUp) -> None:
    """Write a set of such clips, without a video."""
    columns = {label: use.step.columns for label, use in recipe.signals.items()}
    per = VIDEOS_AT_ONCE * CLIPS_A_VIDEO
    for start in range(0, made.count, per):
        signals: list[dict[str, Any]] = []
        clips: list[dict[str, Any]] = []
        for first in range(start, min(start + per, made.count), CLIPS_A_VIDEO):
            video_id = f"video-{first // CLIPS_A_VIDEO:010x}"
            rows: dict[str, list[Any]] = {"signature": [], EVIDENCE: []}
            times: dict[str, list[Any]] = {"signature": [], EVIDENCE: []}
            at_s = 0.0
            for clip in range(first, min(first + CLIPS_A_VIDEO, made.count)):
                end_s = at_s + float(made.lasts_s[clip])
                clips.append({"id": clip_name(video_id, clip), "video_id": video_id, "start_s": at_s, "end_s": end_s,
                              "duration_s": end_s - at_s, "height": 720, "kept": True})  # fmt: skip
                for label, values, hz in zip(("signature", EVIDENCE), made.rows(clip), (2, 8), strict=True):
                    rows[label].append(values)
                    times[label].append(at_s + np.arange(len(values)) / hz)
                at_s = end_s + 1.0
            for label in rows:
                values, when = np.concatenate(rows[label]), np.concatenate(times[label])
                series = {"columns": columns[label], "times": when, "values": values,
                          "frames": np.arange(len(when), dtype=np.int32)}  # fmt: skip
                use = recipe.signals[label]
                signals.append({"video_id": video_id, "key": use.key, "label": label, "step": label, "version": 1,
                                "parameters": {}, "series": series})  # fmt: skip
        store.add_signals(signals)
        store.append("clips", clips, SCHEMAS["clips"])
    store.compact()


def clip_name(video_id: str, clip: int) -> str:
    """Return a clip's id."""
    return f"{video_id}_{clip:08d}_00000000"


def _tell(news: Plan | Progress | Estimate) -> None:
    if isinstance(news, Progress):
        print(f"\r{news.words} {news.done:,} of {news.total:,}  ", end="")


def large(count: int) -> dict[str, Any]:
    """Find the copies in a made-up set."""
    recipe = resolve({"name": "copies", "copies": {}})
    made = MadeUp(count)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        fill(store, recipe, made)
        bytes_held = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        wall, cpu = time.monotonic(), time.process_time()
        done = group_copies(store, recipe, _tell)
        seconds = {"wall_s": round(time.monotonic() - wall, 1), "cpu_s": round(time.process_time() - cpu, 1)}
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        again = time.monotonic()
        group_copies(store, recipe, lambda _: None)
        again_s = round(time.monotonic() - again, 2)
        clips = store.read("clips").sort_by("id")
        group = score_columns(clips)["copies.group"]
    assert done is not None
    place = np.array([int(name.split("_")[1]) for name in clips["id"].to_pylist()])
    groups = np.empty(count)
    groups[place] = group
    copies = np.flatnonzero(made.of != np.arange(count))
    found = groups[copies] == groups[made.of[copies]]
    sources: dict[float, set[int]] = defaultdict(set)
    for clip in np.flatnonzero(~np.isnan(groups)).tolist():
        sources[groups[clip]].add(int(made.of[clip]))
    return {
        "clips": count,
        "set_mb": round(bytes_held / 1e6),
        **seconds,
        "nothing_new_s": again_s,
        "memory_mb": {"before": round(before_mb), "peak": round(peak_mb)},
        "pairs_compared": done.compared,
        "planted": len(copies),
        "found": round(float(found.mean()), 4),
        "groups": done.groups,
        "groups_that_mix": sum(len(some) > 1 for some in sources.values()),
    }


def show(results: Mapping[str, Any]) -> None:
    """Print what was found."""
    for name, row in results.get("footage", {}).items():
        print(f"{name}: recall {row['recall']:.3f} of {row['copies']}, precision {row['precision']:.3f}")
        print(f"  false: {row['false_moments']} of {row['moments']} moments, {row['false_shots']} of "
              f"{row['pairs_of_shots']} pairs of shots")  # fmt: skip
        print("  " + ", ".join(f"{kind} {share:.2f}" for kind, share in row["recall_by"].items()))
    if "large" in results:
        print(results["large"])


def main() -> None:
    parser = argparse.ArgumentParser(description="How well copies of footage are found, and how fast.")
    parser.add_argument("footage", nargs="?", type=Path, help="else dev in the folder LONGTAKE_FOOTAGE names")
    parser.add_argument("--clips", type=int, default=0, help="make up a set of so many clips too")
    parser.add_argument("--json", type=Path, help="write the results here; parts that were not measured stay")
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as in a worker
    footage = options.footage or (
        Path(os.environ["LONGTAKE_FOOTAGE"], "dev") if os.environ.get("LONGTAKE_FOOTAGE") else None
    )
    if footage is None and not options.clips:
        parser.error("name the folder of the footage, set LONGTAKE_FOOTAGE, or ask for --clips")
    results: dict[str, Any] = {}
    if options.json and options.json.is_file():
        results = json.loads(options.json.read_text())
    results |= measured_on()
    if footage:
        results["footage"] = judge(sorted((footage / "singles").iterdir()))
    if options.clips:
        results["large"] = large(options.clips)
    show(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
