"""Heads: what turns the vectors that a model gives of pictures into one number each, as aesthetics and safety do.

Weights lie in a file, at the Hugging Face hub, or are known by name; nothing of them is run as code. What makes the
vectors is in `embed`.
"""

import functools
import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.error import HTTPError

import numpy as np
from numpy.typing import NDArray

from longtake.embed import INSTALL, Floats
from longtake.errors import VideoError
from longtake.similarity import unit

Between = Literal["none", "relu"]
Squash = Literal["none", "sigmoid"]

Tensors = dict[str, NDArray[np.float64]]

LARGE = "openai/clip-vit-large-patch14"
FIRST_LAION = "https://github.com/LAION-AI/aesthetic-predictor/raw/main/sa_0_4_vit_"
TORCH_FILES = (".pth", ".pt", ".bin", ".ckpt")
HUB_FILE = re.compile(r"(\w[\w.-]*/\w[\w.-]*)/(\w[\w./ +-]*)")
ADJUSTMENT = 0.01
"""What Stable Diffusion's checker adds to all concepts where one that asks for special care is found."""


@dataclass(frozen=True, slots=True)
class Known:
    """A head that goes by a short name, and the model whose vectors it was trained on."""

    weights: str
    """A file at the hub, or the address of one elsewhere."""
    model: str
    revision: str = "main"
    between: Between = "none"
    squash: Squash = "none"


HEADS = {
    "aesthetic": Known(
        "ttj/sac-logos-ava1-l14-linearMSE/model.safetensors", LARGE, "1e77fa05081323d99725fc40a9bf9f88180490e7"
    ),
    "aesthetic-v1": Known(f"{FIRST_LAION}l_14_linear.pth", LARGE),
    "aesthetic-v1-b16": Known(f"{FIRST_LAION}b_16_linear.pth", "openai/clip-vit-base-patch16"),
    "aesthetic-v1-b32": Known(f"{FIRST_LAION}b_32_linear.pth", "openai/clip-vit-base-patch32"),
    "aesthetic-v2.5": Known(
        "https://github.com/discus0434/aesthetic-predictor-v2-5/raw/main/models/aesthetic_predictor_v2_5.pth",
        "google/siglip-so400m-patch14-384",
    ),
    "nsfw": Known("yiting/NSFWDetector/clip_autokeras_binary_nsfw.pth", LARGE, between="relu", squash="sigmoid"),
    "safety": Known("CompVis/stable-diffusion-safety-checker/model.safetensors", LARGE, "refs/pr/41"),
}


@dataclass(frozen=True, slots=True)
class Layers:
    """Linear layers, one after another, with `between` applied to what all but the last give."""

    stack: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]
    """Weight (out, in) and bias (out,) of each."""
    between: Between

    @property
    def width(self) -> int:
        """Numbers in the vectors that it takes."""
        return int(self.stack[0][0].shape[1])

    def __call__(self, vectors: Floats) -> NDArray[np.float64]:
        """Return one number a vector; (n, width) to (n,)."""
        values = np.asarray(vectors, np.float64)
        for number, (weight, bias) in enumerate(self.stack):
            if number and self.between == "relu":
                values = np.maximum(values, 0)
            values = values @ weight.T + bias
        return values[:, 0]


@dataclass(frozen=True, slots=True)
class Concepts:
    """Vectors of what is looked for, each with the cosine from which on it counts as found.

    As in Stable Diffusion's safety checker: the number is that of the concept that is most over its limit, above 0
    where one is found; all limits are lower by 0.01 where one of the concepts that ask for special care is found.
    """

    vectors: Floats
    limits: NDArray[np.float64]
    special: Floats
    special_limits: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Numbers in the vectors that it takes."""
        return int(self.vectors.shape[1])

    def __call__(self, vectors: Floats) -> NDArray[np.float64]:
        """Return one number a vector of length 1; (n, width) to (n,), between -2 and 2."""
        careful = (vectors @ self.special.T > self.special_limits).any(axis=1)
        over: NDArray[np.float64] = (vectors @ self.vectors.T - self.limits).max(axis=1) + ADJUSTMENT * careful
        return over


Head = Layers | Concepts


def load_head(weights: str, between: Between | None = None) -> Head:
    """Return a head by its short name, its file, or as `owner/repository/file` at the hub; loaded once in a process.

    `between` is what is between its layers: files don't tell. None: what is known of a short name, and nothing of a
    file. Raises `VideoError` where it can't be had; that too is found out once.
    """
    found = _loaded(weights, between)
    if isinstance(found, VideoError):
        raise found
    return found


@functools.cache
def _loaded(weights: str, between: Between | None) -> Head | VideoError:
    known = HEADS.get(weights)
    try:
        tensors = _tensors(weights, known)
        if "concept_embeds" in tensors:
            return _concepts(tensors)
        return _layers(tensors, between or (known.between if known else "none"))
    except VideoError as error:
        return error
    except ImportError as error:
        return _no_head(f"weights of {weights} can't be read here ({error})", INSTALL)
    except Exception as error:  # each library has errors of its own for a file it can't read
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]
        return _no_head(f"{weights} can't be read as a head ({cause})", "take another file, or another head")


def _no_head(message: str, advice: str) -> VideoError:
    return VideoError("no_model", f"{message}: {advice}")


def _tensors(weights: str, known: Known | None) -> Tensors:
    """Get a file of weights onto this machine and read what a head may be made of."""
    if known and "://" in known.weights:
        return _read(_from_elsewhere(weights, known.weights))
    if not known and Path(weights).is_file():
        return _read(Path(weights))
    at_hub = HUB_FILE.fullmatch(known.weights if known else weights)
    if not at_hub:
        names = ", ".join(HEADS)
        raise _no_head(f"no head {weights!r}", f"give the path of a file, owner/repository/file at the hub, or {names}")
    return _read(_from_hub(at_hub[1], at_hub[2], known.revision if known else "main"))


def _from_hub(repository: str, file: str, revision: str) -> Path:
    """Return where a file of the hub lies on this machine, fetched where it isn't there yet."""
    hub = importlib.import_module("huggingface_hub")
    here = hub.try_to_load_from_cache(repository, file, revision=revision)
    if isinstance(here, str):
        return Path(here)
    hub.utils.logging.set_verbosity_error()
    hub.utils.disable_progress_bars()
    try:
        return Path(hub.hf_hub_download(repository, file, revision=revision))
    except Exception as error:  # of the hub, of its HTTP library, of the operating system
        raise _unreached(f"{repository}/{file}", error) from error


