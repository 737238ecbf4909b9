"""The methods `cost`, `errors` and `backprop` of `Network`.

A callable cost is called here, between two calls of `_core`: no array is borrowed while user code
runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from bpfast import _core
from bpfast._validation.network import check_network, refuse_other_params

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import Gradient, Trace
    from bpfast._core import _Dropout as Dropout
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import CustomCost, Reduction


@overload
def cost(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> float: ...
@overload
def cost(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Literal["none"],
) -> NDArray[np.float64]: ...
@overload
def cost(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction | Literal["none"],
) -> float | NDArray[np.float64]: ...
def cost(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction | Literal["none"] = "mean",
) -> float | NDArray[np.float64]:
    """C, the cost of a batch: Σ s_x C_x / Σ s_x, Σ s_x C_x, or s_x C_x of each example.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row. Other dtypes are converted to the network's. For a sparse matrix
        or array only the stored elements are computed with; formats other than CSR are converted by
        ``tocsr()`` at each call. With the trace of the examples that `trace` returned with the
        present parameters, no forward pass is computed; not with a callable cost.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum", "none"}, default "mean"
        "mean": Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": Σ s_x C_x.
        "none": s_x C_x of each example.

    Returns
    -------
    float or ndarray of float64, (n,)
        The sum is computed in float64. An array with ``reduction="none"``.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, or
        weights are not finite or, with "mean", negative or all zero.
    TypeError
        An argument is not of real numbers.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2 and 3.

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
    if (custom := self._custom_cost) is not None:
        prepared = self._prepare_cost(x, y, sample_weight, reduction)
        x, y, sample_weight = call_cost(custom, self, prepared, y, keep=False)
    value: float | NDArray[np.float64] = self._cost(x, y, sample_weight, reduction)
    return value


def errors(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction | Literal["none"] = "mean",
) -> list[NDArray[Any]]:
    """The errors δ^l = ∂C/∂z^l, each row with the factor 1/n; ``reduction="sum"`` without it.

    BP1 and BP2. C is the mean cost of the batch, so row x of δ^l is ∂C_x/∂z^l times 1/n, or times
    s_x / Σ s_x with weights. With ``reduction="sum"`` row x is s_x ∂C_x/∂z^l: the error of that
    example alone.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row. Other dtypes are converted to the network's. For a sparse matrix
        or array only the stored elements are computed with; formats other than CSR are converted by
        ``tocsr()`` at each call. With the trace of the examples that `trace` returned with the
        present parameters, no forward pass is computed; not with a callable cost.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum", "none"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.
        "none": the rows are those of "sum", s_x ∂C_x/∂z^l of each example.

    Returns
    -------
    list of ndarray
        δ^2, …, δ^L, each (n, n_l), in the network's dtype.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, or
        weights are not finite or, with "mean", negative or all zero.
    TypeError
        An argument is not of real numbers.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, equations BP1 and BP2.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.errors([[1], [2]], [[1], [3]])
    [array([[-0.5],
           [-1.5]])]
    >>> net.errors([[1], [2]], [[1], [3]], reduction="sum")  # a - y of each example
    [array([[-1.],
           [-3.]])]
    """
    check_network(self)
    given: Any = reduction  # of any type
    by_row: Reduction = "sum" if isinstance(given, str) and given == "none" else given
    if (custom := self._custom_cost) is not None:
        prepared = self._prepare(x, y, sample_weight, by_row, None)
        x, y, sample_weight = call_cost(custom, self, prepared, y)
    return self._errors(x, y, sample_weight, by_row)


