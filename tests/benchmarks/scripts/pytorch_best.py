"""The recipe of configs/mnist-best.yaml in PyTorch: EPOCHS DATA; a line per epoch."""

import gzip
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

EPOCHS, FOLDER = int(sys.argv[1]), Path(sys.argv[2]) / "mnist"
ETA, WARMUP, BT_SIZE, GROUP, SIDE = 0.15, 3, 256, 32, 28


def read(name, skip):
    """Read an IDX file."""
    content = bytearray(gzip.decompress((FOLDER / name).read_bytes()))
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=skip))


def images(name):
    """Read images as floats from 0 to 1."""
    return read(name, 16).reshape(-1, SIDE * SIDE) / 255


def uniform(limit, count):
    """Draw from -limit..limit."""
    return limit * (2 * torch.rand(count) - 1)


frequencies = torch.fft.fftfreq(SIDE)
squares = frequencies[:, None] ** 2 + frequencies**2
SMOOTH = 20 * SIDE / math.sqrt(3) * torch.exp(-2 * (math.pi * 4) ** 2 * squares)


def distorted(x):
    """Turn, scale, shear and bend images, groups of them alike, and move each."""
    maps = -(-len(x) // GROUP)
    angle, shear = uniform(math.radians(12), maps), uniform(0.12, maps)
    up, along = 1 + uniform(0.12, maps), 1 + uniform(0.12, maps)
    cos, sin = torch.cos(angle), torch.sin(angle)
    down = torch.stack([sin / up, cos / up], 1)
    right = torch.stack([cos / along, -sin / along], 1) - shear[:, None] * down
    affine = torch.cat([torch.stack([right, down], 1), torch.zeros(maps, 2, 1)], 2)
    grid = nn.functional.affine_grid(affine, [maps, 1, SIDE, SIDE], align_corners=True)
    noise = torch.randn(maps, SIDE, SIDE, dtype=torch.complex64) * math.sqrt(2)
    bent = torch.view_as_real(torch.fft.ifft2(noise * SMOOTH))
    pixel = 2 / (SIDE - 1)
    grid = (grid + pixel * bent).repeat_interleave(GROUP, 0)[: len(x)]
    grid = grid + pixel * torch.randint(-1, 2, (len(x), 1, 1, 2))
    pictures = x.view(-1, 1, SIDE, SIDE)
    moved = nn.functional.grid_sample(pictures, grid, mode="nearest", align_corners=True)
    return moved.view(len(x), -1)


torch.manual_seed(0)
x, labels = images("train-images-idx3-ubyte.gz"), read("train-labels-idx1-ubyte.gz", 8).long()
x_test, y_test = images("t10k-images-idx3-ubyte.gz"), read("t10k-labels-idx1-ubyte.gz", 8)
network = nn.Sequential(
    nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 512), nn.ReLU(), nn.Linear(512, 10)
)
for layer in network[::2]:
    nn.init.kaiming_normal_(layer.weight)
    nn.init.zeros_(layer.bias)
decays = [
    {"params": [layer.weight for layer in network[::2]], "weight_decay": 1e-5},
    {"params": [layer.bias for layer in network[::2]]},
]
optimizer = torch.optim.SGD(decays, ETA, momentum=0.9, nesterov=True)
steps = -(-len(x) // BT_SIZE)
for epoch in range(EPOCHS):
    for step, chosen in enumerate(torch.randperm(len(x)).split(BT_SIZE)):
        done = epoch + step / steps
        rise = min(1, (done + 1 / steps) / WARMUP)
        for group in optimizer.param_groups:
            group["lr"] = ETA * rise * (1 + math.cos(math.pi * done / EPOCHS)) / 2
        outputs = network(distorted(x.index_select(0, chosen)))
        error = nn.functional.cross_entropy(outputs, labels.index_select(0, chosen))
        optimizer.zero_grad(set_to_none=True)
        error.backward()
        optimizer.step()
    with torch.no_grad():
        accuracy = (network(x_test).argmax(1) == y_test).float().mean().item()
    print(f"accuracy {accuracy:.4f}", flush=True)
