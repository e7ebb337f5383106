"""Pairs of shots that show one place or two, and how alike vectors say they are: what `similarity.py` judges.

Shots are compared by the means of three rows that `longtake.similarity` makes, as scenes and spans compare them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, combinations_with_replacement, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from truth import CUTS, Truth

from longtake.records import Series
from longtake.signals.signature import Signature, read_weights
from longtake.similarity import cosines, frame_vectors, mean_vectors
from longtake.video import scan
from longtake.video.scan import Frames, Tap, fit_size

Floats = NDArray[np.float32]
Pictures = NDArray[np.uint8]
Change = Callable[[Pictures], Pictures]
Rows = Mapping[str, Series]
"""What every signal of `Judge.see` gave of one video."""

METHODS = ("all", "colour", "shape", "rgb histogram", "gray thumbnail")
LENGTH_S, APART_S = 2.0, 1.0
"""The stretches of a single that are compared, and how far apart they are at least."""
SAME_PLACE = (("A134", "A135", "A136"), ("A74", "A75"))
"""Singles that show one place: pairs of them count neither way."""
PLACES: dict[str, tuple[range, ...]] = {"r_omni6": (range(2, 6), range(8, 36)), "r_pmndrs10": ()}
"""Of films, which shots show one place, by their numbers; every other shot is a place of its own. Found by eye."""
SAME_FILM = (("r_sintel_film", "r_sintel_trailer"),)


class Plain:
    """Two plain vectors: the root of a histogram of RGB in 512 cells, and 8x8 gray pixels less their mean."""

    columns = (*(f"rgb{i}" for i in range(512)), *(f"gray{i}" for i in range(64)))
    tap = Signature.tap

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        values = np.array([self.one(picture) for picture in frames.pixels], np.float32).reshape(-1, len(self.columns))
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), values)

    def one(self, picture: Pictures) -> NDArray[np.float64]:
        """Return both vectors of a picture."""
        cells = (picture.astype(np.intp) >> 5) @ (64, 8, 1)
        gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
        thumbnail = cv2.resize(gray, (8, 8), interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
        return np.concatenate([np.sqrt(np.bincount(cells.ravel(), minlength=512)), thumbnail - thumbnail.mean()])


@dataclass
class Pairs:
    """Pairs of shots: whether they show one place, how much each counts, and their cosines by method."""

    same: list[bool] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    gaps_s: list[float] = field(default_factory=list)
    """From the end of the one to the start of the other, where both are of one single; else NaN."""
    cosines: dict[str, list[float]] = field(default_factory=lambda: {method: [] for method in METHODS})

    def add(self, found: Mapping[str, Floats], same: bool, weight: float, gaps_s: Sequence[float] = ()) -> None:
        """Add pairs of one kind, their cosines by method; together they count `weight`."""
        n = len(found["all"])
        self.same += [same] * n
        self.weights += [weight / max(n, 1)] * n
        self.gaps_s += gaps_s or [np.nan] * n
        for method in METHODS:
            self.cosines[method] += found[method].tolist()


class Judge:
    """The signal with the weights shipped and with those of `training/signature.py --folds`."""

    def __init__(self, folds: Path | None) -> None:
        self.group: dict[str, int] = json.loads((folds / "groups.json").read_text()) if folds else {}
        self.files: dict[str, Path] = {}
        if folds:
            for a, b in combinations(sorted(set(self.group.values())), 2):
                self.files[f"{a}-{b}"] = folds / f"{a}-{b}.npz"

    def see(self, path: Path) -> Rows:
        """Return the rows of every signal for one video: `shipped`, `plain`, and one for each fold."""
        signals: dict[str, Any] = {"shipped": Signature(), "plain": Plain()}
        for fold, file in self.files.items():
            signals[fold] = signature = Signature()
            signature.weights = read_weights(file)
        return scan(path, signals).series

    def stranger(self, one: str, other: str) -> str:
        """Return which weights know neither of two singles; the shipped ones where there are no others."""
        known = {str(self.group[name]) for name in (one, other)} if self.files else set()
        return next((fold for fold in self.files if not known & set(fold.split("-"))), "shipped")


def vectors(rows: Rows, spans_s: Sequence[tuple[float, float]], weights: str) -> dict[str, Floats]:
    """Return the vectors of so many stretches, by method; the signature is the one with these weights."""
    starts, ends = np.array(spans_s).reshape(-1, 2).T
    parts = {"all": (weights, ""), "colour": (weights, "colour"), "shape": (weights, "shape")}
    parts |= {"rgb histogram": ("plain", "rgb"), "gray thumbnail": ("plain", "gray")}
    found = {}
    for method, (label, prefix) in parts.items():
        series = rows[label]
        chosen = [i for i, column in enumerate(series.columns) if column.startswith(prefix)]
        names = tuple(series.columns[i] for i in chosen)
        part = Series(names, series.times, series.frames, series.values[:, chosen])
        found[method] = mean_vectors(frame_vectors(part, starts, ends))
    return found


def compare(some: Mapping[str, Floats], others: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the cosines of all with all by method; NaN in all of them where one method can't tell."""
    whole = {method: cosines(some[method], others[method]) for method in METHODS}
    unknown = np.any([np.isnan(values) for values in whole.values()], axis=0)
    return {method: np.where(unknown, np.float32(np.nan), values) for method, values in whole.items()}


