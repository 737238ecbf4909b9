"""Gradients of single examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._derivatives.arguments import number_of_examples, with_custom_cost
from bpfast._validation.numbers import flag

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast import _core
    from bpfast._core import Trace
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import AnyArray


@dataclass(frozen=True, eq=False, repr=False)
class PerExampleGradients:
    """The gradient ∂C_x of each example, as `Network.per_example_gradients` returns it.

    Parameters
    ----------
    flat : ndarray, (n, P)
        A row per example, in the order of ``net.params``.
    sizes : tuple of int
        n_1, …, n_L of the network.
    has_biases : tuple of bool, optional
        Whether each of the layers 2, …, L has biases. Default: all have.

    Notes
    -----
    `weights` and `biases` are views of ``flat``.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([2, 3, 1], seed=0)
    >>> gradients = net.per_example_gradients([[1, 2], [3, 4]], [[0], [1]])
    >>> gradients
    PerExampleGradients(2 examples, 13 parameters, float64)
    >>> gradients.weights[0].shape, gradients.biases[0].shape
    ((2, 3, 2), (2, 3))
    """

    flat: AnyArray
    sizes: tuple[int, ...]
    has_biases: tuple[bool, ...] | None = None

    @property
    def weights(self) -> list[AnyArray]:
        """∂C_x/∂W^l, (n, n_l, n_(l-1)), for l = 2 … L."""
        return [weights for weights, _ in self._layers()]

    @property
    def biases(self) -> list[AnyArray | None]:
        """∂C_x/∂b^l, (n, n_l), for l = 2 … L; None for a layer without biases."""
        return [biases for _, biases in self._layers()]

    def _layers(self) -> list[tuple[AnyArray, AnyArray | None]]:
        layers: list[tuple[AnyArray, AnyArray | None]] = []
        start, n = 0, len(self.flat)
        pairs = list(zip(self.sizes, self.sizes[1:], strict=False))
        has_biases = self.has_biases or (True,) * len(pairs)
        for (n_in, n_out), has in zip(pairs, has_biases, strict=True):
            middle = start + n_in * n_out
            end = middle + n_out if has else middle
            by_inputs = self.flat[:, start:middle].reshape(n, n_in, n_out)
            biases = self.flat[:, middle:end] if has else None
            layers.append((by_inputs.transpose(0, 2, 1), biases))
            start = end
        return layers

    def __len__(self) -> int:
        """The number of examples."""
        return len(self.flat)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        """`flat`, for NumPy."""
        return np.array(self.flat, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        n, size = self.flat.shape
        return f"PerExampleGradients({n} examples, {size} parameters, {self.flat.dtype})"


PerExampleGradients.__module__ = "bpfast"


def per_example_gradients(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    out: AnyArray | None = None,
) -> PerExampleGradients:
    """The gradient of each example: s_x ∂C_x/∂W^l and s_x ∂C_x/∂b^l, without the factor 1/n.

    ∂C_x/∂W^l is the outer product of δ^l and a^(l-1) of the example, and ∂C_x/∂b^l is its δ^l.
    The mean of the rows is the gradient that `backprop` returns.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters: then no forward pass is computed. No Trace with a callable cost.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite. Default: 1 for each example.
    out : ndarray, (n, P), optional
        Where to write: of the network's dtype, C-contiguous, writeable, sharing no memory with x or
        the parameters. The operating system takes as long to provide a large new array as the
        gradients take to compute, so reuse one.

    Returns
    -------
    PerExampleGradients
        `flat`, (n, P), and a view for each W^l and b^l.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, weights
        are not finite, or ``out`` has another shape or layout.
    TypeError
        An argument is not of real numbers, or ``out`` is not an array of the network's dtype.
    MemoryError
        n P numbers cannot be allocated. `per_example_norms` and `clipped_backprop` do not need
        them, and `gradient_statistics` stores 3 P and 2 P of float64.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2: BP4 before the mean over the examples.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.per_example_gradients([[1], [2]], [[1], [3]]).flat  # (a - y) x, a - y
    array([[-1., -1.],
           [-6., -3.]])
    """
    x, y, sample_weight = with_custom_cost(self, x, y, sample_weight)
    try:
        flat = self._per_example_gradients(x, y, sample_weight, out)
    except MemoryError as error:
        raise _too_large(self, x) from error
    biases: list[Any] = list(self.biases)
    has_biases = tuple(b is not None for b in biases)
    return PerExampleGradients(np.asarray(flat), self.sizes, has_biases)


def _too_large(net: _core.Network, x: Any) -> MemoryError:
    n = number_of_examples(x)
    size = n * net.params.size * np.dtype(net.dtype).itemsize
    return MemoryError(
        f"x: expected examples whose gradients fit into memory, got {n} examples of "
        f"{net.params.size} parameters, which take {size / 2**30:.1f} GiB; call it for a part of "
        "the examples at a time, or use per_example_norms, clipped_backprop or gradient_statistics"
    )


def per_example_norms(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    per_layer: bool = False,
) -> NDArray[np.float64]:
    """‖s_x ∂C_x‖ of each example, without forming the gradients.

    ‖∂C_x‖² = Σ_l ‖δ^l‖² (‖a^(l-1)‖² + 1), since ∂C_x/∂W^l is an outer product; the 1 is for b^l.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters: then no forward pass is computed. No Trace with a callable cost.
    y : array_like, (n, n_L) or (n,)
        The targets, as for `per_example_gradients`.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite. Default: 1 for each example.
    per_layer : bool, default False
        Whether to return the norm of each layer's part, ∂C_x/∂(W^l, b^l).

    Returns
    -------
    ndarray of float64, (n,), or (n, L - 1) with ``per_layer``
        The norms, in float64.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, labels are out of range or the cost takes none, or
        weights are not finite.
    TypeError
        An argument is not of real numbers.

    References
    ----------
    Goodfellow, *Efficient Per-Example Gradient Computations*, 2015.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.per_example_norms([[0], [2]], [[1], [3]])  # |a - y| √(x² + 1)
    array([1.        , 6.70820393])
    """
    per_layer = flag("per_layer", per_layer)
    x, y, sample_weight = with_custom_cost(self, x, y, sample_weight)
    return self._per_example_norms(x, y, sample_weight, bool(per_layer))
