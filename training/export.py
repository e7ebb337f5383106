"""The network's weights as `longtake.signals._network` wants them: norms folded in, convolutions as matrices."""

from pathlib import Path

import numpy as np
from network import InTime, Network
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float32]


NEW = 0.6
"""Share of the weights after a further training; the others are those it began with. See Wortsman et al., 2022
(arXiv 2109.01903): between the two, a network keeps what it knew and knows what it learned."""


def export(network: Network, path: Path, first: Path | None = None) -> None:
    """Write the weights to a compressed file, as half-precision numbers; mixed with those that training began with."""
    weights: dict[str, Floats] = {}
    for name in ("see1", "see2", "see3"):
        scale, bias = _norm(getattr(network, name.replace("see", "norm")))
        kernel = _array(getattr(network, name).weight) * scale[:, None, None, None]
        if name == "see1":  # picture and difference to the one before, as weights of this picture and of that one
            kernel = np.concatenate([kernel[:, :3] + kernel[:, 3:], kernel[:, 3:]])
        weights[name] = kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel))
        weights[f"{name}_bias"] = bias
    for name in ("near", "far", "decide1", "decide2"):
        weights |= _in_time(name, getattr(network, name))
    for name in ("embed", "flat", "like", "out"):
        layer: nn.Linear = getattr(network, name)
        weights[name], weights[f"{name}_bias"] = _array(layer.weight).T, _array(layer.bias)
    if first:
        before = read(first)
        weights = {name: NEW * value + (1 - NEW) * fitted(before[name], value) for name, value in weights.items()}
    np.savez_compressed(path, **{name: value.astype(np.float16) for name, value in weights.items()})


def read(path: Path) -> dict[str, Floats]:
    """Return weights that `export` wrote."""
    with np.load(path) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


def fitted(before: Floats, now: Floats) -> Floats:
    """Return weights in the shape of today's: version 2 knew no times, so that it has no weights for them."""
    return np.pad(before, [(0, size - had) for size, had in zip(now.shape, before.shape, strict=True)])


def _in_time(name: str, block: InTime) -> dict[str, Floats]:
    scale, bias = _norm(block.norm)
    kernels = np.concatenate([_array(branch.weight) for branch in block.branches]) * scale[:, None, None]
    each = len(kernels) // len(block.branches)
    # Columns: branch, then tap, then channel.
    taps = kernels.reshape(len(block.branches), each, -1, 3).transpose(2, 0, 3, 1)
    return {
        name: taps.reshape(taps.shape[0], -1),
        f"{name}_bias": bias,
        f"{name}_mix": _array(block.mix.weight)[..., 0].T,
        f"{name}_mix_bias": _array(block.mix.bias),
    }


def _norm(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Floats, Floats]:
    scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    return scale, _array(norm.bias) - _array(norm.running_mean) * scale


def _array(values: Tensor) -> Floats:
    return np.asarray(values.detach().numpy(), np.float32)
