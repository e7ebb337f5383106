"""LVD-2M's own measure of motion: RAFT's flow between frames half a second apart; the only file that knows torchvision.

`prepare` gets the weights onto this machine and tries them.
"""

import contextlib
import functools
import importlib
import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from longtake.errors import VideoError
from longtake.records import Series
from longtake.video.scan import Frames, Tap

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

VERSION = 1
NEEDS = {"torch": "torch", "torchvision": "torchvision"}

SIZE = (520, 960)
"""Height and width in pixels of what the network sees."""
HZ = 2.0
NEAREST_S, FARTHEST_S = 0.25, 0.75
"""How far apart two frames may be to count as half a second: where the frame rate varies, or is under 2."""
LONGEST_PX = 1920
"""Frames are handed over unscaled up to this, so that the scaling is the network's own; larger ones take memory."""
AT_ONCE = 4
"""Pairs in a batch on a GPU, at up to 1 GB each. On a processor a batch saves little, and one pair takes seconds."""


class Raft:
    """RAFT's optical flow between frames 0.5 s apart, seen at 520x960: LVD-2M's measure of motion, twice per second.

    mean_px: how far a place of the picture moves until the next row's frame, the mean over the picture, in pixels of a
        picture stretched to 960 wide and 520 high; 0 and up.
    mean: the same as a speed in picture heights per second, of the picture as it is shown; 0 and up.

    The network is RAFT (Teed and Deng, ECCV 2020, arXiv 2003.12039) as torchvision has it, 12 updates, whose example
    LVD-2M (arXiv 2410.10816) seems to follow: frames scaled without antialiasing, levels from -1 to 1. One row a
    frame; NaN in the last one, and where the next frame is not 0.25 to 0.75 s away. What comes back in those 0.5 s, as
    in a shaking hand, counts little here, and fully in `motion`.

    model: `large`, as LVD-2M, or `small`, twice as fast.
    weights: `default` for torchvision's own, downloaded once, or a file with others for its networks (.pth or
        .safetensors). Stored numbers go by the file's name: give other weights another name.

    It runs on a CUDA GPU where torch finds one; on a processor a pair takes the large network some 13 s of one core.
    """

    columns = ("mean_px", "mean")

    def __init__(self, *, model: Literal["large", "small"] = "large", weights: str = "default") -> None:
        self.network = load_network(model, weights)
        self.tap = Tap(LONGEST_PX, "rgb24", HZ, block=AT_ONCE if self.network.on_gpu else 1)
        self.before = Frames(np.empty(0), np.empty(0, np.int32), np.empty((0, 0, 0, 3), np.uint8), False)

    def __call__(self, frames: Frames) -> Series:
        """Take in one block; return the rows of all frames whose next one is here."""
        times, numbers, pixels = self.before.times, self.before.numbers, self.before.pixels
        if len(frames.times):
            times, numbers = np.append(times, frames.times), np.append(numbers, frames.numbers)
            pixels = np.concatenate([pixels, frames.pixels]) if len(pixels) else frames.pixels.copy()
        values = np.full((len(times), 2), np.nan, np.float32)
        apart = np.diff(times)
        (pairs,) = np.nonzero((apart >= NEAREST_S) & (apart <= FARTHEST_S))
        if len(pairs):
            flow = self.network(pixels[pairs], pixels[pairs + 1])
            values[pairs] = lengths(flow, aspect=pixels.shape[2] / pixels.shape[1], apart_s=apart[pairs])
        done = len(times) if frames.last else max(len(times) - 1, 0)
        self.before = Frames(times[done:], numbers[done:], pixels[done:], False)
        return Series(self.columns, times[:done], numbers[:done].astype(np.int32), values[:done])


def prepare(*, model: Literal["large", "small"], weights: str) -> None:
    """Load the network, its weights from the web where they aren't here yet. Raises `VideoError` where that fails."""
    load_network(model, weights)