def singles(rows: Mapping[str, Rows], judge: Judge) -> Pairs:
    """Pair two seconds of a single with others of it, and with those of every other; each single counts the same."""
    pairs = Pairs()
    spans = {name: _stretches(float(seen["plain"].times[-1])) for name, seen in rows.items()}
    made = partial(_made_once, {}, rows, spans)
    for one, other in combinations_with_replacement(rows, 2):
        if one != other and _together(one, other, SAME_PLACE):
            continue
        weights = judge.stranger(one, other)
        found = compare(made(one, weights), made(other, weights))
        known = ~np.isnan(found["all"])
        if one == other:
            gaps = np.subtract.outer([start for start, _ in spans[one]], [end for _, end in spans[one]])
            known &= gaps >= APART_S - 1e-6
            pairs.add({k: v[known] for k, v in found.items()}, True, 1.0, gaps[known].tolist())
        else:
            pairs.add({k: v[known] for k, v in found.items()}, False, 1.0)
    return pairs


def _stretches(last_s: float) -> list[tuple[float, float]]:
    return [(start, start + LENGTH_S) for start in np.arange(0, max(last_s + 0.5 - LENGTH_S, 0) + 1e-6).tolist()]


def _made_once(
    made: dict[tuple[str, str], dict[str, Floats]],
    rows: Mapping[str, Rows],
    spans: Mapping[str, Sequence[tuple[float, float]]],
    name: str,
    weights: str,
) -> dict[str, Floats]:
    if (name, weights) not in made:
        made[name, weights] = vectors(rows[name], spans[name], weights)
    return made[name, weights]


def _together(one: str, other: str, groups: Sequence[Sequence[str]]) -> bool:
    return any(one in group and other in group for group in groups)


def composed(rows: Mapping[str, Rows], truths: Sequence[Truth], sources: Mapping[str, Any], judge: Judge) -> Pairs:
    """Pair the shots of each video; one place are those from one single, none of them or both mirrored."""
    pairs = Pairs()
    for truth in truths:
        own, spans = sources[truth.name], shots(truth)
        made = {fold: vectors(rows[truth.name], spans, fold) for fold in (*judge.files, "shipped")}
        whole = {fold: compare(found, found) for fold, found in made.items()}
        for i, j in combinations(range(len(spans)), 2):
            same = own[i]["source"] == own[j]["source"]
            if same and own[i]["flip"] != own[j]["flip"]:
                continue
            if not same and _together(own[i]["source"], own[j]["source"], SAME_PLACE):
                continue
            found = whole[judge.stranger(own[i]["source"], own[j]["source"])]
            if not np.isnan(found["all"][i, j]):
                pairs.add({method: values[i, j : j + 1] for method, values in found.items()}, same, 1.0)
    return pairs


def edited(rows: Mapping[str, Rows], truths: Sequence[Truth], *, neighbours: bool) -> Pairs:
    """Pair the shots of films whose places are known, only neighbours if asked; else of different films too."""
    pairs = Pairs()
    made = {truth.name: vectors(rows[truth.name], shots(truth), "shipped") for truth in truths}
    for name, places in PLACES.items():
        found = compare(made[name], made[name])
        n = len(found["all"])
        place = {shot: number for number, shown in enumerate(places) for shot in shown}
        for i, j in pairwise(range(n)) if neighbours else combinations(range(n), 2):
            if not np.isnan(found["all"][i, j]):
                same = i in place and place[i] == place.get(j)
                pairs.add({method: values[i, j : j + 1] for method, values in found.items()}, same, 1.0)
    for one, other in combinations(made, 2):
        if not neighbours and not _together(one, other, SAME_FILM):
            found = compare(made[one], made[other])
            known = ~np.isnan(found["all"])
            pairs.add({k: v[known] for k, v in found.items()}, False, float(known.sum()))
    return pairs


