"""JAX: value_and_grad and forward under jit."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benches.cases.cases import Problem
from benches.peers.protocol import Array, Parts, Peer

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)  # float32 stays float32

ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}


class JaxPeer(Peer):
    def __init__(self, problem: Problem) -> None:
        sigma = ACTIVATIONS[problem.case.activation]

        def product(x: Any, w: Any) -> Any:
            if isinstance(x, tuple):  # the columns and values of a sparse x, (n, stored) each
                return jnp.einsum("ns,nsm->nm", x[1], w[x[0]])
            return x @ w

        def forward(parameters: Any, x: Any) -> Any:
            *hidden, (w, b) = parameters
            for v, c in hidden:
                x = sigma(product(x, v) + c)
            return product(x, w) + b

        def cost(parameters: Any, x: Any, y: Any) -> Any:
            return 0.5 * jnp.sum((forward(parameters, x) - y) ** 2) / len(y)

        self.run_forward = jax.jit(forward)
        self.run_gradient = jax.jit(jax.value_and_grad(cost))
        pairs = zip(problem.weights, problem.biases, strict=True)
        self.parameters = [(jnp.asarray(w.T), jnp.asarray(b)) for w, b in pairs]
        self.x: Any
        if problem.case.sparse:
            parts = problem.x.indices, problem.x.data
            self.x = tuple(jnp.asarray(part.reshape(problem.case.batch, -1)) for part in parts)
        else:
            self.x = jnp.asarray(problem.x)
        self.y = jnp.asarray(problem.y)

    def gradient(self) -> Any:
        return jax.block_until_ready(self.run_gradient(self.parameters, self.x, self.y))

    def forward(self) -> Any:
        return self.run_forward(self.parameters, self.x).block_until_ready()

    def read_gradient(self) -> Parts:
        _, parts = self.gradient()
        return [np.asarray(w).T for w, _ in parts], [np.asarray(b) for _, b in parts]

    def read_forward(self) -> Array:
        return np.asarray(self.forward())
