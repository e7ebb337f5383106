"""Negative spans as InternVid-G's script makes them, from the formulas alone: plain Python, one scene at a time.

It knows nothing of the package, so that the two can be held against each other.
"""

import math
from collections.abc import Sequence


def similarity_matrix(shots: Sequence[Sequence[Sequence[float]]]) -> list[list[float]]:
    """`shots[i]` are the vectors of scene i's shots: the greatest cosine of any two, to three decimals."""

    def cosine(a: Sequence[float], b: Sequence[float]) -> float:
        return math.fsum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))

    return [[max(round(cosine(a, b), 3) for a in some for b in others) for others in shots] for some in shots]


def record(
    start: float,
    end: float,
    scenes: Sequence[tuple[float, float]],
    similarity: Sequence[Sequence[float]],
    duration: float,
    *,
    same: float = 0.8,
    shortest: float = 0.5,
    longest: float = 10.0,
    shift: float = 0.25,
    most_scenes: int = 100,
) -> dict | None:
    """One captioned stretch; None where no record is written."""
    scenes = scenes[:most_scenes]
    n = len(scenes)
    if end - start < shortest or end - start > longest:
        return None
    cs, ce = 0, n - 1
    for i in range(n):
        if scenes[i][0] >= start - shift:
            cs = i
            break
    for i in reversed(range(n)):
        if scenes[i][1] <= end + shift:
            ce = i
            break
    if ce < cs:
        return None
    left, right = cs, ce
    while left - 1 >= 0 and similarity[left - 1][cs] > same:
        left -= 1
    while right + 1 <= n - 1 and similarity[right + 1][ce] > same:
        right += 1
    if left < cs:
        start = scenes[left][0]
    if right > ce:
        end = scenes[right][1]
    cs, ce = left, right
    different = [max(similarity[i][j] for i in range(cs, ce + 1)) < same for j in range(n)]
    neg_start_scene = neg_end_scene = None
    if cs == 0 or all(different[:cs]):
        neg_start = 0.0
    elif not any(different[:cs]):
        neg_start = start
    else:
        neg_start_scene = cs - 1
        while different[neg_start_scene]:
            neg_start_scene -= 1
        neg_start = scenes[neg_start_scene][1]
    if ce == n - 1 or all(different[ce + 1 :]):
        neg_end = duration
    elif not any(different[ce + 1 :]):
        neg_end = end
    else:
        neg_end_scene = ce + 1
        while different[neg_end_scene]:
            neg_end_scene += 1
        neg_end = scenes[neg_end_scene][0]
    if neg_end_scene == ce and neg_start_scene == cs:
        return None
    if end - start > longest:
        return None
    return {
        "start_s": start,
        "end_s": end,
        "neg_start_s": neg_start,
        "neg_end_s": neg_end,
        "start_scene": cs,
        "end_scene": ce,
        "neg_start_scene": neg_start_scene,
        "neg_end_scene": neg_end_scene,
    }
