"""The captions of one video, each with what its scenes say to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longtake.grounding import Floats, Sentence, Timeline
from longtake.grounding._negative import Flags
from longtake.grounding._scenes import locate, touched
from longtake.grounding._weigh import Pool, fits, own_score, same_sayings


@dataclass(frozen=True, slots=True)
class Said:
    """One caption, and how it is with the scenes of its video."""

    sentence: Sentence
    scenes: tuple[int, int] | None
    """Those it was made of, the last included; None where its edges are not on theirs."""
    touches: tuple[int, int]
    """Those it has a part in."""
    score: float | None
    fits: Floats | None
    """Shape (n,): how well it fits each scene; None without a vector."""
    same: Flags
    """Shape (n,): which scenes have a caption that says the same, its own among them."""

    @property
    def elsewhere(self) -> bool:
        """Whether a caption of another scene says the same."""
        first, last = self.touches
        return bool(self.same[:first].any() or self.same[last + 1 :].any())


class Captions:
    """All captions of one video, weighed as one goes through them: only a few rows are in memory at once."""

    def __init__(self, timeline: Timeline, sentences: Sequence[Sentence], shift_s: float) -> None:
        self.timeline, self.sentences = timeline, sentences
        spans = [(sentence.start_s, sentence.end_s) for sentence in sentences]
        self._located = [locate(timeline, *span, shift_s) for span in spans]
        about = [found or touched(timeline, *span) for found, span in zip(self._located, spans, strict=True)]
        self._about = np.array(about, np.intp).reshape(-1, 2)
        self.captioned = self._covered(np.arange(len(sentences)))
        """Shape (n,): which scenes have a caption."""
        self._of_clip: dict[str, list[int]] = {}
        for number, sentence in enumerate(sentences):
            self._of_clip.setdefault(sentence.clip_id, []).append(number)

    def of_clip(self, clip_id: str) -> Flags:
        """Return which scenes are parts of a clip, as far as it has captions, shape (n,)."""
        return self._covered(np.array(self._of_clip[clip_id], np.intp))

    def scores(self, pool: Pool) -> Iterator[float | None]:
        """Yield how well each caption fits the scenes it was made of: the cosine; None where it can't be told."""
        for sentence, scenes in zip(self.sentences, self._located, strict=True):
            yield own_score(self.timeline.frames, scenes, sentence.vector, pool)

    def weighed(self, pool: Pool, same_caption: float) -> Iterator[Said]:
        """Yield each caption with all of that."""
        frames, sentences = self.timeline.frames, self.sentences
        rows = zip(self.scores(pool), fits(frames, sentences, pool), same_sayings(sentences, same_caption), strict=True)
        for number, (score, row, same) in enumerate(rows):
            touches = int(self._about[number, 0]), int(self._about[number, 1])
            yield Said(sentences[number], self._located[number], touches, score, row, self._covered(same))

    def _covered(self, captions: NDArray[np.intp]) -> Flags:
        """Return which scenes some captions are about, shape (n,)."""
        some, n = self._about[captions], len(self.timeline.starts_s)
        opened, closed = np.bincount(some[:, 0], minlength=n + 1), np.bincount(some[:, 1] + 1, minlength=n + 1)
        return np.asarray(np.cumsum(opened - closed)[:n] > 0, np.bool_)