def lengths(flow: Floats, *, aspect: float, apart_s: NDArray[np.float64]) -> Floats:
    """Return the columns of `Raft`, shape (n, 2), of flow fields in pixels, shape (n, 2, height, width).

    The picture is shown `aspect` times as wide as high; `apart_s`, shape (n,), are the seconds between the frames.
    """
    x, y = flow[:, 0], flow[:, 1]
    pixels = np.hypot(x, y).mean((1, 2))
    heights = np.hypot(x * (aspect / flow.shape[3]), y / flow.shape[2]).mean((1, 2))
    return np.stack([pixels, heights / apart_s], 1).astype(np.float32)


class Network:
    """RAFT with its weights, in evaluation."""

    def __init__(self, network: Any, prepare: Any, resize: Any) -> None:
        self.torch: Any = importlib.import_module("torch")
        self.on_gpu: bool = self.torch.cuda.is_available()
        self.device = "cuda" if self.on_gpu else "cpu"
        self._network = network.to(self.device).eval()
        self._prepare, self._resize = prepare, resize

    def __call__(self, before: Pixels, after: Pixels) -> Floats:
        """Return the flow between pictures (n, height, width, 3) in pixels at `SIZE`: (n, 2, *SIZE), right and down."""
        with self.torch.inference_mode():
            pairs = self._prepare(self._seen(before), self._seen(after))
            return np.asarray(self._network(*pairs)[-1].float().cpu().numpy(), np.float32)

    def _seen(self, pixels: Pixels) -> Any:
        channels_first = self.torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
        return self._resize(channels_first.to(self.device), list(SIZE), antialias=False)


def load_network(model: str, weights: str) -> Network:
    """Return a network with weights as the parameters of `Raft` name them, loaded once in a process.

    Raises `VideoError` where it can't be had; that too is found out once. Nothing is written to the screen.
    """
    found = _loaded(model, weights)
    if isinstance(found, VideoError):
        raise found
    return found


@functools.cache
def _loaded(model: str, weights: str) -> Network | VideoError:
    try:
        return _load(model, weights)
    except VideoError as error:
        return error


def _load(model: str, weights: str) -> Network:
    try:
        known: Any = importlib.import_module("torchvision.models.optical_flow")
        resize: Any = importlib.import_module("torchvision.transforms.functional").resize
    except ImportError as error:
        raise _no_model("RAFT needs torch and torchvision", error, "pip install torch torchvision") from error
    except RuntimeError as error:  # of torch, for the operators that torchvision's library didn't bring
        advice = (
            "install both anew, from one source: a torchvision made for CUDA doesn't go with a torch for processors"
        )
        raise _no_model("this torchvision doesn't go with this torch", error, advice) from error
    make = getattr(known, f"raft_{model}")
    published = getattr(known, f"Raft_{model.title()}_Weights").DEFAULT
    if weights == "default":
        try:
            quiet = io.StringIO()
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                network = make(weights=published, progress=False)
        except (OSError, RuntimeError) as error:
            advice = f"see that the web can be reached, or give a file such as {Path(published.url).name} as `weights`"
            raise _no_model("the weights of RAFT can't be downloaded", error, advice) from error
    else:
        network = make(weights=None)
        try:
            network.load_state_dict(_read(Path(weights)))
        except FileNotFoundError as error:
            raise _no_model(f"{weights} is not there", error, "give a file with weights, or 'default'") from error
        except Exception as error:  # each format has errors of its own for a file it can't read
            advice = f"give a file such as {Path(published.url).name}, or 'default'"
            raise _no_model(f"{weights} holds no weights for torchvision's raft_{model}", error, advice) from error
    return Network(network, published.transforms(), resize)


def _read(path: Path) -> Any:
    """Return the weights in a file by name. No code in it is run."""
    if path.suffix == ".safetensors":
        return importlib.import_module("safetensors.torch").load_file(path)
    return importlib.import_module("torch").load(path, map_location="cpu", weights_only=True)


def _no_model(message: str, error: Exception, advice: str) -> VideoError:
    """Return the error for a network that can't be had, with the first line of its cause and what to do."""
    cause = (str(error).strip() or type(error).__name__).splitlines()[0]
    return VideoError("no_model", f"{message} ({cause}): {advice}")