def _from_elsewhere(name: str, address: str) -> Path:
    """Return where a file that is not at the hub lies on this machine, fetched where it isn't there yet."""
    hub = importlib.import_module("torch").hub
    path = Path(hub.get_dir()) / "checkpoints" / f"longtake-{name}{Path(address).suffix}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            hub.download_url_to_file(address, str(path), progress=False)
        except OSError as error:
            if isinstance(error, HTTPError):  # which is an answer too, and holds the connection
                error.close()
            raise _unreached(address, error) from error
    return path


def _unreached(place: str, error: Exception) -> VideoError:
    cause = (str(error).strip() or type(error).__name__).splitlines()[0]
    advice = "look at its name and whether the network is there, or give the path of its file"
    return _no_head(f"weights {place} could not be downloaded ({cause})", advice)


def _read(path: Path) -> Tensors:
    if path.suffix == ".safetensors":
        with importlib.import_module("safetensors").safe_open(path, "numpy") as file:
            # A whole model may lie around the concepts: only what is needed is read.
            names = [name for name in file.keys() if "_embeds" in name] or file.keys()  # noqa: SIM118
            return _all({name: file.get_tensor(name) for name in names})
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            return _all(dict(file))
    if path.suffix in TORCH_FILES:
        return _all(importlib.import_module("torch").load(path, map_location="cpu", weights_only=True))
    raise _no_head(f"{path}: no file of weights", "known are .safetensors, .npz, and torch's .pth")


def _all(stored: Mapping[str, Any]) -> Tensors:
    """Return all tensors of a file as numbers."""
    if not all(hasattr(value, "shape") for value in stored.values()):
        raise ValueError("it holds more than weights")
    named = {
        name: value.detach().float().numpy() if hasattr(value, "detach") else value for name, value in stored.items()
    }
    tensors = {name: np.asarray(value, np.float64) for name, value in named.items()}
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise ValueError(f"{name} is not all numbers")
    return tensors


def _concepts(tensors: Tensors) -> Concepts:
    vectors, special = (unit(np.asarray(tensors[f"{kind}_embeds"], np.float32)) for kind in ("concept", "special_care"))
    limits, special_limits = (tensors[f"{kind}_embeds_weights"] for kind in ("concept", "special_care"))
    return Concepts(vectors, limits, special, special_limits)


def _layers(tensors: Tensors, between: Between) -> Layers:
    """Return linear layers in the order of their names; those with nothing between them as the one that they are."""
    left = dict(sorted(tensors.items(), key=lambda item: _in_order(item[0])))
    mean, variance = _taken(left, "mean"), _taken(left, "variance")
    stack: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for name in [name for name in left if name == "weight" or name.endswith(".weight")]:
        weight = np.atleast_2d(left.pop(name))
        bias = left.pop(name.removesuffix("weight") + "bias", np.zeros(1)).ravel()
        if weight.ndim != 2 or len(bias) not in (1, len(weight)) or (stack and len(stack[-1][0]) != weight.shape[1]):
            raise ValueError(f"{name} of shape {weight.shape} is no linear layer that follows the one before")
        if not stack and mean is not None and variance is not None:
            # A first layer may be stored with what scales its input.
            weight = weight / np.sqrt(variance)
            bias = bias - weight @ mean
        stack.append((weight, np.broadcast_to(bias, len(weight))))
    if left or not stack:
        raise ValueError(f"{next(iter(left), 'nothing')} is not part of linear layers")
    if len(stack[-1][0]) != 1:
        raise ValueError(f"it gives {len(stack[-1][0])} numbers, not one")
    while between == "none" and len(stack) > 1:
        (weight, bias), (after, after_bias) = stack[-2:]
        stack[-2:] = [(after @ weight, after @ bias + after_bias)]
    return Layers(tuple(stack), between)


def _in_order(name: str) -> list[tuple[int, str]]:
    """Return what names sort by, `layers.10` after `layers.2`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _taken(tensors: Tensors, name: str) -> NDArray[np.float64] | None:
    for key in tensors:
        if key == name or key.endswith(f".{name}"):
            return tensors.pop(key).ravel()
    return None
