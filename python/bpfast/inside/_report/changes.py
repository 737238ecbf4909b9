"""What a finding suggests, made on copies."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._activations import range_of
from bpfast.inside._batch import dense_targets
from bpfast.inside._causes.step import better_rate
from bpfast.inside._causes.targets import classes_of, standardized
from bpfast.inside._scaled import rms
from bpfast.inside._start import like, start_for, started

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._typing import FloatArray
    from bpfast.inside._facts import Facts
    from bpfast.inside._finding import Finding
    from bpfast.optimizers import Optimizer


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A network to train, and what with.

    Attributes
    ----------
    net : Network
        A float64 copy.
    x, y, weight : ndarray
        The examples; the weights of the trained cost.
    optimizer : Optimizer
        A copy.
    cost : str or callable
        The cost by which its speed is measured.
    measured : ndarray
        The weights of the measured cost.
    change : str
        What was changed, in words.
    expects_more : bool
        Whether learning should be faster; False if it should be no slower although it is from
        examples without any relation.
    """

    net: Network
    x: FloatArray
    y: NDArray[Any]
    weight: FloatArray
    optimizer: Optimizer
    cost: Any
    measured: FloatArray
    change: str
    expects_more: bool = True


@dataclass(frozen=True)
class ChangeContext:
    """What a change is made from.

    Attributes
    ----------
    facts : Facts
        What was computed.
    finding : Finding
        The finding whose suggestion is tried.
    before : Trial
        The network as it is.
    rng : numpy.random.Generator
        Draws new initial weights.
    """

    facts: Facts
    finding: Finding
    before: Trial
    rng: np.random.Generator


def unchanged(facts: Facts, optimizer: Optimizer) -> Trial:
    """The user's network as it is."""
    batch = facts.batch
    return Trial(
        net=batch.net.copy(),
        x=batch.x,
        y=batch.y,
        weight=batch.weight,
        optimizer=optimizer,
        cost=batch.net.config["cost"],
        measured=batch.weight,
        change="nothing",
    )


def trials(context: ChangeContext) -> tuple[Trial, Trial]:
    """The trial without the suggested change, and with it; both measured in the same way."""
    return _CHANGES[context.finding.kind](context)


def _scaled_x(context: ChangeContext) -> tuple[Trial, Trial]:
    std = context.facts.feature_std
    scale = np.where(std > 0, std, 1.0)
    x = np.where(std > 0, (context.before.x - context.facts.feature_mean) / scale, 0.0)
    what = "x scaled to mean 0 and standard deviation 1"
    if context.finding.kind == "constant_features":
        what += ", constant features to 0"
    return context.before, replace(context.before, x=x, change=what)


def _scaled_y(context: ChangeContext) -> tuple[Trial, Trial]:
    y = context.before.y
    output = context.before.net.config["output"]
    low, high = range_of(output)
    if context.finding.kind == "target_scale" and np.isfinite(low):
        scaled, what = y / rms(y), "y divided by its RMS"
    elif np.isfinite(low):
        span = y.max() - y.min() or 1.0
        height = (high - low) if np.isfinite(high) else 1.0
        scaled = low + height * (y - y.min()) / span
        what = f"y scaled to {low:g} to {low + height:g}"
    else:
        std = y.std(axis=0)
        scaled = (y - y.mean(axis=0)) / np.where(std > 0, std, 1.0)
        what = "y scaled to mean 0 and standard deviation 1"
    return context.before, replace(context.before, y=scaled, change=what)


def _new_start(context: ChangeContext) -> tuple[Trial, Trial]:
    net = context.before.net
    what = f"initial weights {start_for(net)}, biases 0"
    return context.before, replace(context.before, net=started(net, context.rng), change=what)


def _zero_biases(context: ChangeContext) -> tuple[Trial, Trial]:
    if context.finding.because != "biases":
        return _new_start(context)
    net, layer = context.before.net.copy(), context.finding.layer
    assert layer is not None  # noqa: S101 - of saturated and dead neurons
    net.biases[layer - 2] = np.zeros(net.sizes[layer - 1])
    return context.before, replace(
        context.before, net=net, change=f"biases of layer {layer} set to 0"
    )


