"""Validation that the methods share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._calls.methods import call_cost
from bpfast._core import Trace
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.names import one_of
from bpfast._validation.network import check_network

if TYPE_CHECKING:
    from bpfast import _core


def is_at_z(at: Any) -> bool:
    """Whether v is ∂C/∂z^L and not ∂C/∂a^L."""
    return one_of("at", at, ("a", "z")) == "z"


def with_custom_cost(
    self: _core.Network, x: Any, y: Any, sample_weight: Any
) -> tuple[Any, Any, Any]:
    """x, y and the weights; with a callable cost, what it returned in place of y.

    x is then returned as a `Trace`, and must not be one.
    """
    check_network(self)
    if (cost := self._custom_cost) is None:
        return x, y, sample_weight
    refuse_trace(x, " with a callable cost")
    prepared = self._prepare(x, y, sample_weight, "sum", None)
    return call_cost(cost, self, prepared, y)


def number_of_examples(x: Any) -> int:
    """n of x, also of a `Trace` in its place."""
    if isinstance(x, Trace):
        x = x.a[-1]
    if not hasattr(x, "shape") and not hasattr(x, "__len__"):
        x = as_array("x", x)  # NumPy also takes objects that have only `__array__`
    shape = getattr(x, "shape", None)
    if shape is None:
        return len(x)
    return int(shape[0]) if shape else 1  # without an axis: refused where x is read


def refuse_trace(x: Any, where: str = "") -> None:
    """Raise TypeError if x is a Trace."""
    if isinstance(x, Trace):
        raise TypeError(f"x: expected the examples, got a Trace{where}; its a[0] has the examples")
