"""Made-up videos as rows of scenes with vectors and captions."""

from collections.abc import Sequence

import numpy as np

from longtake.grounding import Sentence, Timeline

TEXTS = (
    "a dog runs",
    "runs a dog",
    "a cat sleeps on a wall",
    "two men talk at a table",
    "two men talk at a long table",
    "rain falls",
)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def sentence(number: int, start_s: float, end_s: float, text: str = "", vector: np.ndarray | None = None) -> Sentence:
    text = text or f"caption number {number}"
    return Sentence(f"clip{number}", "captioner", "short", number, text, start_s, end_s, vector)


def timeline(
    looks: np.ndarray | Sequence[Sequence[float]],
    edges: Sequence[float],
    *,
    scene_of: Sequence[int] | None = None,
    frames: np.ndarray | None = None,
) -> Timeline:
    """Scenes that tile [0, last edge); a shot each, unless said; their frames look like their first shots."""
    looks = np.asarray(looks, np.float32)
    n = len(edges) - 1
    owners = np.arange(n, dtype=np.int32) if scene_of is None else np.asarray(scene_of, np.int32)
    if frames is None:
        frames = np.repeat(looks[np.searchsorted(owners, np.arange(n))][:, None], 3, axis=1)
    at = np.asarray(edges, np.float64)
    spans = at_even_parts(at[:-1], at[1:], owners)
    return Timeline("video", float(at[-1]), at[:-1], at[1:], looks, owners, np.asarray(frames, np.float32), spans)


def at_even_parts(starts_s: np.ndarray, ends_s: np.ndarray, scene_of: np.ndarray) -> np.ndarray:
    """The shots of each scene, of one length."""
    counts = np.bincount(scene_of, minlength=len(starts_s))[scene_of]
    place = np.arange(len(scene_of)) - np.searchsorted(scene_of, scene_of)
    lengths = (ends_s - starts_s)[scene_of]
    edges = [starts_s[scene_of] + lengths * (place + end) / counts for end in (0, 1)]
    return np.stack(edges, axis=1)


def angles(*degrees: float) -> np.ndarray:
    """Vectors in the plane: two are as alike as the cosine of the angle between them."""
    turned = np.deg2rad(degrees)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


def random_video(
    rng: np.random.Generator, *, most_scenes: int = 12, texts: bool = True, whole: bool = False
) -> tuple[Timeline, list[Sentence]]:
    """Scenes of a few looks, of which each has variants, with captions; `whole`: without unmeasured shots and gaps."""
    n, d = int(rng.integers(1, most_scenes + 1)), int(rng.integers(2, 9))
    looks = rng.normal(size=(int(rng.integers(1, 5)), d))
    shots_each = rng.integers(1, 4, n)
    owners = np.repeat(np.arange(n), shots_each).astype(np.int32)
    look_of = rng.integers(0, len(looks), n)
    noise = rng.choice([0.0, 0.3, 0.8])
    shots = unit(looks[look_of][owners] + noise * rng.normal(size=(len(owners), d)))
    frames = unit(looks[look_of][:, None] + noise * rng.normal(size=(n, 3, d)))
    lengths = np.round(rng.choice([rng.uniform(0.3, 6), rng.uniform(0.3, 20)]) * rng.uniform(0.1, 1, n) + 0.02, 3)
    between = np.zeros(n + 1)
    if not whole:
        shots[rng.random(len(shots)) < rng.choice([0, 0.1])] = np.nan
        frames[rng.random((n, 3)) < rng.choice([0, 0.1])] = np.nan
        between = np.round(rng.uniform(0, 2, n + 1), 3) * (rng.random(n + 1) < rng.choice([0, 0.15]))
    starts = np.cumsum(np.append(0, lengths[:-1])) + np.cumsum(between[:-1])
    ends = starts + lengths
    said = []
    for number in range(int(rng.integers(0, n + 3))):
        first = int(rng.integers(0, n))
        last = min(n - 1, first + int(rng.choice([0, 0, 0, 1, 3])))
        off = rng.uniform(-1, 1, 2) * rng.choice([0, 0.002, 0.3, 3], p=[0.6, 0.2, 0.1, 0.1])
        span = float(starts[first] + off[0]), float(ends[last] + off[1])
        text = str(rng.choice(TEXTS)) if rng.random() < 0.5 else f"caption number {number}"
        vector = unit(looks[rng.integers(0, len(looks))] + 0.5 * rng.normal(size=d)) if texts else None
        said.append(sentence(number, *sorted(span), text, vector))
    spans = at_even_parts(starts, ends, owners)
    return Timeline("video", float(ends[-1] + between[-1]), starts, ends, shots, owners, frames, spans), said
