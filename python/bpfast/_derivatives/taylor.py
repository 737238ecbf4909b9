"""The methods `taylor` and `backprop_taylor` of `Network`: derivatives by x inside a cost.

The cost is called here, between two calls of `_core`: no array is borrowed while user code runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast import _core
from bpfast._by_identity import by_identity
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.network import check_network, refuse_other_params
from bpfast._validation.numbers import integer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import Gradient
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import Reduction, TaylorCost


@by_identity
class Taylor(NamedTuple):
    """Outputs of a network and their derivatives along directions, from `Network.taylor`.

    Attributes
    ----------
    value : ndarray, (n, n_L)
        a^L of each example.
    first : ndarray, (k, n, n_L)
        ``first[d]`` is the first derivative of a^L(x + t v) by t at t = 0, for direction d, v.
    second : ndarray, (k, n, n_L), or None
        ``second[d]`` is the second derivative; None with ``order=1``.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="tanh", init="zeros")
    >>> net.weights[0][:] = 2
    >>> u, du, ddu = net.taylor([[0.0]], [[1.0]])
    >>> u, du, ddu  # tanh 2x at 0: its derivatives are 2 and 0
    (array([[0.]]), array([[[2.]]]), array([[[0.]]]))
    """

    value: NDArray[Any]
    first: NDArray[Any]
    second: NDArray[Any] | None


Taylor.__module__ = "bpfast"


def taylor(
    self: _core.Network,
    x: Inputs,
    directions: ArrayLike | Sequence[ArrayLike],
    order: int = 2,
) -> Taylor:
    """The outputs and their first and second derivatives by x along directions.

    For a direction v they are those of a^L(x + t v) by t at t = 0: the first is J v with the
    Jacobian J = ∂a^L/∂x, the second vᵀ H v with the Hessian H of each output. With v the unit
    vector e_i they are ∂a^L/∂x_i and ∂²a^L/∂x_i². One forward pass in Taylor mode carries z, ż and
    z̈ through the layers: ż^l = ȧ^(l-1) (W^l)ᵀ, z̈^l = ä^(l-1) (W^l)ᵀ, ȧ = σ' ż,
    ä = σ'' ż² + σ' z̈.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row. Other dtypes are converted to the network's.
    directions : array_like, (k, n_1), (k, n, n_1) or (n_1,), or a list of directions
        k directions: the same for all examples, or one for each example. ``numpy.eye(n_1)`` gives
        the derivatives by each input. A list may have directions of both kinds, (n_1,) and
        (n, n_1). One direction may be given as (n_1,).
    order : {2, 1}, default 2
        1: the first derivatives only.

    Returns
    -------
    Taylor
        A named tuple: ``value``, (n, n_L), ``first`` and ``second``, (k, n, n_L), in the network's
        dtype; ``second`` is None with ``order=1``.

    Raises
    ------
    ValueError
        An activation is not smooth (relu, leaky_relu, elu, selu, hard_sigmoid, hard_swish) or is
        softmax, the order is not 1 or 2, directions have another shape or are not finite, or x has
        another shape or no rows.
    TypeError
        x or directions are not of real numbers, or the order is not an integer.

    Notes
    -----
    A mixed derivative ∂²a/∂x_i∂x_j is (second along e_i + e_j, minus second along e_i, minus second
    along e_j) / 2. The result has the same bits at any number of threads and on every run.

    References
    ----------
    Griewank and Walther, *Evaluating Derivatives*, 2nd ed., 2008, ch. 13. Bettencourt, Johnson and
    Duvenaud, *Taylor-Mode Automatic Differentiation for Higher-Order Derivatives in JAX*, 2019.

    Examples
    --------
    The function tanh(x_0 + 2 x_1) and its derivatives by x_0 and x_1:

    >>> import numpy as np
    >>> import bpfast
    >>> net = bpfast.Network.from_parameters([[[1.0, 2.0]]], [[0.0]], output="tanh")
    >>> u, du, ddu = net.taylor([[0.0, 0.0], [0.5, 0.0]], np.eye(2))
    >>> du[:, :, 0]  # of two examples: 1 - u², and twice that
    array([[1.        , 0.78644773],
           [2.        , 1.57289547]])
    >>> np.allclose(ddu[1], -8 * u * (1 - u**2))
    True
    """
    check_network(self)
    return Taylor(*self._taylor(x, _directions(directions), _order(order)))


def backprop_taylor(
    self: _core.Network,
    x: Inputs,
    directions: ArrayLike | Sequence[ArrayLike],
    cost: TaylorCost,
    *,
    order: int = 2,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    out: Gradient | None = None,
) -> Gradient:
    """C and its gradient, for a cost of the outputs and their derivatives by x.

    For physics-informed fits, whose cost is the residual of a differential equation, and for
    training on known derivatives (Sobolev training). The gradient comes from one pass back through
    the Taylor-mode forward pass of `taylor`: with δ, δ̇ and δ̈ the derivatives of C by z, ż and z̈,
    δ̈ = σ' ∂C/∂ä, δ̇ = σ' ∂C/∂ȧ + 2σ'' ż ∂C/∂ä,
    δ = σ' ∂C/∂a + Σ_v (σ'' ż ∂C/∂ȧ + (σ''' ż² + σ'' z̈) ∂C/∂ä), and
    ∂C/∂W^l = δᵀ a^(l-1) + Σ_v (δ̇ᵀ ȧ^(l-1) + δ̈ᵀ ä^(l-1)), ∂C/∂b^l = Σ_x δ.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row. Other dtypes are converted to the network's.
    directions : array_like, (k, n_1), (k, n, n_1) or (n_1,), or a list of directions
        k directions: the same for all examples, or one for each example. ``numpy.eye(n_1)`` gives
        the derivatives by each input. A list may have directions of both kinds, (n_1,) and
        (n, n_1). One direction may be given as (n_1,).
    cost : callable
        ``cost(taylor) -> (C_x, (nabla_value, nabla_first, nabla_second))``, called once, on the
        calling thread, with a `Taylor` of the whole batch. It returns C_x of shape (n,) and the
        derivatives of C_x by ``taylor.value``, ``taylor.first`` and ``taylor.second``, in their
        shapes; None stands for 0. With ``order=1`` there is no nabla_second. It must not change x,
        the directions or the parameters; an error is raised if it does.
    order : {2, 1}, default 2
        1: the first derivatives only.
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
        An activation is not smooth (relu, leaky_relu, elu, selu, hard_sigmoid, hard_swish) or is
        softmax, the order is not 1 or 2, directions have another shape or are not finite, x has
        another shape or no rows, the cost returns other shapes or changes what it must not, weights
        are not finite or, with "mean", negative or all zero; or ``out`` has other sizes, is
        read-only or shares memory with an input.
    TypeError
        An argument or what the cost returns is not of real numbers, the order is not an integer, or
        ``out`` is not a Gradient of the network's dtype.

    Notes
    -----
    The network's own cost is not used. Terms on other points, such as boundary conditions, are
    other calls, whose gradients are added: ``g.flat += h.flat``. The forward pass is computed once
    for the cost, and once more, chunk by chunk, with the pass back, so that memory does not grow
    with the number of hidden neurons times n. The gradient has the same bits at any number of
    threads and on every run.

    References
    ----------
    Griewank and Walther, *Evaluating Derivatives*, 2nd ed., 2008, ch. 13. Raissi, Perdikaris and
    Karniadakis, *Physics-informed neural networks*, 2019. Czarnecki et al., *Sobolev Training for
    Neural Networks*, 2017.

    Examples
    --------
    The residual of u' = u for u = w x + b, with w = 2 and b = 1, at x = 1: r = w - (w x + b) = -1.

    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.params[:] = [2, 1]
    >>> def cost(taylor):
    ...     r = taylor.first[0] - taylor.value
    ...     return (r**2).sum(axis=1) / 2, (-r, r[None])
    >>> g = net.backprop_taylor([[1.0]], [[1.0]], cost, order=1)
    >>> g.cost, g.flat  # ∂r/∂w = 1 - x = 0, ∂r/∂b = -1
    (0.5, array([0., 1.]))
    """
    check_network(self)
    order = _order(order)
    if not callable(cost):
        raise TypeError(f"cost: expected a callable, got {type(cost).__name__}")
    weights = (sample_weight, reduction)
    prepared = self._prepare_taylor(x, _directions(directions), order, weights, out)
    points, v, sample_weight = prepared
    shapes = points.shape, v.shape
    params, checksums = _core.copy_params(self), _checksums(self, points, v)
    returned = cost(Taylor(*self._taylor(points, v, order)))
    refuse_other_params(self, params)
    for name, array, shape in (("x", points, shapes[0]), ("directions", v, shapes[1])):
        if array.shape != shape:
            raise ValueError(
                f"{name}: expected shape {shape} until the call ends, got {array.shape}"
            )
    for name, now, before in zip(
        ("x", "directions"), _checksums(self, points, v), checksums, strict=True
    ):
        if now != before:
            raise ValueError(f"cost: expected to leave {name} unchanged, got other numbers")
    return self._backprop_taylor((points, v), order, returned, (sample_weight, reduction), out)


def _checksums(net: _core.Network, x: Any, directions: Any) -> tuple[int, int]:
    """Checksums of the numbers that a cost must not change."""
    return net._checksum(x), net._checksum(directions.reshape(-1, directions.shape[-1]))


def _order(order: int) -> int:
    """`order`, if it is 1 or 2."""
    number = integer("order", order, -(2**63))
    if number not in (1, 2):
        raise ValueError(f"order: expected 1 or 2, got {number}")
    return number


def _directions(directions: Any) -> Any:
    """`directions` with an axis for each of them: those of a list have the same shape."""
    if isinstance(directions, list | tuple):
        entries = [as_array("directions", direction) for direction in directions]
        axes = {entry.ndim for entry in entries}
        if axes == {1, 2}:
            shape = next(entry.shape for entry in entries if entry.ndim == 2)
            return [
                np.broadcast_to(entry, shape) if entry.shape == shape[1:] else entry
                for entry in entries
            ]
        if axes != {0}:
            return directions
    array = as_array("directions", directions)
    return array[None] if array.ndim == 1 else array
