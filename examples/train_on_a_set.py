"""Train a tiny network on a set: from a clip's frames, predict how bright the next one is in each place.

python examples/train_on_a_set.py SET
"""

import sys

import torch
from torch import nn
from torch.utils.data import DataLoader

import longtake

STEPS = 20


def main(folder: str) -> None:
    windows = longtake.open_set(folder).torch(frames=5, fps=8.0, size=(64, 64))
    print(f"{len(windows)} clips, {windows.too_short} too short")
    # Workers by fork would take threads of the tables along; those that stay need to start only once.
    loader: DataLoader[dict[str, torch.Tensor]] = DataLoader(
        windows,
        batch_size=4,
        shuffle=True,
        num_workers=2,
        multiprocessing_context="forkserver",
        persistent_workers=True,
    )
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(4, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 1, 3, padding=1))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    step = epoch = 0
    while step < STEPS:
        windows.set_epoch(epoch)  # other windows of the same clips
        for batch in loader:
            light = batch["video"].float().mean(dim=2) / 255
            loss = nn.functional.mse_loss(network(light[:, :4]), light[:, 4:])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            step += 1
            if step in (1, STEPS // 2, STEPS):
                print(f"step {step:2}: loss {loss.item():.4f}")
            if step == STEPS:
                break
        epoch += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
