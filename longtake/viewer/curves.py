"""What was measured along a video's time, small enough to draw: curves, camera moves, and how alike its parts look."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longtake.errors import UsageError
from longtake.moves import WAYS, find_moves
from longtake.records import Series
from longtake.similarity import cosines, frame_vectors, mean_vectors
from longtake.steps import find
from longtake.store import Store, one_of

POINTS = 800
"""Of a curve: as many as a page has room for."""
PARTS = 120
"""Of a video that are likened each to each."""
UNKNOWN_COLUMNS = 4
"""Drawn of a signal that isn't ours."""
CLOSE_S = 0.2
"""What lies less far apart is one line, even if there are rows between that say nothing."""
PLACES = 4
"""Kept of a number, counted from the first of the curve's largest."""

CURVES: Mapping[str, Mapping[str, str]] = {
    "transitions": dict.fromkeys(("cut", "dissolve", "fade", "wipe"), ""),
    "change": {"lasting": "of 255", "unlike": "", "dissolve": "", "wipe": ""},
    "content": {"score": ""},
    "transnetv2": dict.fromkeys(("single", "many"), ""),
    "motion": {
        "mean": "heights/s",
        "camera_x": "heights/s",
        "camera_y": "heights/s",
        "zoom": "/s",
        "roll": "degrees/s",
    },
    "raft": {"mean": "heights/s"},
    "look": dict.fromkeys(("luma", "spread", "sharpness"), ""),
    "colour": {"colourfulness": ""},
    "text": dict.fromkeys(("area", "logo"), ""),
    "text_ocr": dict.fromkeys(("area", "logo"), ""),
    "fine": dict.fromkeys(("noise", "blocks", "combs"), ""),
    "borders": {},
    "embedding": {},
    "signature": {},
    "thumbnail": {},
}
"""Signal -> columns worth a look -> their units. What the set's detector reads is drawn first, others in this order."""

ALIKE = ("embedding", "signature")
"""Signals whose rows tell how alike pictures look, the best first."""

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Spans = Sequence[tuple[float, float]]


class Measured:
    """The signals that a set has stored of one video; they are read when they are asked for."""

    def __init__(self, store: Store, recipe: Mapping[str, Any], video_id: str) -> None:
        self._store, self._video_id = store, video_id
        used = {label: given["step"] for label, given in recipe.get("signals", {}).items()}
        rows = store.read("signals", ["key", "label", "step"], one_of("video_id", [video_id])).to_pylist()
        # The last one, where a signal was measured again with other parameters.
        stored = {row["label"]: row["key"] for row in rows if used.get(row["label"]) == row["step"]}
        first, order = recipe.get("shots", {}).get("signal"), [*CURVES]
        place = {label: order.index(used[label]) if used[label] in order else len(order) for label in stored}
        self.steps = {label: used[label] for label in sorted(stored, key=lambda one: (one != first, place[one], one))}
        """Label -> step, in the order in which they are drawn."""
        self._keys = stored

    def series(self, labels: Sequence[str]) -> dict[str, Series]:
        """Return some of the signals, by their labels."""
        keys = {self._keys[label]: label for label in labels}
        found = self._store.signals_of([self._video_id], list(keys))[self._video_id]
        return {label: Series(**found[key]) for key, label in keys.items() if key in found}

    def curves(self, start_s: float, end_s: float) -> list[dict[str, Any]]:
        """Return what is worth a look in a stretch of the video, `reduced`, with its unit and meaning."""
        shown = [label for label, step in self.steps.items() if CURVES.get(step, {"": ""})]
        found = []
        for label, series in self.series(shown).items():
            own = CURVES.get(self.steps[label], dict.fromkeys(series.columns[:UNKNOWN_COLUMNS], ""))
            inside = series.between(start_s, end_s)
            for column in (name for name in own if name in series.columns):  # an older version may lack some
                named = {"label": label, "column": column, "unit": own[column]}
                about = _meaning(self.steps[label], column)
                found.append({**named, "about": about, **reduced(*_measured(inside.times, inside.column(column)))})
        return found

    def moves(self, shots: Spans) -> list[dict[str, Any]]:
        """Return what the camera does in each shot, in seconds of the video; nothing where motion wasn't measured."""
        label = next((label for label, step in self.steps.items() if step == "motion"), None)
        if label is None:
            return []
        motion, found = self.series([label])[label], []
        if not set(WAYS) <= set(motion.columns):
            return []  # measured by an older version
        for start_s, end_s in shots:
            rows = motion.between(start_s, end_s)
            inside = Series(rows.columns, rows.times - start_s, rows.frames, rows.values)
            for move in find_moves(inside, end_s - start_s):
                times = {"start_s": start_s + move.start_s, "end_s": start_s + move.end_s}
                found.append({"kind": move.kind, **times, "speed": round(move.speed, PLACES)})
        return found

    def similarity(self, parts: Spans) -> dict[str, Any] | None:
        """Return how alike the parts of a video look, each to each, as cosines; None where no signal tells.

        Of very many parts, neighbours are taken together.
        """
        label = next((label for name in ALIKE for label, step in self.steps.items() if step == name), None)
        if label is None or not parts:
            return None
        spans = np.asarray(parts, np.float64)
        first = np.unique(np.linspace(0, len(spans), min(len(spans), PARTS), endpoint=False).astype(int))
        frames = frame_vectors(self.series([label])[label], spans[:, 0], spans[:, 1])
        groups = np.split(frames, first[1:])
        vectors = np.concatenate([mean_vectors(group.reshape(1, -1, group.shape[-1])) for group in groups])
        return {
            "signal": label,
            "edges": [*spans[first, 0].tolist(), float(spans[-1, 1])],
            "matrix": rounded(cosines(vectors, vectors).astype(np.float64)).tolist(),
        }


def _meaning(step: str, column: str) -> str:
    """Return what a signal says of a column; nothing where a third party's isn't installed here."""
    try:
        return find("signals", step).meaning(column)
    except UsageError:
        return ""


def _measured(times: Floats, values: Floats32) -> tuple[Floats, Floats32]:
    """Return a curve without the rows between two close ones, of a column that isn't measured at every row."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) in (0, len(values)):
        return times, values
    place = np.searchsorted(known, np.arange(len(values)))
    before, after = known[np.maximum(place - 1, 0)], known[np.minimum(place, len(known) - 1)]
    between = np.isnan(values) & (before < after) & (times[after] - times[before] < CLOSE_S)
    return times[~between], values[~between]


def reduced(times: Floats, values: Floats32) -> dict[str, list[float]]:
    """Return a curve of at most 800 points: the middle of each's time, the least and the largest value in it.

    A value that is no number counts only where all of the point's are.
    """
    if not len(times):
        return {"times": [], "low": [], "high": []}
    first = np.unique(np.linspace(0, len(times), min(len(times), POINTS), endpoint=False).astype(int))
    last = np.append(first[1:], len(times)) - 1
    values = values.astype(np.float64)
    return {
        "times": np.round((times[first] + times[last]) / 2, PLACES).tolist(),
        "low": rounded(np.fmin.reduceat(values, first)).tolist(),
        "high": rounded(np.fmax.reduceat(values, first)).tolist(),
    }


def rounded(values: Floats) -> Floats:
    """Return numbers with as many places as the largest needs for four digits."""
    most = float(np.nanmax(np.abs(values), initial=0.0, where=np.isfinite(values)))
    return np.round(values, PLACES - 1 - int(np.floor(np.log10(most)))) if most > 0 else values
