"""Pictures and texts as vectors, by a model in this process: CLIP, SigLIP and others, or one that only sees.

Beside `ask/local.py` the only file that knows transformers, which the extra `local` brings; it is loaded with the
model, on the first CUDA GPU where there is one, else on the processor.
"""

import functools
import importlib
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longtake.errors import VideoError

Floats = NDArray[np.float32]

BATCH = 32
"""Pictures or texts that the model is given at once."""
SENTENCES = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])")
WORDS = re.compile(r"\s+")
INSTALL = "pip install 'longtake[local]'"
KIND = "makes vectors of pictures"
OTHER = "take another model, such as a CLIP, SigLIP or DINOv2"


class Embedder:
    """A model that puts pictures into a space of vectors, and most models texts into the same.

    All vectors have length 1. Equal calls give equal numbers on the same machine; on another, or in another batch,
    they may differ in the last digits, and between a GPU, which computes with short numbers, and a processor by up to
    some thousandths.
    """

    width: int
    """Numbers in a vector."""
    size: int
    """Side in pixels of what the model sees of a picture, by area where that is no square."""
    scale: float | None
    """What it multiplies the cosine of a picture and a text by, to weigh texts against each other; None: nothing."""
    bias: float | None
    """What it then adds, where the sigmoid of that is how probable one text is alone (SigLIP); None: nothing (CLIP)."""

    def __init__(self, name: str, processor: Any, model: Any) -> None:
        """Take a model and what prepares its input. Raises `TypeError` for a model of another kind."""
        self.torch: Any = importlib.import_module("torch")
        self.name = name
        self._model = model
        self._see = getattr(processor, "image_processor", processor)
        self._read = getattr(processor, "tokenizer", None) if hasattr(model, "get_text_features") else None
        # SigLIP was taught lower case, on texts padded to one length, whose padding it looks at.
        self._as_siglip = model.config.model_type.startswith("siglip")
        scale, bias = (getattr(model, name, None) for name in ("logit_scale", "logit_bias"))
        self.scale = math.exp(scale.item()) if scale is not None else None
        self.bias = bias.item() if bias is not None else None
        blank = np.zeros((36, 64, 3), np.uint8)
        self.size = round(math.sqrt(self._pictures(blank[None])["pixel_values"].numel() / 3))
        self.width = self._picture_vectors(blank[None]).shape[1]
        if self._read is not None:
            self._limit = min(self._read.model_max_length, model.config.get_text_config().max_position_embeddings)
            width = self._text_vectors(["a"]).shape[1]
            if width != self.width:
                raise TypeError(f"its vectors hold {self.width} numbers for a picture and {width} for a text")

    def images(self, pixels: NDArray[np.uint8]) -> Floats:
        """Return the vectors of RGB pictures, (n, height, width, 3) to (n, self.width).

        The model's own processor prepares them: CLIP sees the middle square, SigLIP all of it, stretched to a square.
        """
        return self._in_batches(self._picture_vectors, pixels)

    def texts(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of n texts, (n, self.width). Raises `VideoError` where the model reads none.

        A text longer than the model reads at once (CLIP: 77 tokens, SigLIP: 64) is cut into parts, at ends of sentences
        where possible; its vector is the mean of theirs, each weighted by its length, scaled to length 1 again.
        """
        if self._read is None:
            advice = "take one that does, such as a CLIP or SigLIP"
            raise VideoError("no_model", f"{self.name} sees pictures and reads no texts: {advice}")
        parts = [self._parts(text) for text in texts]
        flat = [part for of_one in parts for part in of_one]
        lengths = np.array([[max(len(part), 1)] for part in flat], np.float32).reshape(-1, 1)
        starts = np.cumsum([0, *map(len, parts)])[:-1]
        sums = np.add.reduceat(self._in_batches(self._text_vectors, flat) * lengths, starts, axis=0)
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), np.float32)

    def _parts(self, text: str) -> list[str]:
        """Return a text in parts that the model can read at once."""
        assert self._read is not None
        if len(text) < 2 or len(self._read(text)["input_ids"]) <= self._limit:
            return [text]
        return [part for half in halves(text) for part in self._parts(half)]

    def _in_batches(self, embed: Callable[[Any], Any], things: Any) -> Floats:
        rows = [embed(things[start : start + BATCH]) for start in range(0, len(things), BATCH)]
        return np.concatenate([np.empty((0, self.width), np.float32), *rows])

    def _pictures(self, pixels: NDArray[np.uint8]) -> Any:
        """Return pictures as the model takes them."""
        image = importlib.import_module("PIL.Image")
        return self._see([image.fromarray(picture) for picture in pixels], return_tensors="pt")

    def _picture_vectors(self, pixels: NDArray[np.uint8]) -> Floats:
        seen = self._pictures(pixels).to(self._model.device, self._model.dtype)
        return self._vectors(getattr(self._model, "get_image_features", self._model), seen)

    def _text_vectors(self, texts: list[str]) -> Floats:
        assert self._read is not None
        read = self._read(
            [text.lower() for text in texts] if self._as_siglip else texts,
            padding="max_length" if self._as_siglip else "longest",
            truncation=True,
            max_length=self._limit,
            return_attention_mask=not self._as_siglip,
            return_tensors="pt",
        )
        return self._vectors(self._model.get_text_features, read.to(self._model.device))

    def _vectors(self, tower: Callable[..., Any], batch: Any) -> Floats:
        """Return what a tower of the model makes of a batch, each vector scaled to length 1."""
        with self.torch.inference_mode():
            out = tower(**batch).pooler_output
            if not isinstance(out, self.torch.Tensor) or out.ndim != 2:
                raise TypeError("it doesn't give one vector a picture")
            if not out.isfinite().all() and self._model.dtype != self.torch.float32:
                # Too large for short numbers: from here on it computes with long ones.
                self._model.float()
                batch = {name: part.float() if part.is_floating_point() else part for name, part in batch.items()}
                out = tower(**batch).pooler_output
            return np.asarray(self.torch.nn.functional.normalize(out.float(), dim=-1).cpu().numpy(), np.float32)


def halves(text: str) -> tuple[str, str]:
    """Return a text in two, cut as near to its middle as the end of a sentence allows, else that of a word."""
    for gap in (SENTENCES, WORDS):
        places = [found.end() for found in gap.finditer(text) if 0 < found.end() < len(text)]
        if places:
            break
    else:
        places = [len(text) // 2]
    place = min(places, key=lambda end: abs(end - len(text) / 2))
    return text[:place].strip(), text[place:].strip()


def load_embedder(name: str) -> Embedder:
    """Return the model of a name at the Hugging Face hub or of a folder, loaded once in a process.

    Raises `VideoError` where it can't be had; that too is found out once. Nothing is written to the screen, and no code
    of the model's is run.
    """
    found = _loaded(name)
    if isinstance(found, VideoError):
        raise found
    return found


@functools.cache
def _loaded(name: str) -> Embedder | VideoError:
    try:
        return _load(name)
    except VideoError as error:
        return error


def _load(name: str) -> Embedder:
    try:
        torch, transformers, hub = map(importlib.import_module, ("torch", "transformers", "huggingface_hub"))
        importlib.import_module("PIL.Image")
    except ImportError as error:
        raise _no_model("embeddings need torch, transformers and pillow", error, INSTALL) from error
    for library in (transformers.utils, hub.utils):
        library.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    hub.utils.disable_progress_bars()

    gpu = torch.cuda.is_available()
    here = Path(name).is_dir()
    unreached = None if here else _unreached(name, hub)
    # Once it is known that the hub can't be reached, only what is here counts: or each file would be tried for long.
    source = {"local_files_only": here or unreached is not None, "trust_remote_code": False}
    try:
        processor = transformers.AutoProcessor.from_pretrained(name, **source)
        # Of the short numbers those with more digits: a threshold tells cosines apart that differ by a hundredth.
        dtype = torch.float16 if gpu else torch.float32
        model, told = transformers.AutoModel.from_pretrained(name, dtype=dtype, output_loading_info=True, **source)
        if told["missing_keys"]:  # they would be left to chance
            raise ValueError(f"no weights for {min(told['missing_keys'])}")
        return Embedder(name, processor, model.to("cuda" if gpu else "cpu").eval())
    except ImportError as error:  # such as sentencepiece, for the words of the first SigLIP
        raise _no_model(f"{name} needs more than is here", error, "install what it needs") from error
    except torch.OutOfMemoryError as error:
        raise _no_model(f"{name} doesn't fit into the GPU's memory", error, "take a smaller model") from error
    except OSError as error:
        if unreached:
            message = f"{name} is neither a folder nor a model that could be downloaded"
            advice = "look at its name and whether the hub can be reached, or give a folder that holds its weights"
            raise _no_model(message, unreached, advice) from error
        raise _no_model(f"{name} lacks parts of a model that {KIND}", error, f"fetch it again, or {OTHER}") from error
    except Exception as error:  # each library below has errors of its own for a file it can't read
        raise _no_model(f"{name} can't be loaded as a model that {KIND}", error, OTHER) from error


def _unreached(name: str, hub: Any) -> Exception | None:
    """Return why the hub can't be asked for a model; None where it knows it."""
    try:
        hub.model_info(name, timeout=10)
    except Exception as error:  # of the hub, of its HTTP library, of the operating system: told if the load fails
        return error
    return None


def _no_model(message: str, error: Exception, advice: str) -> VideoError:
    """Return the error for a model that can't be had, with the first line of its cause and what to do."""
    cause = (str(error).strip() or type(error).__name__).splitlines()[0]
    return VideoError("no_model", f"{message} ({cause}): {advice}")
