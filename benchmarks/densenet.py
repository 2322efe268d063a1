"""The classifier of the published protocol, in a process of its own: a DenseNet, with PyTorch.

    python densenet.py SETS.npz OUT.npz --seed 0

SETS holds ``test`` and, for each set to learn from, ``NAME/images`` and ``NAME/labels``; OUT
receives the predictions of the test, ``NAME``. Huang et al., CVPR 2017, made small for images of 64
to 784 points: three blocks of three layers that add eight channels each. Every set is learnt in as
many steps, so that more images do not mean more training.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import nn

STEPS = 400
BATCH = 100
GROWTH = 8
BLOCKS = 3
DEPTH = 3


class Layer(nn.Module):
    """Adds channels to those it is given."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.made = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, GROWTH, 3, padding=1, bias=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give what it was given, and what it made of it."""
        return torch.cat([x, self.made(x)], 1)


def densenet(classes: int, side: int) -> nn.Sequential:
    """Make the network; images of more than 20 points a side are halved at once."""
    channels = 2 * GROWTH
    parts: list[nn.Module] = [
        nn.Conv2d(1, channels, 3, padding=1, stride=2 if side > 20 else 1, bias=False)
    ]
    for block in range(BLOCKS):
        for _ in range(DEPTH):
            parts.append(Layer(channels))
            channels += GROWTH
        if block < BLOCKS - 1:
            parts += [
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.Conv2d(channels, channels // 2, 1, bias=False),
                nn.AvgPool2d(2),
            ]
            channels //= 2
    parts += [nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*parts, nn.Linear(channels, classes))


def as_images(rows: np.ndarray) -> torch.Tensor:
    side = int(rows.shape[1] ** 0.5)
    images = torch.tensor(rows, dtype=torch.float32).reshape(-1, 1, side, side)
    return images.to(memory_format=torch.channels_last)


def predicted(rows: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Learn from images and labels, and tell the labels of the test."""
    torch.manual_seed(seed)
    x, y = as_images(rows), torch.tensor(labels).long()
    network = densenet(int(y.max()) + 1, x.shape[-1]).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=STEPS)
    order, at = torch.randperm(len(x)), 0
    for _ in range(STEPS):
        if at + BATCH > len(x):
            order, at = torch.randperm(len(x)), 0
        batch = order[at : at + BATCH]
        at += BATCH
        loss = nn.functional.cross_entropy(network(x[batch]), y[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        pace.step()
    network.eval()
    with torch.no_grad():
        found = [network(part).argmax(1) for part in as_images(test).split(500)]
    return torch.cat(found).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    given = np.load(asked.sets)
    names = [key.removesuffix("/images") for key in given if key.endswith("/images")]
    found = {
        name: predicted(given[f"{name}/images"], given[f"{name}/labels"], given["test"], asked.seed)
        for name in names
    }
    np.savez(asked.out, **found)


if __name__ == "__main__":
    main()
