"""Checks a network's gradients with finite differences of the cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bpfast._validation import sparse as _sparse
from bpfast._validation.numbers import positive, whole
from bpfast._validation.seed import generator
from bpfast.testing import _differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from bpfast import Network

    # A derivative to check: its name, the cost along it, its value by backprop, and its scale.
    Probe = tuple[str, Callable[[float], float], float, float]

# The tolerances. The allowed error of a derivative is the sum of three terms: _TOLERANCE times its
# scale, the largest Σ_x |δ_x| |a_x| of its array (absolute values, because terms may cancel);
# _FLOOR roundings of the network's largest δ and of a^L (a small δ still has the rounding of a - y
# and of 1 - a²); and the rounding of the difference. Differences are accurate to about 1e-10 of the
# scale; the rest allows for chains of roundings, 6e-8 each in float32. In 3,000 random networks,
# half in each dtype, with 2 to 6 layers of up to 64 neurons, every activation and cost, also
# saturated and trained, the largest error was 0.8 of the tolerance, and below 0.01 in half of them.
# In 8 others the gradient overflowed float32.
_TOLERANCE = {"float64": 1e-8, "float32": 1e-4}
_FLOOR = 64
# The number of roundings in a float64 cost, relative to C and to z^L.
_ROUNDINGS = 4


@dataclass(frozen=True)
class Tally:
    """The result of one kind of check.

    Attributes
    ----------
    checked, skipped, failed : int
        The number of derivatives that were compared; that were skipped because the cost has a kink
        there; and that were compared and wrong (0 in a returned report).
    error : float
        The largest abs(analytic - numeric) as a multiple of the tolerance: above 1 is wrong.
    worst : str
        Its place: ``weights[0][2, 1]``, ``z of layer 3, neuron 1, example 4``, …
    analytic, numeric : float
        The derivatives there by backpropagation and by finite differences.
    """

    checked: int = 0
    skipped: int = 0
    failed: int = 0
    error: float = -1.0
    worst: str = "none"
    analytic: float = 0.0
    numeric: float = 0.0

    def __str__(self) -> str:
        """The result in one line."""
        return (
            f"{self.checked} checked, {self.failed} wrong, {self.skipped} skipped; worst: "
            f"{self.worst}, analytic {self.analytic:.10g}, numeric {self.numeric:.10g}, "
            f"{max(self.error, 0):.2g} of the tolerance"
        )


@dataclass(frozen=True)
class GradientReport:
    """The result of `check_gradients`: the tolerance, and a `Tally` for each kind of check.

    Attributes
    ----------
    dtype : str
        The dtype of the network.
    rtol : float
        The relative tolerance.
    directions, parameters, weighted_inputs : Tally
        Derivatives of C along random directions, with respect to single parameters, and with
        respect to single weighted inputs z^l_j.
    """

    dtype: str
    rtol: float
    directions: Tally
    parameters: Tally
    weighted_inputs: Tally

    def __str__(self) -> str:
        """The result in four lines."""
        return (
            f"gradients of a {self.dtype} network, tolerance {self.rtol:.0e}\n"
            f"  directions:      {self.directions}\n"
            f"  parameters:      {self.parameters}\n"
            f"  weighted_inputs: {self.weighted_inputs}"
        )


def check_gradients(
    net: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Literal["mean", "sum"] = "mean",
    directions: int = 8,
    parameters: int | None = 200,
    weighted_inputs: int | None = 200,
    seed: Any = 0,
    rtol: float | None = None,
) -> GradientReport:
    r"""Compare backpropagation with finite differences of the cost.

    .. math::

        \frac{C(\theta + hv) - C(\theta - hv)}{2h} \approx \nabla C \cdot v, \qquad
        \Delta C \approx \delta^l_j \, \Delta z^l_j

    The first formula is checked along random directions v through all parameters, and along single
    parameters. The second is checked for single weighted inputs: z^l_j is changed for one example,
    and the layers from l on compute the change of the cost.

    Differences are computed in float64, on a copy, with Richardson extrapolation and decreasing
    steps until two estimates agree. If none agree, the cost has a kink (relu, leaky_relu, absolute;
    the curvature of elu, huber), and the derivative is counted as skipped.

    Parameters
    ----------
    net : Network
        The network to check, with any cost, also your own callable. It is not changed.
    x : array_like or SciPy sparse, (n, n_1)
        The examples. A few are enough; with many, a step meets more kinks.
    y : array_like, (n, n_L) or (n,)
        The targets. With cross_entropy and log_likelihood also integer class labels of shape (n,).
    sample_weight : array_like, (n,), optional
        The weights s_x, finite and 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.
    directions : int, default 8
        The number of random directions.
    parameters, weighted_inputs : int or None, default 200
        The number of parameters and of weighted inputs z^l_j, drawn from each layer in turn; all
        if there are fewer. None: all, up to 10,000.
    seed : None, int, Generator, BitGenerator or SeedSequence, default 0
        Draws them; anything that `numpy.random.default_rng` accepts.
    rtol : float, optional
        The tolerance relative to the scale of a derivative, the largest Σ_x \|δ_x\| \|a_x\| of its
        array. Default: 1e-8 for float64, 1e-4 for float32.

    Returns
    -------
    GradientReport
        Counts and largest errors; print it to see them.

    Raises
    ------
    AssertionError
        A derivative is wrong, and the message names the worst one; or more than half were skipped.
    ValueError
        A count, `rtol` or the seed is invalid, shapes do not match, or the cost is not finite.
    TypeError
        `net` is not a network, or an argument has the wrong type.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2: δ^l_j as the effect of a change of z^l_j.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> net = bpfast.Network([4, 5, 3], hidden="tanh", seed=rng)
    >>> report = bpfast.testing.check_gradients(net, rng.normal(size=(6, 4)), rng.random((6, 3)))
    >>> report.parameters.checked, report.parameters.skipped
    (43, 0)
    >>> report.parameters.error < 0.1
    True
    """
    given = {"directions": directions, "parameters": parameters, "weighted_inputs": weighted_inputs}
    # Any object with the methods of a network can be checked.
    if not hasattr(net, "backprop") or str(net.dtype) not in _TOLERANCE:
        raise TypeError(f"net: expected a Network, got {type(net).__name__}")
    most = {name: 10_000 if n is None else whole(name, n, 0) for name, n in given.items()}
    if not any(most.values()):
        raise ValueError("directions, parameters, weighted_inputs: expected some, got 0 of each")
    if rtol is not None:
        rtol = positive("rtol", rtol)
    try:
        rng = generator(seed)
    except (TypeError, ValueError) as error:
        raise type(error)(f"seed: {error}") from None
    options = {"sample_weight": sample_weight, "reduction": reduction}
    check = _Check(net, x, y, options, rtol)
    tallies = [
        check.tally(check.directions(most["directions"], rng)),
        check.tally(check.parameters(most["parameters"], rng)),
        check.tally(check.weighted_inputs(most["weighted_inputs"], rng)),
    ]
    report = GradientReport(str(net.dtype), check.rtol, *tallies)
    if any(tally.failed for tally in tallies):
        worst = max(tallies, key=lambda tally: tally.error)
        raise AssertionError(
            f"{worst.worst}: analytic {worst.analytic:.10g}, numeric {worst.numeric:.10g}\n{report}"
        )
    if sum(tally.skipped for tally in tallies) > sum(tally.checked for tally in tallies):
        raise AssertionError(f"more than half skipped: kinks nearby; try other examples\n{report}")
    return report


class _Check:
    """The results of backpropagation, a float64 copy to perturb, and the scales of derivatives."""

    def __init__(
        self, net: Network, x: ArrayLike, y: ArrayLike, options: dict[str, Any], rtol: float | None
    ) -> None:
        self.options = options
        self.rtol = _TOLERANCE[str(net.dtype)] if rtol is None else rtol
        self.gradient = net.backprop(x, y, **options)
        self.errors = net.errors(x, y, **options)
        self.exact = net.astype(np.float64)
        # The network converts x, and y unless they are labels, to its dtype; the copy gets the
        # same.
        given: Any = x
        dense = given.toarray() if _sparse.is_sparse(given) else np.asarray(given)
        self.x = dense.astype(net.dtype).astype(np.float64)
        y = np.asarray(y)
        custom = callable(net.config["cost"])
        self.y = y if custom or y.ndim == 1 else y.astype(net.dtype).astype(np.float64)
        self.trace = self.exact.trace(self.x)
        start = self.cost()
        if not np.isfinite([start, *(np.abs(v).max() for v in (self.x, *self.trace.z))]).all():
            raise ValueError(f"x, y: expected finite z and a finite cost, got the cost {start}")

        weights = options["sample_weight"]
        share = np.ones(len(self.x)) if weights is None else np.asarray(weights, float)
        most = float(share.max() / (share.sum() if options["reduction"] == "mean" else 1))
        last_z, last_a = (most * float(np.abs(v[-1]).max()) for v in (self.trace.z, self.trace.a))
        self.rounding = _ROUNDINGS * float(np.finfo(float).eps) * (abs(start) + last_z)
        size = [np.where(np.isfinite(d), np.abs(d), 0).astype(float) for d in self.errors]
        top = last_a + max(float(d.max()) for d in size)
        floor = _FLOOR * float(np.finfo(net.dtype).eps) / self.rtol * top
        self.size = [d + floor for d in size]
        self.scales = [d.T @ np.abs(a) for d, a in zip(self.size, self.trace.a, strict=False)]
        self.scales += [d.sum(axis=0) for d in self.size]

    def cost(self) -> float:
        return float(self.exact.cost(self.x, self.y, **self.options))

    def directions(self, most: int, rng: np.random.Generator) -> Iterator[Probe]:
        """Derivatives of C along random directions through all parameters."""
        theta = self.exact.params.copy()
        scale = math.sqrt(sum(float((scale**2).sum()) for scale in self.scales))
        for index in range(most):
            v = rng.standard_normal(theta.size)

            def along(h: float, v: NDArray[Any] = v) -> float:
                self.exact.params = theta + h * v
                cost = self.cost()
                self.exact.params = theta
                return cost

            yield f"direction {index}", along, float(self.gradient.flat.astype(float) @ v), scale

    def parameters(self, most: int, rng: np.random.Generator) -> Iterator[Probe]:
        """Derivatives of C with respect to single weights and biases."""
        arrays = [*self.exact.weights, *self.exact.biases]
        slopes = [*self.gradient.weights, *self.gradient.biases]
        layers = range(len(self.errors))
        names = [f"weights[{k}]" for k in layers] + [f"biases[{k}]" for k in layers]
        for k, place in _round_robin(arrays, most, rng):
            name = f"{names[k]}[{', '.join(map(str, place))}]"
            along = _differences.perturb(arrays[k], place, self.cost)
            yield name, along, float(slopes[k][place]), float(self.scales[k].max())

    def weighted_inputs(self, most: int, rng: np.random.Generator) -> Iterator[Probe]:
        """Derivatives of C with respect to single z^l_j of one example."""
        tails = [self.tail(k) for k in range(len(self.errors) if most else 0)]
        for k, place in _round_robin(self.errors, most, rng):
            name = f"z of layer {k + 2}, neuron {place[1]}, example {place[0]}"
            along = _differences.perturb(self.trace.z[k], place, tails[k])
            yield name, along, float(self.errors[k][place]), float(self.size[k].max())

    def tail(self, k: int) -> Callable[[], float]:
        """C as a function of z[k]: a network that starts with an identity product."""
        from bpfast import Network

        z, config = self.trace.z[k], self.exact.config
        rest = Network.from_parameters(
            [np.eye(z.shape[1]), *list(self.exact.weights)[k + 1 :]],
            [np.zeros(z.shape[1]), *list(self.exact.biases)[k + 1 :]],
            hidden=config["hidden"][k:],
            output=config["output"],
            cost=config["cost"],
        )
        return lambda: rest.cost(z, self.y, **self.options)

    def tally(self, probes: Iterator[Probe]) -> Tally:
        """Compare the derivatives of backpropagation with finite differences."""
        tally = Tally()
        for name, cost, analytic, scale in probes:
            numeric, rounding = _differences.derivative(cost, self.rtol * scale / 40, self.rounding)
            if numeric is None:
                tally = replace(tally, skipped=tally.skipped + 1)
                continue
            wrong, allowed = abs(analytic - numeric), self.rtol * scale + rounding
            error = float(wrong / max(allowed, 1e-300)) if math.isfinite(wrong) else math.inf
            if error > tally.error:
                tally = replace(tally, error=error, worst=name, analytic=analytic, numeric=numeric)
            tally = replace(tally, checked=tally.checked + 1, failed=tally.failed + (error > 1))
        return tally


def _round_robin(
    arrays: list[NDArray[Any]], most: int, rng: np.random.Generator
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Draw at most `most` different places, one of each array in turn."""
    orders = [rng.permutation(array.size)[:most] for array in arrays]
    turns = sorted((turn, k) for k, order in enumerate(orders) for turn in range(len(order)))
    for turn, k in turns[:most]:
        yield k, tuple(int(i) for i in np.unravel_index(orders[k][turn], arrays[k].shape))
