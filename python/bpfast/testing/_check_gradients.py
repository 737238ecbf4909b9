"""Checks a network's gradients with finite differences of the cost."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bpfast._derivatives.arguments import refuse_trace
from bpfast._validation.network import check_network
from bpfast._validation.numbers import integer, positive
from bpfast._validation.seed import generator
from bpfast.testing import _differences
from bpfast.testing._probes import TOLERANCE, Probes
from bpfast.testing._report import GradientReport, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

    from bpfast import Network
    from bpfast.testing._probes import Probe


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
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,).
    sample_weight : array_like, (n,), optional
        The weights s_x, finite; with "mean" 0 or above. Default: 1 for each example.
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
    if not hasattr(net, "backprop") or str(net.dtype) not in TOLERANCE:
        check_network(net, "net")
    refuse_trace(x)
    most = {name: 10_000 if n is None else integer(name, n, 0) for name, n in given.items()}
    if not any(most.values()):
        raise ValueError("directions, parameters, weighted_inputs: expected some, got 0 of each")
    if rtol is not None:
        rtol = positive("rtol", rtol)
    rng = generator(seed)
    options = {"sample_weight": sample_weight, "reduction": reduction}
    with np.errstate(under="ignore"):  # small derivatives are none the worse for it
        check = Probes(net, x, y, options, rtol)
        tallies = [
            _tally(check, check.directions(most["directions"], rng)),
            _tally(check, check.parameters(most["parameters"], rng)),
            _tally(check, check.weighted_inputs(most["weighted_inputs"], rng)),
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


def _tally(check: Probes, probes: Iterator[Probe]) -> Tally:
    """Compare the derivatives of backpropagation with finite differences."""
    tally = Tally()
    for name, cost, analytic, scale in probes:
        numeric, rounding = _differences.derivative(cost, check.rtol * scale / 40, check.rounding)
        if numeric is None:
            tally = replace(tally, skipped=tally.skipped + 1)
            continue
        wrong, allowed = abs(analytic - numeric), check.rtol * scale + rounding
        error = float(wrong / max(allowed, 1e-300)) if math.isfinite(wrong) else math.inf
        if error > tally.error:
            tally = replace(tally, error=error, worst=name, analytic=analytic, numeric=numeric)
        tally = replace(tally, checked=tally.checked + 1, failed=tally.failed + (error > 1))
    return tally
