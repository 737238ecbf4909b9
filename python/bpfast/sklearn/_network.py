"""The network of an estimator: its configuration and its initial parameters."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._param_validation import InvalidParameterError

from bpfast._network import Network
from bpfast._underflow import underflows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# scikit-learn's names of activations that have another name here.
ACTIVATION_NAMES = {"logistic": "sigmoid"}


def hidden_sizes(hidden_layer_sizes: Any) -> list[int]:
    """The sizes of the hidden layers; there may be none.

    Raises
    ------
    ValueError
        A size is not a positive integer.
    """
    sizes = np.atleast_1d(np.asarray(hidden_layer_sizes if np.size(hidden_layer_sizes) else []))
    if sizes.size and (sizes.dtype.kind not in "iu" or sizes.ndim != 1):
        raise ValueError(f"hidden_layer_sizes must be integers, got {sizes.tolist()}.")
    if (sizes <= 0).any():
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes.tolist()}.")
    return [int(size) for size in sizes]


def new_network(
    estimator: Any, sizes: Sequence[int], output: Any, cost: Any, dtype: np.dtype[Any]
) -> Network:
    """A network with all parameters 0, as the parameters of the estimator describe it.

    Raises
    ------
    InvalidParameterError
        An activation is unknown, or their number is not that of the hidden layers.
    ValueError
        An output activation or a cost is unknown, or does not go with the rest.
    """
    hidden, given = estimator.hidden, "hidden"
    if hidden is None:
        hidden, given = estimator.activation, "activation"
    activations: Any = _translated(hidden)
    if len(sizes) == 2 and isinstance(activations, str):
        activations = []
    try:
        Network([1] * len(sizes), hidden=activations, init="zeros")
    except (TypeError, ValueError) as error:
        what = f"The {given!r} parameter of {type(estimator).__name__} is invalid"
        text = str(error).removeprefix("hidden: ")
        raise InvalidParameterError(f"{what}: {text}") from None
    return Network(sizes, hidden=activations, output=output, cost=cost, dtype=dtype, init="zeros")


def _translated(hidden: Any) -> str | list[str]:
    if isinstance(hidden, str):
        return ACTIVATION_NAMES.get(hidden, hidden)
    return [ACTIVATION_NAMES.get(name, name) for name in hidden]


def draw_parameters(net: Network, activation: Any, random: np.random.RandomState) -> None:
    """Draw the initial parameters as scikit-learn does, in the same order.

    Glorot and Bengio: uniform between ±√(6 / (n_in + n_out)), biases too; 2 in place of 6 if the
    activation is the logistic function. The output counts as the last hidden layer.
    """
    hidden = net.config["hidden"] or [ACTIVATION_NAMES.get(activation, activation)]
    for k, (weights, biases) in enumerate(zip(net.weights, net.biases, strict=True)):
        n_out, n_in = weights.shape
        factor = 2.0 if hidden[min(k, len(hidden) - 1)] == "sigmoid" else 6.0
        bound = np.sqrt(factor / (n_in + n_out))
        weights.T[...] = random.uniform(-bound, bound, (n_in, n_out))
        biases[...] = random.uniform(-bound, bound, n_out)


@underflows
def penalty(net: Network, alpha: float, l1: float) -> float:
    """The penalty alpha / 2 Σ w² + l1 Σ |w|.

    Without BLAS, whose threads would spin on the CPUs of the next steps.
    """
    total = 0.0
    for weights in net.weights:
        if alpha:
            total += alpha / 2 * float(np.einsum("ij,ij", weights.T, weights.T))
        if l1:
            total += l1 * float(np.abs(weights).sum())
    return total


def views(net: Network) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """`coefs_` and `intercepts_`: views of the weights, (n_in, n_out), and of the biases."""
    return [weights.T for weights in net.weights], list(net.biases)


def assign(net: Network, coefs: Sequence[Any], intercepts: Sequence[Any]) -> None:
    """Copy `coefs_` and `intercepts_` that a user has assigned into the network.

    Raises
    ------
    ValueError
        Their number or a shape does not fit.
    """
    targets = [*(weights.T for weights in net.weights), *net.biases]
    names = [f"{name}[{k}]" for name in ("coefs_", "intercepts_") for k in range(len(net.weights))]
    given = [np.asarray(array) for array in itertools.chain(coefs, intercepts)]
    if len(given) != len(targets) or len(coefs) != len(net.weights):
        raise ValueError(
            f"coefs_ and intercepts_ must have {len(net.weights)} arrays each for the layers "
            f"{net.sizes}, got {len(coefs)} and {len(intercepts)}."
        )
    for name, target, array in zip(names, targets, given, strict=True):
        if array.shape != target.shape:
            raise ValueError(f"{name} must have shape {target.shape}, got {array.shape}.")
    for target, array in zip(targets, given, strict=True):
        if array is not target:
            target[...] = array


def assign_last(
    net: Network, last: Network | None, coefs: Sequence[Any], intercepts: Sequence[Any]
) -> None:
    """Copy the parameters of the last fit into a network of another configuration.

    Raises
    ------
    ValueError
        They do not fit, because the hidden layers have other sizes or the user has assigned others.
    """
    try:
        assign(net, coefs, intercepts)
    except ValueError:
        if last is None or last.sizes[1:-1] == net.sizes[1:-1]:
            raise
        expected = f"{last.sizes[1:-1]}, the sizes of the last fit, to continue from it"
        raise ValueError(
            f"hidden_layer_sizes: expected {expected}, got {net.sizes[1:-1]}"
        ) from None
