"""Networks to carry to other libraries and back."""

from typing import Any

import numpy as np

import bpfast

DTYPES = ("float32", "float64")
# Largest difference of outputs, relative to the largest output: an other order of sums.
TOLERANCE = {"float32": 1e-6, "float64": 1e-14}
WITH_PARAMETER = ("leaky_relu(0.2)", "elu(0.5)", "leaky_relu(0.3)")
HIDDEN = [name for name in bpfast.ACTIVATIONS if name != "softmax"]
HIDDEN += WITH_PARAMETER


def network(
    hidden: Any = "tanh", output: Any = "identity", dtype: Any = "float64", **options: Any
) -> Any:
    """A network with square matrices, whose transpose would fit too, and biases that are not 0."""
    cost: Any = {"softmax": "log_likelihood", "sigmoid": "cross_entropy"}.get(output, "quadratic")
    return bpfast.Network(
        [4, 4, 4, 3], hidden=hidden, output=output, cost=cost, dtype=dtype, seed=7, **options
    )


def inputs(dtype: Any, n: int = 40, width: int = 4) -> Any:
    """Examples with z on both sides of each kink, and some that are large."""
    rng = np.random.default_rng(3)
    return (rng.standard_normal((n, width)) * np.geomspace(0.1, 8, n)[:, None]).astype(dtype)


def same_bits(net: Any, other: Any) -> bool:
    """Whether two networks have the same parameters, bit for bit, and activations."""
    names = ("sizes", "hidden", "output", "dtype")
    names = (*names, *({"biases"} & net.config.keys()))
    same = all(net.config[name] == other.config.get(name) for name in names)
    return bool(same and net.params.tobytes() == other.params.tobytes())


def agree(got: Any, expected: Any, dtype: Any) -> bool:
    """Whether outputs differ by no more than the tolerance."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype == dtype
    limit = TOLERANCE[np.dtype(dtype).name] * max(1.0, float(np.abs(expected).max()))
    return bool(np.abs(got - expected).max() <= limit)


# Each activation in the hidden layers and, except softmax, at the output.
KINDS = [(name, "identity") for name in HIDDEN] + [("tanh", name) for name in HIDDEN]
KINDS += [("relu", "softmax")]
