"""What a frame shows, as a vector of a vision-text model; `embed_texts` puts texts into the same space.

`prepare` gets the model onto this machine and tries it.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from longtake.embed import load_embedder
from longtake.records import Range, Series
from longtake.video.scan import Frames, Tap

VERSION = 1
NEEDS = {"torch": "torch", "transformers": "transformers>=5", "PIL": "pillow"}

SPARE = 4
"""Longer side of what the model's own processor scales, over what the model sees: up to 2:1 the shorter side is twice
as large, and so the processor's scaling decides how the picture looks. What it makes of whole frames differs by 2 to 4
percent of the contrast in real videos, most of that from how colours are rounded; with 2.5 by up to 15."""

BLOCK = 8
"""Frames embedded at once: on a processor a large model takes seconds over each, and the engine waits for a sign."""


class Embedding:
    """What a frame shows, as a vector of a vision-text model, twice per second.

    One column a dimension, as many as the model has: `e0`, `e1` and so on; 768 for the default, which InternVid-G
    (arXiv 2403.10228) uses. Vectors have length 1, so their dot product is their cosine: frames that show alike things
    have one near 1, and so has, on another scale, a frame with a text that tells what it shows. How near belongs to the
    model: thresholds must be set for each anew. The picture is prepared by the model's own processor: CLIP sees the
    middle square, SigLIP all of it, stretched.

    model: a name at the Hugging Face hub, or a folder with config, weights and processor. Any vision-text model that
        transformers loads by AutoModel (CLIP, SigLIP, SigLIP 2, ...); or one that only sees (DINOv2), for scenes
        without captions.
    hz: frames per second that get a vector.

    It runs on a CUDA GPU where torch finds one, else on the processor, where it costs far more than the decode.
    """

    columns: tuple[str, ...] = ()
    """Known once the model is loaded."""

    def __init__(
        self, *, model: str = "openai/clip-vit-large-patch14", hz: Annotated[float, Range(above=0)] = 2.0
    ) -> None:
        self.embedder = load_embedder(model)
        self.columns = tuple(f"e{i}" for i in range(self.embedder.width))
        self.tap = Tap(SPARE * self.embedder.size, "rgb24", hz, block=BLOCK)

    def __call__(self, frames: Frames) -> Series:
        """Measure one block."""
        return Series(self.columns, frames.times.copy(), frames.numbers.copy(), self.embedder.images(frames.pixels))


def embed_texts(texts: Sequence[str], *, model: str, hz: float) -> NDArray[np.float32]:
    """Return the vectors of n texts in the space of the signal's rows, each of length 1; shape (n, columns).

    `model` and `hz` are the signal's parameters; how often it looks says nothing of texts. Raises `VideoError` where
    the model can't be loaded or reads no texts.
    """
    return load_embedder(model).texts(texts)


def prepare(*, model: str, hz: float) -> None:
    """Load the model, from the hub where it isn't here yet. Raises `VideoError` where it can't be had."""
    load_embedder(model)
