"""The methods of `Network` for a batch and what is wanted of it: `cost`, `errors`, `backprop`.

A cost that is a callable is called here, between two calls of `_core`: no code of the user's runs
while that holds an array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast import _core
from bpfast._training.steps import refuse_other_params

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import Gradient
    from bpfast._core import _CustomCost as CustomCost
    from bpfast._core import _Inputs as Inputs
    from bpfast._core import _Reduction as Reduction


def check_network(value: object) -> None:
    """Raise TypeError for what a method of `Network` cannot be called on."""
    if not isinstance(value, _core.Network):
        raise TypeError(f"self: expected a Network, got {type(value).__name__}")


def cost(
    self: _core.Network,
    x: Inputs,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> float:
    """C, the cost of a batch: Σ s_x C_x / Σ s_x, or Σ s_x C_x.

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
    reduction : {"mean", "sum"}, default "mean"
        Whether to divide by Σ s_x.

    Returns
    -------
    float
        Added up in float64.

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
    """
    check_network(self)
    if (own := self._custom_cost) is not None:
        x, y, sample_weight = _called(own, self, x, y, sample_weight, reduction)
    return self._cost(x, y, sample_weight, reduction)


def errors(
    self: _core.Network,
    x: Inputs,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> list[NDArray[Any]]:
    """The errors δ^l = ∂C/∂z^l of every layer (BP1, BP2).

    C is the cost of the batch, so a row of δ^l has the factor 1/n, or s_x / Σ s_x, in it.

    Parameters
    ----------
    x, y, sample_weight, reduction
        As for `cost`.

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
        As for `cost`.
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
) -> tuple[Any, Any, Any]:
    """Call the cost of `net`: x, what the cost returned in the place of y, and the weights."""
    x, sample_weight = net._prepare(x, y, sample_weight, reduction, out)
    shape = x.shape
    y = _core.as_batch(y, shape[0])
    params = _core.copy_params(net)
    returned = cost(_core.Network.forward(net, x), y)
    refuse_other_params(net, params)
    if x.shape != shape:
        raise ValueError(f"x: expected shape {shape} until the call ends, got {x.shape}")
    return x, returned, sample_weight
