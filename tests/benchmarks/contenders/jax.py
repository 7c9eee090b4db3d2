"""JAX: one jitted function per epoch, a scan over its mini-batches."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import log_softmax, relu, sigmoid

from benchmarks.contenders import Trainer
from benchmarks.problem import first_weights, one_hot
from benchmarks.workloads import ADAM, Workload
from mlpcli.data.dataset import Dataset
from mlpcli.data.encoding import SCALES

LIBRARIES = ("jax", "jaxlib")


def prepare(workload: Workload, dataset: Dataset) -> Trainer:
    """Move the data to JAX; the first epoch compiles."""
    n, bt_size = len(dataset.train.labels), workload.bt_size
    full = n // bt_size * bt_size
    scale = SCALES[dataset.encoding.scale]
    activation = relu if workload.relu else sigmoid

    def outputs(params: Any, x: Any) -> Any:
        """Return the weighted inputs of the output layer of a network that ends in softmax."""
        # Bytes become floats here, which XLA fuses: 4 % faster than gathering floats.
        a = x.astype(jnp.float32) * scale
        *hidden, (W, b) = params
        for W_hidden, b_hidden in hidden:
            a = activation(a @ W_hidden + b_hidden)
        z = a @ W + b
        return z if workload.relu else sigmoid(z)

    def mean_error(params: Any, x: Any, y: Any) -> Any:
        a = outputs(params, x)
        total = -(log_softmax(a) * y).sum() if workload.relu else ((y - a) ** 2).sum()
        return total / len(x)

    def sgd(params: Any, state: Any, gradient: Any) -> Any:
        return jax.tree.map(lambda p, g: p - workload.eta * g, params, gradient), state

    def adam(params: Any, state: Any, gradient: Any) -> Any:
        beta1, beta2 = ADAM["beta1"], ADAM["beta2"]
        t, m, v = state
        t = t + 1
        m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, gradient)
        v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, gradient)
        rate, root = workload.eta / (1 - beta1**t), jnp.sqrt(1 - beta2**t)
        step = jax.tree.map(lambda m, v: rate * m / (jnp.sqrt(v) / root + ADAM["epsilon"]), m, v)
        return jax.tree.map(jnp.subtract, params, step), (t, m, v)

    update = adam if workload.adam else sgd

    # The data are arguments: closed over, they would be compiled in as constants.
    @partial(jax.jit, donate_argnums=0)
    def epoch(carry: Any, order: Any, x: Any, y: Any) -> Any:
        def step(carry: Any, chosen: Any) -> Any:
            params, state = carry
            error, gradient = jax.value_and_grad(mean_error)(params, x[chosen], y[chosen])
            return update(params, state, gradient), error * len(chosen)

        carry, errors = jax.lax.scan(step, carry, order[:full].reshape(-1, bt_size))
        total = errors.sum()
        if full < n:
            carry, error = step(carry, order[full:])
            total += error
        return carry, total / n

    x = jnp.asarray(dataset.train.features)
    y = jnp.asarray(one_hot(dataset.train, dataset.encoding))
    params = jax.tree.map(jnp.asarray, first_weights(workload))
    zeros = partial(jax.tree.map, jnp.zeros_like, params)
    carry = (params, (jnp.float32(0), zeros(), zeros()) if workload.adam else ())
    rng = np.random.default_rng(0)  # shuffles faster than jax.random, which sorts

    def run(epochs: int) -> float:
        nonlocal carry
        for _ in range(epochs):
            carry, error = epoch(carry, rng.permutation(n).astype(np.int32), x, y)
            mean = float(error)
        jax.block_until_ready(carry)
        return mean

    def accuracy() -> float:
        predicted = np.asarray(outputs(carry[0], dataset.test.features)).argmax(axis=1)
        return float((predicted == dataset.test.labels).mean())

    return Trainer(run, accuracy)
