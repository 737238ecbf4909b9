"""Layers that are read one by one and become a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from bpfast._network import Network
from bpfast.formats._activations import is_known
from bpfast.formats._numbers import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfast._typing import AnyArray, Cost


class Chain:
    """Affine maps and activations in the order in which x passes them.

    `what` is the argument of the user, for errors. Layers have the names of their library.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.names: list[str] = []
        self.weights: list[AnyArray] = []
        self.biases: list[AnyArray | None] = []
        self.activations: list[str | None] = []

    def add_affine(self, name: str, weights: Any, biases: Any) -> None:
        """Add z = a Wᵀ + b: W of shape (n_out, n_in), and b of shape (n_out,) or None.

        Raises
        ------
        ValueError
            A shape does not fit.
        TypeError
            A dtype is neither float32 nor float64, or differs from that of the layers before.
        """
        w = numbers(f"{self.what}: weights of layer {name!r}", weights)
        b = None if biases is None else numbers(f"{self.what}: biases of layer {name!r}", biases)
        if w.ndim != 2 or 0 in w.shape:
            self.refuse(name, "expected a matrix of weights", f"shape {w.shape}")
        if b is not None and b.shape != w.shape[:1]:
            expected = f"expected biases of shape {w.shape[:1]} for weights of {w.shape}"
            self.refuse(name, expected, f"shape {b.shape}")
        if self.weights and len(self.weights[-1]) != w.shape[1]:
            expected = f"expected {len(self.weights[-1])} inputs, the outputs of the layer before"
            self.refuse(name, expected, f"{w.shape[1]}")
        if b is not None and b.dtype != w.dtype:
            self.refuse_dtype(name, f"weights of {w.dtype}, biases of {b.dtype}")
        if self.weights and self.weights[0].dtype != w.dtype:
            first = self.weights[0].dtype
            self.refuse_dtype(name, f"{first} in layer {self.names[0]!r}, {w.dtype} in {name!r}")
        self.names.append(name)
        self.weights.append(w)
        self.biases.append(b)
        self.activations.append(None)

    def add_activation(self, name: str, activation: str) -> None:
        """Add σ, which has bpfast's name; "identity" adds nothing.

        Raises
        ------
        ValueError
            There is no affine map before it, or already an activation; or bpfast has no such name.
        """
        if activation == "identity":
            return
        if not self.weights:
            self.refuse(name, "expected an affine layer first", f"the activation {activation}")
        if before := self.activations[-1]:
            got = f"{activation} after {before}"
            self.refuse(name, "expected one activation after each affine layer", got)
        if not is_known(activation):
            self.refuse(name, "expected an activation of bpfast.ACTIVATIONS", repr(activation))
        self.activations[-1] = activation

    def set_activations(self, hidden: str | Sequence[str] | None, output: str | None) -> None:
        """Give the layers the activations that the user names, for formats that have none.

        Raises
        ------
        ValueError
            They are missing, or there is no layer.
        """
        self._refuse_nothing()
        if output is None:
            raise ValueError(f"output: expected the activation of the outputs, {self._missing()}")
        layers = len(self.weights) - 1
        if layers and hidden is None:
            raise ValueError(f"hidden: expected the hidden activations, {self._missing()}")
        if isinstance(hidden, str):
            hidden = [hidden] * layers
        given = list(hidden or [])
        if len(given) != layers:
            expected = f"one name, or {layers} for the {layers} hidden layers"
            raise ValueError(f"hidden: expected {expected}, got {len(given)}")
        self.activations = [*given, output]

    def _missing(self) -> str:
        return f"which the {self.what} does not contain, got None; pass 'identity' for none"

    def append_output(self, hidden: object, output: str | None) -> None:
        """Give the output layer an activation that the user adds to those of the model.

        Raises
        ------
        ValueError
            The model has one already, or the user also names hidden activations.
        """
        if hidden is not None:
            expected = f"None, as the {self.what} has its activations"
            raise ValueError(f"hidden: expected {expected}, got {hidden!r}")
        if output is None or not self.weights or output == self.activations[-1]:
            return
        if before := self.activations[-1]:
            expected = f"None, as the {self.what} ends with {before}"
            raise ValueError(f"output: expected {expected}, got {output!r}")
        self.activations[-1] = output

    def network(self, cost: Cost) -> Network:
        """The network.

        Raises
        ------
        ValueError
            There is no layer, softmax is used in a hidden layer or for a single output, or the
            output does not go with the cost.
        """
        self._refuse_nothing()
        names = [activation or "identity" for activation in self.activations]
        for layer, activation in zip(self.names[:-1], names, strict=False):
            if activation == "softmax":
                self.refuse(layer, "expected softmax after the last layer only", "softmax")
        return Network.from_parameters(
            self.weights,
            cast("list[AnyArray]", self.biases),
            hidden=names[:-1],
            output=names[-1],
            cost=cost,
        )

    def _refuse_nothing(self) -> None:
        if not self.weights:
            raise ValueError(f"{self.what}: expected an affine layer, got none")

    def refuse(self, name: str, expected: str, got: str) -> NoReturn:
        """Raise ValueError about a layer."""
        raise ValueError(f"{self.what}: layer {name!r}: {expected}, got {got}")

    def refuse_dtype(self, name: str, got: str) -> NoReturn:
        """Raise TypeError about a layer."""
        raise TypeError(f"{self.what}: layer {name!r}: expected one dtype, got {got}")


def describe_type(value: object) -> str:
    """What a model of the wrong type is, for errors.

    Examples
    --------
    >>> describe_type(3), describe_type(int)
    ('int', 'the class int itself')
    """
    return f"the class {value.__name__} itself" if isinstance(value, type) else type(value).__name__
