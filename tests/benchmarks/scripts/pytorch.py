"""The smallest script that does with PyTorch what `mlp` does: TASK WEIGHTS DATA."""

import gzip
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn


def read(path, skip):
    """Read an IDX file."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=skip))


def images(path):
    """Read images as floats from 0 to 1."""
    return read(path, 16).reshape(-1, 784) / 255


task, weights, data = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
network = nn.Sequential(nn.Linear(784, 32), nn.Sigmoid(), nn.Linear(32, 10), nn.Sigmoid())
if task != "train":
    network.load_state_dict(torch.load(weights))
if task == "predict":
    with torch.no_grad():
        image = torch.from_numpy(np.fromfile(data, np.uint8, offset=16)) / 255
        print(network(image).argmax().item())
    sys.exit()
folder = data / "mnist"
if task == "train":
    x = images(folder / "train-images-idx3-ubyte.gz")
    labels = read(folder / "train-labels-idx1-ubyte.gz", 8).long()
    y = nn.functional.one_hot(labels, 10).float()
    optimizer = torch.optim.SGD(network.parameters(), 0.3)
    for _ in range(10):
        for chosen in torch.randperm(len(x)).split(256):
            error = ((network(x[chosen]) - y[chosen]) ** 2).sum() / len(chosen)
            optimizer.zero_grad()
            error.backward()
            optimizer.step()
    torch.save(network.state_dict(), weights)
with torch.no_grad():
    predicted = network(images(folder / "t10k-images-idx3-ubyte.gz")).argmax(1)
accuracy = (predicted == read(folder / "t10k-labels-idx1-ubyte.gz", 8)).float().mean().item()
print(f"accuracy {accuracy:.4f}")
