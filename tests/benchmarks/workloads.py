"""What is trained. Only the standard library, as `mnist.py` says."""

from typing import Any, NamedTuple


class Workload(NamedTuple):
    """One training problem, in the words of an experiment."""

    name: str
    data: str
    structure: list[int]
    bt_size: int
    eta: float
    turn: int
    """Epochs per turn: enough to be timed well."""
    extra: dict[str, Any]
    """Keys of an experiment that differ from the article's sigmoid, squared error and SGD."""

    @property
    def relu(self) -> bool:
        """Whether it is ReLU, softmax and cross-entropy instead of sigmoid and squared error."""
        return self.extra.get("activation") == "relu"

    @property
    def adam(self) -> bool:
        """Whether it is Adam instead of SGD."""
        return self.extra.get("optimizer") == "adam"

    def steps(self, examples: int) -> int:
        """Return how many steps an epoch has."""
        return -(-examples // self.bt_size)

    def summary(self) -> str:
        """Return it as one line."""
        kind = "relu/cross-entropy" if self.relu else "sigmoid/mse"
        rule = "adam" if self.adam else "sgd"
        return f"{self.name}: {self.structure}, bt_size {self.bt_size}, {kind}, {rule}"

    def mapping(self, epochs: int) -> dict[str, Any]:
        """Return it as the keys of an experiment."""
        five = {
            "data": self.data,
            "structure": self.structure,
            "eta": self.eta,
            "bt_size": self.bt_size,
            "epochs": epochs,
        }
        return five | self.extra


RELU = {"activation": "relu", "output": "softmax", "loss": "cross_entropy"}
ADAM = {"optimizer": "adam", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("parity", "parity", [10, 3, 2], 8, 0.3, 40, {}),
        Workload("article", "mnist", [784, 32, 10], 256, 0.3, 4, {}),
        Workload("deep", "mnist", [784, 256, 128, 10], 128, 0.1, 1, RELU),
        Workload("wide", "mnist", [784, 800, 10], 128, 0.1, 1, RELU),
        Workload("adam", "mnist", [784, 256, 128, 10], 128, 0.001, 1, RELU | ADAM),
        Workload("table", "table", [30, 64, 64, 3], 64, 0.001, 4, RELU | ADAM),
    )
}
