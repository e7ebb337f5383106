"""How well captions fit scenes, and which captions say the same."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from longtake.grounding import Floats, Sentence

Pool = Literal["max", "mean"]

ROUNDING = 1e-5
"""Cosines nearer than this are the same: what is left of an order of additions in float32."""
BLOCK = 64
"""Captions that are weighed together."""


def fit(frames: Floats, vectors: Floats, pool: Pool) -> Floats:
    """Return how well each of k captions fits each of n scenes: the cosine with its frames, pooled; shape (k, n).

    `frames` has shape (n, 3, d), `vectors` (k, d). Frames that were not measured don't count; NaN where none was.
    """
    found = (vectors @ frames.reshape(-1, frames.shape[-1]).T).reshape(len(vectors), *frames.shape[:2])
    measured = ~np.isnan(found)
    if pool == "max":
        best = np.where(measured, found, -np.inf).max(axis=2)
        return np.asarray(np.where(np.isneginf(best), np.nan, best), np.float32)
    count = measured.sum(axis=2)
    total = np.where(measured, found, 0).sum(axis=2)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), np.float32)


def own_score(frames: Floats, scenes: tuple[int, int] | None, vector: Floats | None, pool: Pool) -> float | None:
    """Return how well a caption fits the scenes it was made of, the last included; None where it can't be told."""
    if scenes is None or vector is None:
        return None
    scores = fit(frames[scenes[0] : scenes[1] + 1], vector[None], pool)[0]
    known = scores[~np.isnan(scores)]
    if not len(known):
        return None
    return float(known.max() if pool == "max" else known.mean(dtype=np.float64))


def fits(frames: Floats, sentences: Sequence[Sentence], pool: Pool) -> Iterator[Floats | None]:
    """Yield for one caption after the other how well it fits each scene, shape (n,); None for one without a vector."""
    for start in range(0, len(sentences), BLOCK):
        some = sentences[start : start + BLOCK]
        vectors = [sentence.vector for sentence in some if sentence.vector is not None]
        rows = iter(fit(frames, np.stack(vectors), pool) if vectors else ())
        yield from (None if sentence.vector is None else next(rows) for sentence in some)


def same_sayings(sentences: Sequence[Sentence], least: float) -> Iterator[NDArray[np.intp]]:
    """Yield for one caption after the other which of all say the same, itself among them.

    Those of the same words do, whatever their order. Otherwise the cosine of their vectors is `least` or more, or,
    where one has no vector, the words they share are that part of all their words or more.
    """
    words = [frozenset(re.findall(r"\w+", sentence.text.casefold())) for sentence in sentences]
    sizes = np.array([len(some) for some in words])
    users: dict[str, list[int]] = {}
    for number, some in enumerate(words):
        for word in some:
            users.setdefault(word, []).append(number)
    where = {word: np.array(numbers, np.intp) for word, numbers in users.items()}
    has = np.array([sentence.vector is not None for sentence in sentences], bool)
    dimensions = next((len(sentence.vector) for sentence in sentences if sentence.vector is not None), 0)
    vectors = np.zeros((len(sentences), dimensions), np.float32)
    for number, sentence in enumerate(sentences):
        if sentence.vector is not None:
            vectors[number] = sentence.vector
    for start in range(0, len(sentences), BLOCK):
        alike = vectors[start : start + BLOCK] @ vectors.T
        for number, row in enumerate(alike, start):
            if words[number]:
                shared = np.bincount(np.concatenate([where[word] for word in words[number]]), minlength=len(words))
            else:
                shared = np.zeros(len(words), np.intp)
            in_common = shared / np.maximum(sizes + sizes[number] - shared, 1)
            near = np.where(has & has[number], row, in_common) >= least - ROUNDING
            near |= (in_common == 1) | (sizes + sizes[number] == 0)
            yield np.flatnonzero(near)
