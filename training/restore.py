"""Weights as they were written, back in a network that is to be trained further."""

from pathlib import Path

import numpy as np
import torch
from export import fitted, read
from network import InTime, Network
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float32]
Norm = nn.BatchNorm1d | nn.BatchNorm2d


def restore(network: Network, path: Path, pictures: Tensor, times: Tensor) -> None:
    """Read what `export` wrote; norms, which are folded in there, are set apart again by what these sequences give."""
    weights = read(path)
    for name in ("see1", "see2", "see3"):
        layer: nn.Conv2d = getattr(network, name)
        kernel = weights[name].reshape(3, 3, -1, weights[name].shape[1]).transpose(3, 2, 0, 1)
        if name == "see1":
            here, before = np.split(kernel, 2)
            kernel = np.concatenate([here - before, before], axis=1)
        _set(layer.weight, kernel)
        _fold(getattr(network, name.replace("see", "norm")), weights[f"{name}_bias"])
    for name in ("near", "far", "decide1", "decide2"):
        block: InTime = getattr(network, name)
        taps = weights[name].reshape(len(weights[name]), len(block.branches), 3, -1).transpose(1, 3, 0, 2)
        for branch, kernel in zip(block.branches, taps, strict=True):
            assert isinstance(branch, nn.Conv1d)
            _set(branch.weight, kernel)
        _fold(block.norm, weights[f"{name}_bias"])
        _set(block.mix.weight, weights[f"{name}_mix"].T[..., None])
        assert block.mix.bias is not None
        _set(block.mix.bias, weights[f"{name}_mix_bias"])
    for name in ("embed", "flat", "like", "out"):
        linear: nn.Linear = getattr(network, name)
        _set(linear.weight, fitted(weights[name].T, linear.weight.detach().numpy()))
        _set(linear.bias, weights[f"{name}_bias"])
    _unfold(network, pictures, times)


def _set(to: Tensor, values: Floats) -> None:
    to.data.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def _fold(norm: Norm, bias: Floats) -> None:
    """Let a norm do nothing but add: what it multiplied by is in the weights before it."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    _set(norm.bias, bias)
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)


def _unfold(network: Network, pictures: Tensor, times: Tensor) -> None:
    """Let norms take away mean and spread, and give them back: the same numbers, and what training goes on with."""
    found: dict[Norm, tuple[Tensor, Tensor]] = {}

    def note(norm: Norm, given: tuple[Tensor], _: Tensor) -> None:
        x = given[0].transpose(0, 1).flatten(1)
        found[norm] = (x.mean(1), x.var(1))

    norms = [module for module in network.modules() if isinstance(module, Norm)]
    hooks = [norm.register_forward_hook(note) for norm in norms]
    network.eval()
    with torch.no_grad():
        network(pictures, times)
    for hook in hooks:
        hook.remove()
    for norm, (mean, spread) in found.items():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(spread)
        norm.weight.data.copy_(torch.sqrt(spread + norm.eps))
        norm.bias.data.add_(mean)
