"""`compat: article`: everything in which the article's listings differ from its equations.

With these the tables that the article prints are reproduced to the digit (`configs/parity.yaml`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlpcli.config.schema import KEYS, origin_of
from mlpcli.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The keys that remain free under `compat: article`. All others keep their defaults,
ALLOWED_KEYS = (
    "data",
    "structure",
    "hidden",
    "eta",
    "bt_size",
    "epochs",
    "seed",
    "checkpoint_every",
    "preset",
    "compat",
)
# or have these values,
IMPLIED_VALUES = {"init": "normal", "output": "sigmoid", "dtype": "float64"}
# and inputs are not scaled.
SCALE = "none"


def apply_compat(values: dict[str, Any], origins: Mapping[str, str]) -> None:
    """Set what `compat: article` decides.

    Args:
        values: the checked values of an experiment; changed in place.
        origins: where each key was given.

    Raises:
        ConfigError: if a key contradicts it.
    """
    implied = {name: KEYS[name].default for name in KEYS if name not in ALLOWED_KEYS}
    implied |= IMPLIED_VALUES
    for name, value in implied.items():
        if values.setdefault(name, value) != value:
            meant = "that it is not given" if value is None else value
            raise _contradiction(origin_of(origins, name), values[name], meant)
    if values["data"].scale not in (None, SCALE):
        raise _contradiction(origin_of(origins, "data.scale"), values["data"].scale, SCALE)
    values["data"] = values["data"]._replace(scale=SCALE)


def _contradiction(where: str, given: Any, meant: Any) -> ConfigError:
    problem = f"{given} contradicts compat: article, which means {meant}"
    return ConfigError(where, problem, "remove one of the two")


class ArticleStream:
    """One legacy Mersenne Twister stream: first the weights, then one shuffle per epoch."""

    def __init__(self, seed: int) -> None:
        # Here and below: NumPy is imported by what computes, not by what reads a configuration.
        import numpy as np

        self.stream = np.random.RandomState(seed)

    @property
    def state(self) -> str:
        """The stream's state, as text; setting it makes the stream go on from there."""
        state = self.stream.get_state(legacy=False)["state"]
        return f"{state['pos']}:{state['key'].astype('<u4').tobytes().hex()}"

    @state.setter
    def state(self, text: str) -> None:
        import numpy as np

        position, _, key = text.partition(":")
        words = np.frombuffer(bytes.fromhex(key), "<u4")
        # NumPy would read beyond the words.
        if not 0 <= int(position) <= len(words):
            raise ValueError(f"position {position} of {len(words)} words")
        self.stream.set_state(("MT19937", words, int(position), 0, 0.0))

    def weights(self) -> "np.random.RandomState":
        """Return the source of the initial weights, to be used before the first epoch."""
        return self.stream

    def order(self, epoch: int, n: int) -> "NDArray[np.integer]":  # noqa: ARG002 - a stream has no key
        """Shuffle a fresh 0..n-1 in place, (n,)."""
        import numpy as np

        order = np.arange(n)
        self.stream.shuffle(order)
        return order


def batch_sizes(n: int, bt_size: int) -> tuple[list[int], list[int], int]:
    """Cut n >= 2·bt_size examples into mini-batches as the article's `batches()` does (erratum 2).

    The remainder joins the last mini-batch, whose gradient is divided by `bt_size` all the same.
    The epoch's error is the mean over steps of the summed error divided by `bt_size`.

    Returns:
        The fields of a `training.batches.BatchSizes`.
    """
    steps = n // bt_size
    sizes = [bt_size] * (steps - 1) + [bt_size + n % bt_size]
    return sizes, [bt_size] * steps, steps * bt_size
