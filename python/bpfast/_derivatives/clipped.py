"""Sums of clipped gradients with noise, as differentially private training needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._derivatives.arguments import (
    number_of_examples,
    refuse_trace,
    with_custom_cost,
)
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.sparse import by_rows, is_sparse
from bpfast._validation.names import by_name, one_of
from bpfast._validation.naming import naming_rows
from bpfast._validation.numbers import not_negative, number, positive, within
from bpfast._validation.seed import generator

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bpfast._core import Gradient, Trace
    from bpfast._core import _Inputs as Inputs
    from bpfast._typing import Reduction


# The kinds of dtypes of real numbers.
REAL = "biuf"


@by_name(
    {"maxgradnorm": "max_norm", "clipnorm": "max_norm", "l2normclip": "max_norm",
     "samplerate": "sampling_rate", "noise": "noise_multiplier", "lossreduction": "reduction",
     "generator": "seed"}
)  # fmt: skip
def clipped_backprop(
    self: _core.Network,
    x: Inputs | Trace,
    y: ArrayLike,
    max_norm: float,
    *,
    noise_multiplier: float = 0.0,
    seed: Any = None,
    reduction: Reduction = "mean",
    sampling_rate: float | None = None,
    expected_batch_size: float | None = None,
    out: Gradient | None = None,
) -> Gradient:
    """Σ_x ∂C_x min(1, c / ‖∂C_x‖) + N(0, (σ c)²), divided by the batch size: a step of DP-SGD.

    One forward and one backward pass, with the memory of one gradient: δ^l of an example is scaled
    before BP3 and BP4.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, one per row, or the trace of them that `trace` returned with the present
        parameters: then no forward pass is computed. No Trace with a callable cost or with
        ``sampling_rate``.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    max_norm : float
        c, the longest norm of an example's gradient. ``inf`` clips nothing.
    noise_multiplier : float, default 0
        σ. The noise of every number of the sum is normal with standard deviation σ c.
    seed : None, int, list of int, Generator, BitGenerator or SeedSequence
        Of the noise and of the sample. The same int gives the same noise at every call: pass a
        `numpy.random.Generator` to a training, which differs from call to call.
    reduction : {"mean", "sum"}, default "mean"
        "sum": not divided by the batch size.
    sampling_rate : float, optional
        q, above 0 and up to 1: draw each of the n examples with probability q (Poisson sampling)
        and divide by q n, whatever the number drawn. Pass all examples as x. Default: all are used.
    expected_batch_size : float, optional
        The divisor for "mean", which alone takes it. Default: q n, or n without ``sampling_rate``.
        If x was sampled by the caller, the number drawn is private: pass the expected number. x and
        y may then have no rows, as a sample may, and the result is the noise alone.
    out : Gradient, optional
        Where to write: a gradient of this network, or of a network with the same sizes and dtype.

    Returns
    -------
    Gradient
        Its `cost` is NaN.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows without ``expected_batch_size``, labels are out of range
        or the cost takes none, or a number is out of its range.
    TypeError
        An argument is not of real numbers, the seed is not one, or ``out`` is not a Gradient of the
        network's dtype.

    Notes
    -----
    The noise is computed from a seed (Philox and the Box-Muller transform) and has the same bits on
    every machine. It is not cryptographically secure, and floating-point noise has gaps: for a
    formal guarantee against an adversary who knows this, use a secure source of noise. A privacy
    accountant is not part of bpfast. An example whose gradient is not finite makes the sum NaN. A
    clipped norm may exceed c by rounding, 1e-7 of it in float32. A Generator advances once for the
    sample and once for the noise.

    References
    ----------
    Abadi et al., *Deep Learning with Differential Privacy*, 2016.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.clipped_backprop([[0], [0]], [[1], [9]], max_norm=2, reduction="sum").biases[0]
    array([-3.])
    """
    c = number("max_norm", max_norm)
    if c != np.inf:
        c = positive("max_norm", max_norm)
    sigma = not_negative("noise_multiplier", noise_multiplier)
    if sigma and c == np.inf:
        raise ValueError("max_norm: expected a finite number with noise, got inf")
    is_mean = one_of("reduction", reduction, ("mean", "sum")) == "mean"
    divisor = None
    if expected_batch_size is not None:
        divisor = positive("expected_batch_size", expected_batch_size)
    is_random = sigma > 0 or sampling_rate is not None
    draw = generator(seed) if is_random or seed is not None else None
    if divisor is not None and not is_mean:
        got = "a number with reduction='sum'"
        raise ValueError(f"expected_batch_size: expected None, got {got}")
    is_empty, rows = False, None
    if draw and sampling_rate is not None:
        refuse_trace(x, " with sampling_rate")
        rate = within("sampling_rate", positive("sampling_rate", sampling_rate), 0, 1)
        x, y, n, rows = _sample(self, x, y, rate, _seed64(draw))
        is_empty = rows is not None and not len(rows)
        divisor = divisor or rate * n
    with naming_rows(rows):
        if sampling_rate is None and divisor is not None and _has_no_rows(self, x, y):
            is_empty, x, y = True, *_ignored_example(self)
        else:
            x, y, _ = with_custom_cost(self, x, y, None)
        noise = (_seed64(draw), sigma * c) if draw and sigma else None
        return self._clipped(x, y, (c, is_empty, noise, divisor if is_mean else 1.0), out)


def _sample(
    net: _core.Network, x: Any, y: Any, rate: float, seed: int
) -> tuple[Any, Any, int, Any]:
    """The rows of x and y that are drawn, the number of all, and which are drawn; None for all.

    If none is drawn, the first row is returned, so that the arguments are validated all the same.
    All rows are returned if the shapes do not match: the error that follows has their shapes, and
    not those of the sample.
    """
    x, y = by_rows(x) if is_sparse(x) else as_array("x", x), as_array("y", y)
    n = x.shape[0] if x.ndim else 0
    if x.shape != (n, net.sizes[0]) or y.shape[:1] != (n,):
        return x, y, n, None
    drawn = _core.poisson_sample(seed, rate, n)
    if len(drawn) == n:
        return x, y, n, None  # no copies
    rows = drawn if len(drawn) else np.arange(min(n, 1))
    return x[rows], y[rows], n, drawn


def _has_no_rows(net: _core.Network, x: Any, y: Any) -> bool:
    """Whether x and y have no rows, and otherwise fit the network."""
    if isinstance(x, _core.Trace) or number_of_examples(x):
        return False
    y = as_array("y", y)
    fits = net._custom_cost is not None or (
        y.shape in ((0,), (0, net.sizes[-1])) and y.dtype.kind in REAL
    )
    x = x if is_sparse(x) else as_array("x", x)
    return (
        fits and y.shape[:1] == (0,) and x.shape[1:] in ((), net.sizes[:1]) and x.dtype.kind in REAL
    )


def _ignored_example(net: _core.Network) -> tuple[Any, Any]:
    """One example that `is_empty` keeps out of the sum. A callable cost is not called."""
    x, y = np.zeros((1, net.sizes[0])), np.zeros((1, net.sizes[-1]))
    return (x, y) if net._custom_cost is None else (x, (np.zeros(1), y))


def _seed64(draw: np.random.Generator) -> int:
    return int(draw.integers(2**63))
