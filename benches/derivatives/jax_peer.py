"""JAX: transformations of one function under jit."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benches.cases.cases import Problem

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)  # float32 stays float32

ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}


class JaxPeer:
    def __init__(self, problem: Problem, v: Any) -> None:
        sigma = ACTIVATIONS[problem.case.activation]

        def forward(parameters: Any, x: Any) -> Any:
            *hidden, (w, b) = parameters
            for u, c in hidden:
                x = sigma(x @ u.T + c)
            return x @ w.T + b

        def of_one(parameters: Any, x: Any, y: Any) -> Any:
            return 0.5 * jnp.sum((forward(parameters, x) - y) ** 2)

        def cost(parameters: Any, x: Any, y: Any) -> Any:
            return 0.5 * jnp.sum((forward(parameters, x) - y) ** 2) / len(y)

        each = jax.vmap(jax.grad(of_one), (None, 0, 0))

        def squares(gradients: Any) -> Any:
            leaves = jax.tree_util.tree_leaves(gradients)
            return sum(jnp.sum(leaf.reshape(len(leaf), -1) ** 2, axis=1) for leaf in leaves)

        def norms(parameters: Any, x: Any, y: Any) -> Any:
            return jnp.sqrt(squares(each(parameters, x, y)))

        def clipped(parameters: Any, x: Any, y: Any) -> Any:
            gradients = each(parameters, x, y)
            factor = jnp.minimum(1, 1 / jnp.sqrt(squares(gradients)))
            total = lambda leaf: jnp.tensordot(factor, leaf, 1)  # noqa: E731
            return jax.tree_util.tree_map(total, gradients)

        def hvp(parameters: Any, x: Any, y: Any, v: Any) -> Any:
            return jax.jvp(lambda p: jax.grad(cost)(p, x, y), (parameters,), (v,))[1]

        def ggn_vp(parameters: Any, x: Any, v: Any) -> Any:
            def outputs(p: Any) -> Any:
                return forward(p, x)

            _, tangent = jax.jvp(outputs, (parameters,), (v,))
            return jax.vjp(outputs, parameters)[1](tangent / len(x))[0]

        pairs = list(zip(problem.weights, problem.biases, strict=True))
        self.parameters = [(jnp.asarray(w), jnp.asarray(b)) for w, b in pairs]
        x, y = jnp.asarray(problem.x), jnp.asarray(problem.y)
        direction, start = [], 0
        for pair in pairs:
            parts = []
            for part in pair:
                parts.append(jnp.asarray(v[start : start + part.size].reshape(part.shape)))
                start += part.size
            direction.append(tuple(parts))
        examples = (self.parameters, x, y)
        self.calls = {
            "gradient": (jax.jit(jax.grad(cost)), examples),
            "per_example": (jax.jit(each), examples),
            "norms": (jax.jit(norms), examples),
            "clipped": (jax.jit(clipped), examples),
            "hvp": (jax.jit(hvp), (*examples, direction)),
            "ggn_vp": (jax.jit(ggn_vp), (self.parameters, x, direction)),
        }

    def __getattr__(self, name: str) -> Any:
        function, arguments = self.calls[name]
        return lambda: jax.block_until_ready(function(*arguments))

    def read(self, call: str) -> Any:
        """The result as an array, with parameters in the order of W^1 by rows, b^1, ..."""
        found = getattr(self, call)()
        if call == "norms":
            return np.asarray(found)
        rows = len(found[0][1]) if call == "per_example" else 0
        shape = (rows, -1) if rows else (-1,)
        parts = [np.asarray(part).reshape(shape) for pair in found for part in pair]
        return np.concatenate(parts, axis=-1)
