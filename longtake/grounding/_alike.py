"""How alike the scenes of one video look: the similarity of some of them with all, a block at a time."""

from collections import OrderedDict

import numpy as np

from longtake.grounding import Floats, Timeline
from longtake.similarity import cosines

BLOCK = 64
"""Scenes whose similarities are worked out together."""
KEPT = 4
"""Blocks that are kept, for captions come in order of time: memory grows with the number of scenes, not its square."""


class Alike:
    """Similarity of two scenes: the greatest cosine of a shot of one with a shot of the other; NaN if one has none."""

    def __init__(self, timeline: Timeline, most_scenes: int) -> None:
        """Compare the first `most_scenes`; 0 = all. The others are as if not measured."""
        self._scenes = len(timeline.starts_s)
        measured = ~np.isnan(timeline.shots).any(axis=1)
        if most_scenes:
            measured &= timeline.scene_of < most_scenes
        self._shots = timeline.shots[measured]
        self._seen, self._first = np.unique(timeline.scene_of[measured], return_index=True)
        self._blocks: OrderedDict[int, Floats] = OrderedDict()
        self.unseen = ~np.isin(np.arange(self._scenes), self._seen)
        """Shape (n,): of which scenes one shot or more was not measured, so that nothing is known for sure."""
        self.unseen[timeline.scene_of[~measured]] = True

    def with_all(self, first: int, last: int) -> Floats:
        """Return the greatest similarity of scenes `first` to `last` with each scene, shape (n,)."""
        best = np.full(self._scenes, np.nan, np.float32)
        for number in range(first // BLOCK, last // BLOCK + 1):
            begin = number * BLOCK
            rows = self._block(number)[max(first - begin, 0) : last + 1 - begin]
            np.fmax(best, np.fmax.reduce(rows, axis=0), out=best)
        return best

    def _block(self, number: int) -> Floats:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        begin = number * BLOCK
        rows = np.full((min(BLOCK, self._scenes - begin), self._scenes), np.nan, np.float32)
        low, high = np.searchsorted(self._seen, [begin, begin + BLOCK])
        if low < high:
            edges = np.append(self._first, len(self._shots))
            found = cosines(self._shots[edges[low] : edges[high]], self._shots)
            found = np.maximum.reduceat(found, self._first[low:high] - edges[low], axis=0)
            found = np.maximum.reduceat(found, self._first, axis=1)
            rows[np.ix_(self._seen[low:high] - begin, self._seen)] = found
        self._blocks[number] = rows
        if len(self._blocks) > KEPT:
            self._blocks.popitem(last=False)
        return rows
