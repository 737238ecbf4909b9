"""The methods of `Network` for a batch and what is wanted of it: `cost`, `errors`, `backprop`.

A cost that is a callable is called here, between two calls of `_core`: no code of the user's runs
while that holds an array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from bpfast import _core
from bpfast._training.steps import refuse_other_params

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import Gradient
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import CustomCost, Reduction


def check_network(value: object) -> None:
    """Raise TypeError for what a method of `Network` cannot be called on."""
    if not isinstance(value, _core.Network):
        raise TypeError(f"self: expected a Network, got {type(value).__name__}")


@overload
def cost(
    self: _core.Network,
    x: Inputs,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> float: ...
@overload
def cost(
    self: _core.Network,
    x: Inputs,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Literal["none"],
) -> NDArray[np.float64]: ...
@overload
def cost(
    self: _core.Network,
    x: Inputs,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction | Literal["none"],
) -> float | NDArray[np.float64]: ...
def cost(
    self: _core.Network,
    x: Inputs,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction | Literal["none"] = "mean",
) -> float | NDArray[np.float64]:
    """C, the cost of a batch: Σ s_x C_x / Σ s_x, Σ s_x C_x, or s_x C_x of each example.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1)
        As for `forward`.
    y : array_like, (n, n_L) or (n,)
        The outputs wanted. With cross_entropy and log_likelihood also integer class labels of
        shape (n,), from 0 to n_L - 1 (0 or 1 where n_L = 1). A cost that is a callable gets
        ``numpy.asarray(y)``, of any shape with n entries.
    sample_weight : array_like, (n,), optional
        s_x: finite, not negative. Left out: 1 for each example.
    reduction : {"mean", "sum", "none"}, default "mean"
        "mean": Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": Σ s_x C_x.
        "none": s_x C_x of each example, with its weight multiplied in.

    Returns
    -------
    float or ndarray of float64, (n,)
        Added up in float64; an array with ``reduction="none"``.

    Raises
    ------
    ValueError
        Shapes that do not fit, no rows, labels out of range or with a cost that takes none,
        weights that are negative, not finite or, for the mean, all zero.
    TypeError
        An argument is not of real numbers.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.cost([[1], [2]], [[1], [3]])  # (1/2 + 9/2) / 2
    2.5
    >>> net.cost([[1], [2]], [[1], [3]], reduction="none")
    array([0.5, 4.5])
    """
    check_network(self)
    if (own := self._custom_cost) is not None:
        x, y, sample_weight = _called(own, self, x, y, sample_weight, reduction, is_cost=True)
    value: float | NDArray[np.float64] = self._cost(x, y, sample_weight, reduction)
    return value


def errors(
    self: _core.Network,
    x: Inputs,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> list[NDArray[Any]]:
    """The errors δ^l = ∂C/∂z^l, each row with the factor 1/n; ``reduction="sum"`` without it.

    By BP1 and BP2. C is the mean cost of the batch, so row x of δ^l is 1/n, or s_x / Σ s_x, times
    ∂C_x/∂z^l. With ``reduction="sum"`` it is s_x ∂C_x/∂z^l: the error of that example alone.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1)
        As for `forward`.
    y : array_like, (n, n_L) or (n,)
        The outputs wanted, or integer class labels, as for `cost`.
    sample_weight : array_like, (n,), optional
        s_x: finite, not negative. Left out: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": of C = Σ s_x C_x / Σ s_x. "sum": of C = Σ s_x C_x.

    Returns
    -------
    list of ndarray
        δ^2, …, δ^L, each (n, n_l).

    Raises
    ------
    ValueError, TypeError
        As for `cost`.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.errors([[1], [2]], [[1], [3]])
    [array([[-0.5],
           [-1.5]])]
    >>> net.errors([[1], [2]], [[1], [3]], reduction="sum")  # of each example: a - y
    [array([[-1.],
           [-3.]])]
    """
    check_network(self)
    if (own := self._custom_cost) is not None:
        x, y, sample_weight = _called(own, self, x, y, sample_weight, reduction)
    return self._errors(x, y, sample_weight, reduction)


def backprop(
    self: _core.Network,
    x: Inputs,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    out: Gradient | None = None,
) -> Gradient:
    """C and its gradient by backpropagation (BP1 to BP4) over the batch, on all cores.

    Parameters
    ----------
    x, y, sample_weight, reduction
        As for `errors`.
    out : Gradient, optional
        Where to write: a gradient of this network, or of one with its sizes and dtype. Its
        numbers are not whole if the call is interrupted.

    Returns
    -------
    Gradient
        ``out``, or a fresh one.

    Raises
    ------
    ValueError
        As for `cost`; ``out`` is of other sizes, read-only, or overlaps an input.
    TypeError
        As for `cost`; ``out`` is no Gradient of the dtype.

    Notes
    -----
    The same bits at any number of threads and on any run. The gradient of a sparse x has every
    number, those that are 0 among them.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> g = net.backprop([[1], [2]], [[1], [3]])
    >>> g.cost, g.flat  # ∂C/∂w = Σ δ x, ∂C/∂b = Σ δ
    (2.5, array([-3.5, -2. ]))
    """
    check_network(self)
    if (own := self._custom_cost) is not None:
        x, y, sample_weight = _called(own, self, x, y, sample_weight, reduction, out)
    return self._backprop(x, y, sample_weight, reduction, out)


def _called(
    cost: CustomCost,
    net: _core.Network,
    x: Any,
    y: Any,
    sample_weight: Any,
    reduction: Any,
    out: Gradient | None = None,
    *,
    is_cost: bool = False,
) -> tuple[Any, Any, Any]:
    """Call the cost of `net`: x, what the cost returned in the place of y, and the weights."""
    x, sample_weight = net._prepare(x, y, sample_weight, reduction, out, is_cost)
    shape = x.shape
    y = _core.as_batch(y, shape[0])
    params = _core.copy_params(net)
    returned = cost(_core.Network.forward(net, x), y)
    refuse_other_params(net, params)
    if x.shape != shape:
        raise ValueError(f"x: expected shape {shape} until the call ends, got {x.shape}")
    return x, returned, sample_weight