def _relu(context: ChangeContext) -> tuple[Trial, Trial]:
    net = like(context.before.net, hidden="relu", init="he", seed=context.rng)
    return context.before, replace(context.before, net=net, change="hidden='relu', init='he'")


def _cancelling_cost(context: ChangeContext) -> tuple[Trial, Trial]:
    output = context.before.net.config["output"]
    cost = {"sigmoid": "cross_entropy", "softmax": "log_likelihood"}.get(output)
    y = context.facts.batch.targets
    if cost is None or y is None or y.min() < 0 or y.max() > 1:
        return _new_start(context)
    net = like(context.before.net, cost=cost)
    net.params = context.before.net.params
    return context.before, replace(context.before, net=net, change=f"cost='{cost}'")


def _without_contradictions(context: ChangeContext) -> tuple[Trial, Trial]:
    before = context.before
    kept = ~np.isin(context.facts.batch.rows, context.finding.examples)
    if kept.sum() < 2:  # one of each group is left
        bad = np.flatnonzero(~kept)
        _, first = np.unique(before.x[bad], axis=0, return_index=True)
        kept[bad[first]] = True
    weight = before.weight[kept] / before.weight[kept].sum()
    after = replace(
        before,
        x=before.x[kept],
        y=before.y[kept],
        weight=weight,
        measured=weight,
        change=f"only {int(kept.sum())} examples that do not contradict each other",
    )
    return before, after


def _shuffled(context: ChangeContext) -> tuple[Trial, Trial]:
    y = context.before.y[context.rng.permutation(len(context.before.y))]
    return context.before, replace(context.before, y=y, change="y shuffled", expects_more=False)


def related(trial: Trial) -> Trial:
    """The same with y in an order in which it depends on x: both sorted along a direction.

    The directions are those in which x and y, in standard units, vary most.
    """
    targets = dense_targets(trial.y, trial.net.sizes[-1], len(trial.y))
    assert targets is not None  # noqa: S101 - the finding is about them
    y = np.empty_like(trial.y)
    y[_order(trial.x)] = trial.y[_order(targets)]
    return replace(trial, y=y, change="y in the order of x")


def _order(values: FloatArray) -> NDArray[np.int64]:
    """The rows in the order of their part along the direction in which they vary most."""
    standard = standardized(values)
    if not standard.size:
        return np.arange(len(values))
    along = standard @ np.linalg.svd(standard, full_matrices=False)[2][0]
    return np.argsort(along, kind="stable")


def _balanced(context: ChangeContext) -> tuple[Trial, Trial]:
    assert context.facts.batch.targets is not None  # noqa: S101 - it has classes
    classes = classes_of(context.facts.batch.targets)
    assert classes is not None  # noqa: S101 - likewise
    share = np.bincount(classes, weights=context.before.weight)
    weight = context.before.weight / share[classes] / np.count_nonzero(share)
    before = replace(context.before, measured=weight)
    return before, replace(before, weight=weight, change="class_weight='balanced'")


def _rate(context: ChangeContext) -> tuple[Trial, Trial]:
    step = context.facts.step
    assert step is not None  # noqa: S101 - of a finding about the step
    optimizer = copy.deepcopy(context.before.optimizer)
    optimizer.learning_rate = rate = better_rate(step)
    return context.before, replace(
        context.before, optimizer=optimizer, change=f"learning_rate={rate:.3g}"
    )


_CHANGES: dict[str, Callable[[ChangeContext], tuple[Trial, Trial]]] = {
    "constant_features": _scaled_x,
    "uneven_features": _scaled_x,
    "uncentred_features": _scaled_x,
    "unscaled_features": _scaled_x,
    "quiet_inputs": _scaled_x,
    "target_range": _scaled_y,
    "target_scale": _scaled_y,
    "symmetric_neurons": _new_start,
    "dead_neurons": _zero_biases,
    "saturated_hidden": _zero_biases,
    "large_weights": _new_start,
    "small_weights": _new_start,
    "vanishing_gradient": _relu,
    "saturated_output": _cancelling_cost,
    "contradicting_examples": _without_contradictions,
    "unrelated_targets": _shuffled,
    "class_imbalance": _balanced,
    "large_step": _rate,
    "small_step": _rate,
}