def shots(truth: Truth) -> list[tuple[float, float]]:
    """Return the shots of a video in seconds, without mixed frames and frames that don't count."""
    counted = np.ones(truth.frames, bool)
    for first, last in [
        *truth.ignore,
        *((t.first_frame, t.last_frame) for t in truth.transitions if t.kind not in CUTS),
    ]:
        counted[first : last + 1] = False
    edges = {t.first_frame for t in truth.transitions} | {0, truth.frames}
    found = []
    for start, end in pairwise(sorted(edges)):
        frames = np.flatnonzero(counted[start:end])
        if len(frames):
            bounds = start + int(frames[0]), start + int(frames[-1]) + 1
            found.append((truth.seconds(0, bounds[0]), truth.seconds(0, bounds[1])))
    return found


class Middle:
    """The pictures of a video, of which the middle one is taken."""

    columns = ("none",)
    tap = Tap(320, "rgb24", hz=2)

    def __init__(self) -> None:
        self.pictures: list[Pictures] = []

    def __call__(self, frames: Frames) -> Series:
        """Keep one block."""
        self.pictures += [picture.copy() for picture in frames.pixels]
        return Series(self.columns, frames.times, frames.numbers, np.zeros((len(frames.times), 1), np.float32))


def altered(path: Path, judge: Judge) -> dict[str, dict[str, float]]:
    """Return how alike the middle picture of a single and itself are, changed in each of `CHANGES`, by method."""
    middle, signature = Middle(), Signature()
    scan(path, {"middle": middle})
    picture = middle.pictures[len(middle.pictures) // 2]
    weights = judge.stranger(path.stem, path.stem)
    if weights in judge.files:
        signature.weights = read_weights(judge.files[weights])
    found = {}
    for name, (one, other) in CHANGES.items():
        made = [_seen_alone(change(picture), signature) for change in (one, other)]
        found[name] = {method: float(values[0, 0]) for method, values in compare(*made).items()}
    return found


def _seen_alone(picture: Pictures, signature: Signature) -> dict[str, Floats]:
    small = cv2.resize(picture, fit_size(64, picture.shape[1::-1]), interpolation=cv2.INTER_AREA)
    frames = Frames(np.zeros(1), np.zeros(1, np.int32), np.asarray(small, np.uint8)[None], True)
    return vectors({"shipped": signature(frames), "plain": Plain()(frames)}, [(0.0, 1.0)], "shipped")


def _cropped(left: float, right: float, top: float, bottom: float) -> Change:
    def crop(picture: Pictures) -> Pictures:
        height, width = picture.shape[:2]
        return picture[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]

    return crop


def _lit(gain: Sequence[float], gamma: float = 1.0) -> Change:
    return lambda picture: np.asarray(255 * np.clip(picture / 255 * gain, 0, 1) ** gamma, np.uint8)


def _barred(picture: Pictures) -> Pictures:
    bar = picture.shape[0] // 6
    return np.pad(picture, ((bar, bar), (0, 0), (0, 0)))


def _coded(picture: Pictures) -> Pictures:
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 10])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _as_is(picture: Pictures) -> Pictures:
    return picture


CHANGES: dict[str, tuple[Change, Change]] = {
    "a third of the size": (
        _as_is,
        lambda picture: np.asarray(cv2.resize(picture, None, fx=1 / 3, fy=1 / 3), np.uint8),
    ),
    "JPEG of quality 10": (_as_is, _coded),
    "black bars": (_as_is, _barred),
    "zoomed in, to 80 %": (_as_is, _cropped(0.1, 0.9, 0.1, 0.9)),
    "zoomed in, to 60 %": (_as_is, _cropped(0.2, 0.8, 0.2, 0.8)),
    "panned by a sixth": (_cropped(0, 6 / 7, 0, 1), _cropped(1 / 7, 1, 0, 1)),
    "panned by a third": (_cropped(0, 3 / 4, 0, 1), _cropped(1 / 4, 1, 0, 1)),
    "darker by half a stop": (_as_is, _lit([0.8] * 3)),
    "brighter by half a stop": (_as_is, _lit([1.18] * 3)),
    "flatter, gamma 0.75": (_as_is, _lit([1.0] * 3, 0.75)),
    "warmer": (_as_is, _lit([1.06, 1.0, 0.92])),
    "gray": (_as_is, lambda picture: np.asarray(picture.mean(axis=2, keepdims=True).repeat(3, axis=2), np.uint8)),
    "mirrored": (_as_is, lambda picture: picture[:, ::-1]),
    "upside down": (_as_is, lambda picture: picture[::-1]),
}
"""What is done to a picture, and to the same one that it is compared with."""