def backprop(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    out: Gradient | None = None,
) -> Gradient:
    """C and its gradient by backpropagation (BP1 to BP4) over the batch, on all cores.

    ∂C/∂b^l = Σ_x δ^l and ∂C/∂W^l = (δ^l)ᵀ a^(l-1), with the errors δ^l that `errors` returns.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row. Other dtypes are converted to the network's. For a sparse matrix
        or array only the stored elements are computed with; formats other than CSR are converted by
        ``tocsr()`` at each call. With the trace of the examples that `trace` returned with the
        present parameters, no forward pass is computed; not with a callable cost.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.
    out : Gradient, optional
        Where to write: a gradient of this network, or of a network with the same sizes and dtype.
        It may be partly written if the call is interrupted.

    Returns
    -------
    Gradient
        ``out``, or a new gradient: `cost`, `flat`, `weights` and `biases`.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, weights
        are not finite or, with "mean", negative or all zero; or ``out`` has other sizes, is
        read-only or shares memory with an input.
    TypeError
        An argument is not of real numbers, or ``out`` is not a Gradient of the network's dtype.

    Notes
    -----
    The result has the same bits at any number of threads and on every run. The gradient for a
    sparse x is dense.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, equations BP1 to BP4.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> g = net.backprop([[1], [2]], [[1], [3]])
    >>> g.cost, g.flat  # ∂C/∂w = Σ δ x, ∂C/∂b = Σ δ
    (2.5, array([-3.5, -2. ]))
    """
    check_network(self)
    if (custom := self._custom_cost) is not None:
        prepared = self._prepare(x, y, sample_weight, reduction, out)
        x, y, sample_weight = call_cost(custom, self, prepared, y)
    return self._backprop(x, y, sample_weight, reduction, out)


def summed_backprop(
    self: _core.Network,
    x: Inputs,
    y: Any,
    sample_weight: NDArray[np.float64] | None,
    out: Gradient,
    dropout: Dropout | None,
) -> Gradient:
    """`backprop` with ``reduction="sum"``, of a part of the examples of a step with dropout.

    `dropout` is the rates of the hidden layers, the seed and the step of the training, and the
    place of each example in the step.
    """
    if dropout is None:
        return backprop(self, x, y, sample_weight=sample_weight, reduction="sum", out=out)
    if (own := self._custom_cost) is not None:
        prepared = self._prepare(x, y, sample_weight, "sum", out)
        x, y, sample_weight = call_cost(own, self, prepared, y, dropout=dropout)
    return self._backprop_dropout(x, y, sample_weight, out, dropout)


# The bytes of a forward pass up to which it is kept while a callable cost runs. A larger one is
# computed again, chunk by chunk, so that memory does not grow with the number of examples. This
# bounds memory and is no measured optimum: the second pass takes a third of a gradient at any size.
MAX_STORED_BYTES = 1 << 28


def call_cost(
    cost: CustomCost,
    self: _core.Network,
    prepared: tuple[Any, Any],
    y: Any,
    *,
    keep: bool = True,
    dropout: Dropout | None = None,
) -> tuple[Any, Any, Any]:
    """Call the cost of a network: returns x, what the cost returned (in place of y), and weights.

    `prepared` is what ``self._prepare`` returned. With `keep`, x is returned with its forward pass,
    as a `Trace`, if that is not too large and nothing is dropped.
    """
    x, sample_weight = prepared
    shape = x.shape
    y = _core.as_batch(y, shape[0])
    params, checksum = _core.copy_params(self), self._checksum(x)
    size = shape[0] * sum(self.sizes[1:]) * self.params.itemsize
    keep = keep and size <= MAX_STORED_BYTES and dropout is None
    trace = self._stored_forward(x) if keep else None
    if trace is None:
        outputs = self._outputs(x, dropout)
    else:
        # A copy: the cost may write to it.
        outputs = (trace.z if self._takes_z else trace.a)[-1].copy()
    returned = cost(outputs, y)
    refuse_other_params(self, params)
    if x.shape != shape:
        raise ValueError(f"x: expected shape {shape} until the call ends, got {x.shape}")
    if self._checksum(x) != checksum:
        raise ValueError("cost: expected to leave x unchanged, got other numbers")
    return x if trace is None else trace, returned, sample_weight
