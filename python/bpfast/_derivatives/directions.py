"""Derivatives along directions: of outputs, `vjp`, and of inputs or parameters, `jvp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

from bpfast._derivatives.arguments import is_at_z
from bpfast._validation.names import one_of
from bpfast._validation.network import check_network

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bpfast import _core
    from bpfast._core import Gradient, Trace
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import AnyArray


@overload
def vjp(
    self: _core.Network,
    x: Inputs | Trace,
    v: ArrayLike,
    *,
    at: Literal["a", "z"] = "a",
    wrt: Literal["both"] = "both",
    out: Gradient | None = None,
) -> tuple[Gradient, AnyArray]: ...


@overload
def vjp(
    self: _core.Network,
    x: Inputs | Trace,
    v: ArrayLike,
    *,
    at: Literal["a", "z"] = "a",
    wrt: Literal["params"],
    out: Gradient | None = None,
) -> Gradient: ...


@overload
def vjp(
    self: _core.Network,
    x: Inputs | Trace,
    v: ArrayLike,
    *,
    at: Literal["a", "z"] = "a",
    wrt: Literal["x"],
    out: Gradient | None = None,
) -> AnyArray: ...


def vjp(
    self: _core.Network,
    x: Inputs | Trace,
    v: ArrayLike,
    *,
    at: Literal["a", "z"] = "a",
    wrt: Literal["both", "params", "x"] = "both",
    out: Gradient | None = None,
) -> tuple[Gradient, AnyArray] | Gradient | AnyArray:
    """Vector-Jacobian product: the gradient of any function C of the outputs, from v = ∂C/∂a^L.

    δ^L = v ⊙ σ'(z^L), then BP2 to BP4 and ∂C/∂x = δ^2 W^2. The gradient is summed over the batch,
    without a factor 1/n: put it into v if C is a mean.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters: then no forward pass is computed.
    v : array_like, (n, n_L)
        ∂C/∂a^L of each example, or ∂C/∂z^L.
    at : {"a", "z"}, default "a"
        "z": v is ∂C/∂z^L, which is δ^L. For a cost of the weighted inputs z^L, such as a loss on
        logits that stays finite where a^L saturates.
    wrt : {"both", "params", "x"}, default "both"
        By what to differentiate.
    out : Gradient, optional
        Where to write ∂C/∂(W, b): a gradient of this network, or of a network with the same sizes
        and dtype. Not with ``wrt="x"``.

    Returns
    -------
    (Gradient, ndarray of shape (n, n_1)), or one of them
        ∂C/∂(W, b), whose `cost` is NaN, since C is not known here, and ∂C/∂x, which is dense also
        for a sparse x.

    Raises
    ------
    ValueError
        x or v has another shape, x has no rows or is the trace of a network of other sizes, or
        ``at`` or ``wrt`` is unknown.
    TypeError
        x or v is not of real numbers, or ``out`` is not a Gradient of the network's dtype.
    MemoryError
        ∂C/∂x cannot be allocated.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, equations BP1 to BP4; Baydin et al.,
    *Automatic Differentiation in Machine Learning: a Survey*, 2018.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([2, 1], output="identity", init="zeros")
    >>> net.weights[0][:] = [[3, 4]]
    >>> gradient, dx = net.vjp([[1, 2]], [[10]])  # a = 3 x_1 + 4 x_2 + b
    >>> gradient.flat, dx
    (array([10., 20., 10.]), array([[30., 40.]]))
    """
    check_network(self)
    at_z = is_at_z(at)
    by = one_of("wrt", wrt, ("both", "params", "x"))
    if by == "x" and out is not None:
        expected = "None with wrt='x', which has no gradient to write"
        raise ValueError(f"out: expected {expected}, got {type(out).__name__}")
    gradient, dx = self._vjp(x, v, at_z, (by != "x", by != "params"), out)
    if by == "both":
        return gradient, dx
    result: Gradient | AnyArray = gradient if by == "params" else dx
    return result


def jvp(
    self: _core.Network,
    x: Inputs | Trace,
    *,
    dx: ArrayLike | None = None,
    dparams: ArrayLike | None = None,
) -> tuple[AnyArray, AnyArray]:
    """Jacobian-vector product: a^L and its derivative along a direction (ẋ, Ẇ, ḃ).

    ż^l = ȧ^(l-1) (W^l)ᵀ + a^(l-1) (Ẇ^l)ᵀ + ḃ^l and ȧ^l = σ'(z^l) ⊙ ż^l, with ȧ^1 = ẋ.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters.
    dx : array_like, (n, n_1), optional
        ẋ. Default: 0.
    dparams : array_like, (P,), optional
        Ẇ and ḃ in the order of `params`. Default: 0.

    Returns
    -------
    (ndarray, ndarray), each (n, n_L)
        a^L and ȧ^L.

    Raises
    ------
    ValueError
        A shape does not match, x has no rows, or neither direction is given.
    TypeError
        An argument is not of real numbers.

    References
    ----------
    Pearlmutter, *Fast Exact Multiplication by the Hessian*, 1994.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([2, 1], output="identity", init="zeros")
    >>> net.weights[0][:] = [[3, 4]]
    >>> net.jvp([[1, 2]], dx=[[0, 1]])
    (array([[11.]]), array([[4.]]))
    >>> net.jvp([[1, 2]], dparams=[1, 0, 0])
    (array([[11.]]), array([[1.]]))
    """
    check_network(self)
    if dx is None and dparams is None:
        raise ValueError("dx: expected a direction dx or dparams, got None for both")
    return self._jvp(x, dx, dparams)
