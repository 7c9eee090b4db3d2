"""PyTorch, eager: a plain loop over index batches of tensors in memory."""

from itertools import pairwise

import torch
from torch import nn

from benchmarks.contenders import Trainer
from benchmarks.problem import first_weights, inputs, one_hot
from benchmarks.workloads import ADAM, Workload
from mlpcli.data.dataset import Dataset

LIBRARIES = ("torch",)


def prepare(workload: Workload, dataset: Dataset) -> Trainer:
    """Make tensors, a Sequential and a torch.optim optimiser."""
    x = torch.from_numpy(inputs(dataset.train, dataset.encoding))
    n, n_out = len(x), workload.structure[-1]
    network = _network(workload)
    if workload.relu:
        y = torch.from_numpy(dataset.train.labels.astype("int64"))
        loss, outputs = nn.functional.cross_entropy, 1
    else:
        # mse_loss is the mean over outputs, too; eta makes up for it and saves an operation.
        y = torch.from_numpy(one_hot(dataset.train, dataset.encoding))
        loss, outputs = nn.functional.mse_loss, n_out
    rate = workload.eta * outputs
    if workload.adam:
        betas = (ADAM["beta1"], ADAM["beta2"])
        # fused takes a quarter off the epoch here; for SGD the default is the fastest.
        optimizer = torch.optim.Adam(
            network.parameters(), rate, betas, eps=ADAM["epsilon"], fused=True
        )
    else:
        optimizer = torch.optim.SGD(network.parameters(), rate)

    def run(epochs: int) -> float:
        for _ in range(epochs):
            total = 0.0
            for chosen in torch.randperm(n).split(workload.bt_size):
                # index_select takes a tenth off x[chosen].
                error = loss(network(x.index_select(0, chosen)), y.index_select(0, chosen))
                optimizer.zero_grad(set_to_none=True)
                error.backward()
                optimizer.step()
                total += error.item() * len(chosen)
        return total * outputs / n

    def accuracy() -> float:
        with torch.no_grad():
            test = network(torch.from_numpy(inputs(dataset.test, dataset.encoding)))
        return float((test.argmax(1).numpy() == dataset.test.labels).mean())

    return Trainer(run, accuracy)


def _network(workload: Workload) -> nn.Sequential:
    layers: list[nn.Module] = []
    for (n_in, n_out), (W, b) in zip(
        pairwise(workload.structure), first_weights(workload), strict=True
    ):
        linear = nn.Linear(n_in, n_out)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W.T))
            linear.bias.copy_(torch.from_numpy(b))
        layers += [linear, nn.ReLU() if workload.relu else nn.Sigmoid()]
    # cross_entropy has the softmax in it.
    return nn.Sequential(*(layers[:-1] if workload.relu else layers))
