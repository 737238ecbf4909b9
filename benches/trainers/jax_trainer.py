"""JAX: a whole epoch in one scan."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benches.cases.digits import BATCH, ETA, Digits
from benches.trainers.protocol import Parts, Trainer

jax.config.update("jax_platforms", "cpu")


def cost(parameters: Any, x: Any, y: Any) -> Any:
    for w, b in parameters:
        x = jax.nn.sigmoid(x @ w + b)
    return 0.5 * jnp.sum((x - y) ** 2) / len(y)


def step(parameters: Any, batch: Any) -> Any:
    gradient = jax.grad(cost)(parameters, *batch)
    return jax.tree.map(lambda kept, g: kept - ETA * g, parameters, gradient), None


def epoch(parameters: Any, x: Any, y: Any, order: Any) -> Any:
    batches = x[order].reshape(-1, BATCH, x.shape[1]), y[order].reshape(-1, BATCH, y.shape[1])
    return jax.lax.scan(step, parameters, batches)[0]


run = jax.jit(epoch)


class JaxTrainer(Trainer):
    def __init__(self, digits: Digits) -> None:
        self.x, self.y, self.orders = jnp.asarray(digits.x), jnp.asarray(digits.y), digits.orders()
        pairs = zip(digits.weights, digits.biases, strict=True)
        self.kept: Any = [(jnp.asarray(w.T), jnp.asarray(b)) for w, b in pairs]

    def epoch(self) -> None:
        self.kept = jax.block_until_ready(run(self.kept, self.x, self.y, next(self.orders)))

    def parameters(self) -> Parts:
        return [np.asarray(w).T for w, _ in self.kept], [np.asarray(b) for _, b in self.kept]
