"""The transition network as it is trained; `longtake.signals._network` runs it without torch."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
"""How far apart, in frames, pictures are compared directly; in both directions."""
CLASSES = 5


class Network(nn.Module):
    """Pictures and times in, for each one the logits of `none, cut, dissolve, fade, wipe` out; about 200,000 weights.

    Each picture and its difference to the one before go through three convolutions (to 4x6 places of 32 channels).
    Two blocks then compare in time at each place, at several distances. A vector for the whole picture joins the
    likenesses to pictures up to 48 frames away (as in TransNetV2, Soucek and Lokoc 2020) and how far apart in
    time the pictures are, and two blocks in time decide.
    """

    def __init__(self) -> None:
        super().__init__()
        self.see1 = nn.Conv2d(6, 8, 3, 2, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.see2 = nn.Conv2d(8, 16, 3, 2, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(16)
        self.see3 = nn.Conv2d(16, 32, 3, 2, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(32)
        self.near = InTime(32, 12, (1, 2, 4, 8), 32)
        self.far = InTime(32, 12, (1, 4, 8, 16), 32)
        self.embed = nn.Linear(24 * 32, 32)
        self.flat = nn.Linear(24 * 32, 96)
        self.like = nn.Linear(4 * len(LAGS) + 2, 48)
        self.drop = nn.Dropout(0.3)
        self.decide1 = InTime(144, 32, (1, 2, 4, 8), 96)
        self.decide2 = InTime(96, 24, (1, 4, 12, 24), 64)
        self.out = nn.Linear(64, CLASSES)

    def forward(self, pictures: Tensor, times: Tensor) -> Tensor:
        """Take pictures, shape (b, t, 26, 48, 3), uint8, and times, shape (b, t); return logits, (b, t, CLASSES)."""
        b, t = pictures.shape[:2]
        x = pictures.permute(0, 1, 4, 2, 3).float() / 128 - 1
        step = torch.cat([torch.zeros_like(x[:, :1]), x[:, 1:] - x[:, :-1]], dim=1)
        cells = functional.avg_pool2d(x.flatten(0, 1), (6, 8)).flatten(1).view(b, t, -1)
        y = torch.cat([x, step], dim=2).flatten(0, 1)
        y = functional.relu(self.norm1(self.see1(y)))
        y = functional.relu(self.norm2(self.see2(y)))
        y = functional.relu(self.norm3(self.see3(y)))
        y = y.flatten(2).view(b, t, 32, 24).permute(0, 3, 2, 1).reshape(b * 24, 32, t)
        y = self.near(y)
        first = places(y, b)
        y = self.far(y)
        embedding = functional.normalize(self.embed(first), dim=-1)
        likeness = torch.cat([band(embedding, cosine), band(cells, distance), steps(times)], dim=-1)
        z = torch.cat(
            [functional.relu(self.flat(self.drop(places(y, b)))), functional.relu(self.like(likeness))], dim=-1
        )
        z = self.decide2(self.decide1(z.transpose(1, 2)))
        return self.out(self.drop(z.transpose(1, 2)))


class InTime(nn.Module):
    """Convolutions of three frames at several distances, side by side, then mixed; a residual where sizes allow."""

    def __init__(self, channels: int, each: int, distances: tuple[int, ...], out: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Conv1d(channels, each, 3, padding=d, dilation=d, padding_mode="replicate", bias=False) for d in distances
        )
        self.norm = nn.BatchNorm1d(each * len(distances))
        self.mix = nn.Conv1d(each * len(distances), out, 1)
        self.residual = channels == out

    def forward(self, x: Tensor) -> Tensor:
        """Take and return (b, channels, t)."""
        y = torch.cat([branch(x) for branch in self.branches], dim=1)
        y = self.mix(functional.relu(self.norm(y)))
        return functional.relu(x + y) if self.residual else functional.relu(y)


def places(y: Tensor, b: int) -> Tensor:
    """Return (b * 24, 32, t) as (b, t, 24 * 32)."""
    return y.view(b, 24, y.shape[1], -1).permute(0, 3, 1, 2).flatten(2)


def band(x: Tensor, compare: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return how x, shape (b, t, c), compares with itself at `LAGS` before and after, shape (b, t, 2 * len(LAGS))."""
    t = x.shape[1]
    at = torch.arange(t)
    parts = []
    for lag in LAGS:
        for other in (torch.clamp(at - lag, min=0), torch.clamp(at + lag, max=t - 1)):
            parts.append(compare(x, x[:, other]))
    return torch.stack(parts, dim=-1)


def steps(times: Tensor) -> Tensor:
    """Return how far pictures are from the one before and the one after, shape (b, t, 2): 0 is 0.04 s, 1 twice that."""
    apart = torch.log2(times.diff(dim=1).clamp(0.02, 0.2) / 0.04)
    return torch.stack([torch.cat([apart[:, :1], apart], dim=1), torch.cat([apart, apart[:, -1:]], dim=1)], dim=-1)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosines of unit vectors."""
    return (a * b).sum(-1)


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Return root mean square distances."""
    return torch.sqrt(((a - b) ** 2).mean(-1) + 1e-6)
