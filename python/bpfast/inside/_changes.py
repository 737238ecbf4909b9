"""What a finding suggests, made on copies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast.inside._causes.step import better_rate
from bpfast.inside._causes.targets import BOUNDS, classes_of
from bpfast.inside._quantities import activation_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast.inside._facts import Facts
    from bpfast.inside._finding import Finding
    from bpfast.optimizers import Optimizer

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
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
    x: Floats
    y: NDArray[Any]
    weight: Floats
    optimizer: Optimizer
    cost: Any
    measured: Floats
    change: str
    expects_more: bool = True


def unchanged(facts: Facts, optimizer: Optimizer) -> Trial:
    """The user's network as it is."""
    batch = facts.batch
    return Trial(
        batch.net.copy(), batch.x, batch.y, batch.weight, optimizer, batch.net.config["cost"],
        batch.weight, "nothing",
    )  # fmt: skip


def changed(facts: Facts, finding: Finding, before: Trial, seed: Any) -> tuple[Trial, Trial]:
    """The trial with the suggested change; and the one without it, measured in the same way."""
    return _CHANGES[finding.kind](facts, finding, before, np.random.default_rng(seed))


def _scaled_x(
    facts: Facts, finding: Finding, before: Trial, rng: Any
) -> tuple[Trial, Trial]:
    std = facts.feature_std
    scale = np.where(std > 0, std, 1.0)
    x = np.where(std > 0, (before.x - facts.feature_mean) / scale, 0.0)
    what = "x scaled to mean 0 and standard deviation 1"
    if finding.kind == "constant_features":
        what += ", constant features to 0"
    return before, replace(before, x=x, change=what)


def _scaled_y(facts: Facts, finding: Finding, before: Trial, rng: Any) -> tuple[Trial, Trial]:
    y = before.y
    output = before.net.config["output"]
    low, high = BOUNDS.get(output, (-np.inf, np.inf)) if finding.kind == "target_range" else (
        -np.inf, np.inf)  # fmt: skip
    if np.isfinite(low):
        span = y.max() - y.min() or 1.0
        height = (high - low) if np.isfinite(high) else 1.0
        scaled = low + height * (y - y.min()) / span
        what = f"y scaled to {low:g} to {low + height:g}"
    else:
        std = y.std(axis=0)
        scaled = (y - y.mean(axis=0)) / np.where(std > 0, std, 1.0)
        what = "y scaled to mean 0 and standard deviation 1"
    return before, replace(before, y=scaled, change=what)


def _new_start(facts: Facts, finding: Finding, before: Trial, rng: Any) -> tuple[Trial, Trial]:
    config = before.net.config
    is_relu = any(name.endswith(("elu", "silu")) for name in config["hidden"])
    init = "he" if is_relu else "xavier"
    net = _network(before, init=init, seed=rng)
    return before, replace(before, net=net, change=f"start weights init='{init}', biases 0")


def _zero_biases(facts: Facts, finding: Finding, before: Trial, rng: Any) -> tuple[Trial, Trial]:
    if finding.because != "biases":
        return _new_start(facts, finding, before, rng)
    net = before.net.copy()
    assert finding.layer is not None  # noqa: S101 - of saturated and dead neurons
    net.biases[finding.layer - 2] = np.zeros(net.sizes[finding.layer - 1])
    return before, replace(before, net=net, change=f"biases of layer {finding.layer} set to 0")


def _relu(facts: Facts, finding: Finding, before: Trial, rng: Any) -> tuple[Trial, Trial]:
    net = _network(before, hidden="relu", init="he", seed=rng)
    return before, replace(before, net=net, change="hidden='relu', init='he'")


def _cancelling_cost(
    facts: Facts, finding: Finding, before: Trial, rng: Any
) -> tuple[Trial, Trial]:
    output = before.net.config["output"]
    cost = {"sigmoid": "cross_entropy", "softmax": "log_likelihood"}.get(output)
    y = facts.batch.targets
    if cost is None or y is None or y.min() < 0 or y.max() > 1:
        return _new_start(facts, finding, before, rng)
    net = _network(before, cost=cost)
    net.params = before.net.params
    return before, replace(before, net=net, change=f"cost='{cost}'")


def _without_contradictions(
    facts: Facts, finding: Finding, before: Trial, rng: Any
) -> tuple[Trial, Trial]:
    kept = np.ones(len(before.x), dtype=bool)
    kept[finding.examples] = False
    if kept.sum() < 2 or before.weight[kept].sum() == 0:  # one of each group is left
        x = before.x[finding.examples]
        _, first = np.unique(x, axis=0, return_index=True)
        kept[finding.examples[first]] = True
    weight = before.weight[kept] / before.weight[kept].sum()
    after = replace(
        before, x=before.x[kept], y=before.y[kept], weight=weight, measured=weight,
        change=f"only {int(kept.sum())} examples that do not contradict each other",
    )  # fmt: skip
    return before, after


def _shuffled(facts: Facts, finding: Finding, before: Trial, rng: Any) -> tuple[Trial, Trial]:
    y = before.y[rng.permutation(len(before.y))]
    return before, replace(before, y=y, change="y shuffled", expects_more=False)


def _balanced(facts: Facts, finding: Finding, before: Trial, rng: Any) -> tuple[Trial, Trial]:
    assert facts.batch.targets is not None  # noqa: S101 - it has classes
    classes = classes_of(facts.batch.targets)
    share = np.bincount(classes, weights=before.weight)  # type: ignore[arg-type]
    weight = before.weight / share[classes] / np.count_nonzero(share)
    before = replace(before, measured=weight)
    return before, replace(before, weight=weight, change="class_weight='balanced'")


def _rate(facts: Facts, finding: Finding, before: Trial, rng: Any) -> tuple[Trial, Trial]:
    import copy

    assert facts.step is not None  # noqa: S101 - of a finding about the step
    optimizer = copy.deepcopy(facts.step.optimizer)
    before = replace(before, optimizer=copy.deepcopy(optimizer))
    optimizer.learning_rate = better_rate(facts.step)
    return before, replace(
        before, optimizer=optimizer, change=f"learning_rate={better_rate(facts.step):.3g}"
    )


def _network(before: Trial, **changes: Any) -> Network:
    config = before.net.config
    names = activation_names(before.net)
    arguments = {
        "hidden": names[:-1],
        "output": config["output"],
        "cost": config["cost"],
        "dtype": np.float64,
    }
    return bpfast.Network(list(before.net.sizes), **(arguments | changes))


_CHANGES: dict[str, Any] = {
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
