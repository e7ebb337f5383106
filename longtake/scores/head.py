"""What a head over picture vectors says of a clip: aesthetics, safety, or whatever it was trained on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from longtake.errors import VideoError
from longtake.heads import HEADS, Head, load_head
from longtake.records import Series
from longtake.similarity import unit

VERSION = 1
SIGNAL = "embedding"
PARTS = ("mean", "min", "max")


def head(
    series: Series,
    *,
    weights: str = "aesthetic",
    between: Literal["own", "none", "relu"] = "own",
    squash: Literal["own", "none", "sigmoid"] = "own",
) -> dict[str, float | None]:
    """Opinion of a head over picture vectors on the clip's frames, on its own scale.

    mean: the mean over time.
    min: the lowest.
    max: the highest; for what must not be seen at all.

    weights: a name below, the path of a file (.safetensors, .npz, .pth), or `owner/repository/file` at the Hugging Face
        hub. A file holds linear layers that end in one number, or the concepts of a safety checker. It is part of a
        recipe by name only: where another file gets the same name, stored scores stay.
    between: what is between its layers; a file doesn't tell. `own`: what is known of a name, and `none` of a file.
    squash: what its number goes through at last, `sigmoid` for 0 to 1. `own` likewise.

    Known by name, with the model whose vectors they were trained on:

    - `aesthetic`: LAION's improved aesthetic predictor, about 1 to 10; openai/clip-vit-large-patch14.
    - `aesthetic-v1`: LAION's first one, about 1 to 10; openai/clip-vit-large-patch14, and with `-b16` or `-b32` at the
      end clip-vit-base-patch16 and clip-vit-base-patch32.
    - `aesthetic-v2.5`: aesthetic-predictor-v2-5, about 1 to 10; google/siglip-so400m-patch14-384.
    - `nsfw`: LAION's CLIP-based-NSFW-Detector, 0 to 1; openai/clip-vit-large-patch14.
    - `safety`: Stable Diffusion's safety checker (1.2 GB), above 0 where it objects; openai/clip-vit-large-patch14.

    Vectors are given to it at length 1. A head says nothing of another model's, also where they hold as many numbers.
    """
    vectors = unit(series.values)
    vectors = vectors[np.isfinite(vectors).all(axis=1)]
    if len(vectors) == 0:
        return dict.fromkeys(PARTS)
    values = _head(weights, between)(vectors)
    if (_own_squash(weights) if squash == "own" else squash) == "sigmoid":
        values = (1 + np.tanh(values / 2)) / 2  # the sigmoid, for large numbers too
    return {"mean": float(values.mean()), "min": float(values.min()), "max": float(values.max())}


def _head(weights: str, between: str) -> Head:
    return load_head(weights, None if between == "own" else "relu" if between == "relu" else "none")


def _own_squash(weights: str) -> str:
    return HEADS[weights].squash if weights in HEADS else "none"


def prepare(columns: Sequence[str], signal: Mapping[str, object], *, weights: str, between: str, squash: str) -> None:
    """Load the head, from where it lies, for vectors of so many numbers. Raises `VideoError` where it doesn't fit."""
    model = str(signal.get("model", "the signal"))
    known = HEADS.get(weights)
    advice = "take a head that was trained on this model's vectors, or the model that it was trained on"
    if known and "model" in signal and not Path(model).is_dir() and model != known.model:
        raise VideoError(
            "no_model", f"the head {weights} was trained on vectors of {known.model}, not {model}: {advice}"
        )
    width = _head(weights, between).width
    if width != len(columns):
        size = f"takes vectors of {width} numbers, and those of {model} have {len(columns)}"
        raise VideoError("no_model", f"the head {weights} {size}: {advice}")
