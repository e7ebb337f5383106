"""How well a clip's frames fit one description rather than another, by a model that knows pictures and texts."""

import functools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from longtake.embed import Embedder, Floats, load_embedder
from longtake.errors import UsageError, VideoError
from longtake.records import Series
from longtake.similarity import unit

VERSION = 1
SIGNAL = "embedding"
PARTS = ("mean", "max")


def prompts(
    series: Series,
    signal: Mapping[str, object],
    *,
    yes: str = "a photo with a watermark",
    no: str = "a clean photo",
) -> dict[str, float | None]:
    """Probability, 0 to 1, that one description fits the clip's frames and not another, by the signal's model.

    mean: the mean over time.
    max: the highest; for what is seen in a part of the clip only.

    yes: what it might be; several texts are parted by ";", and their probabilities are added.
    no: what else it might be, likewise. Left empty, no text is weighed against another, and the score is the
        probability of the best of `yes`: a SigLIP gives that, a CLIP does not.

    The model is the one whose vectors it reads, and has to read texts. How sure a model is depends on the words and
    on the model: thresholds must be set for each anew.
    """
    wanted, others = _texts("yes", yes), _texts("no", no) if no.strip() else ()
    vectors = unit(series.values)
    vectors = vectors[np.isfinite(vectors).all(axis=1)]
    if len(vectors) == 0:
        return dict.fromkeys(PARTS)
    values = probabilities(_model(signal), vectors, wanted, others)
    return {"mean": float(values.mean()), "max": float(values.max())}


def probabilities(
    model: Embedder, vectors: Floats, wanted: tuple[str, ...], others: tuple[str, ...]
) -> NDArray[np.float64]:
    """Return how probable one of the wanted texts is for each of n vectors of length 1, shape (n,)."""
    texts = _vectors(model, wanted + others)
    if model.scale is None:
        raise VideoError("no_model", f"{model.name} does not say how sure it is of a text: take a CLIP or SigLIP")
    logits = model.scale * (vectors @ texts.T).astype(np.float64)
    if not others:
        if model.bias is None:
            advice = "say with `no` what else it might be"
            raise VideoError("no_model", f"{model.name} does not give the probability of a text alone: {advice}")
        return np.asarray((1 + np.tanh((logits.max(axis=1) + model.bias) / 2)) / 2)
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(likely[:, : len(wanted)].sum(axis=1) / likely.sum(axis=1))


@functools.cache
def _vectors(model: Embedder, texts: tuple[str, ...]) -> Floats:
    """Return the vectors of texts, which a process needs for every clip."""
    return model.texts(texts)


def _texts(name: str, given: str) -> tuple[str, ...]:
    texts = tuple(text.strip() for text in given.split(";") if text.strip())
    if not texts:
        raise UsageError(f'prompts: {name} = "{given}" holds no text; write what a picture might show')
    return texts


def _model(signal: Mapping[str, object]) -> Embedder:
    name = signal.get("model")
    if not isinstance(name, str):
        raise VideoError("no_model", "prompts reads the signal `embedding`, or one whose `model` is loaded as its is")
    return load_embedder(name)


def prepare(columns: Sequence[str], signal: Mapping[str, object], *, yes: str, no: str) -> None:
    """Load the model and let it read the texts. Raises `VideoError` where it can't."""
    model = _model(signal)
    if model.width != len(columns):
        raise VideoError("no_model", f"vectors of {model.name} have {model.width} numbers, not {len(columns)}")
    prompts(
        Series(tuple(columns), np.zeros(1), np.zeros(1, np.int32), np.eye(1, len(columns), dtype=np.float32)),
        signal,
        yes=yes,
        no=no,
    )
