"""What an ensemble predicts for a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast._by_identity import by_identity
from bpfast._many.calls import forward_many
from bpfast._many.ensemble import moments
from bpfast._validation.iterables import is_iterable
from bpfast._validation.numbers import is_number, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bpfast._network import Network

# Outputs from 0 to 1, which stand for classes.
OF_CLASSES = ("hard_sigmoid", "sigmoid", "softmax")


@by_identity
class Prediction(NamedTuple):
    """What an ensemble predicts for a batch; each field has the network's dtype unless noted.

    Parameters
    ----------
    mean : ndarray, (n, n_L)
        The mean of the outputs of the networks.
    std : ndarray, (n, n_L)
        Their standard deviation, Σ (a − mean)² / k under the root.
    quantiles : ndarray, (q, n, n_L), or (n, n_L) for a single number
        The quantiles asked for, in their order.
    votes : ndarray of float64, (n, n_L), or (n, 2) for one output; or None
        The fraction of the networks that choose each class: the largest output, or whether a single
        output is above 1/2; NaN where a network's output is NaN. None unless the outputs of all
        networks are sigmoid, hard_sigmoid or softmax, because other outputs stand for no classes.
    outputs : ndarray, (k, n, n_L)
        The outputs of each network.
    """

    mean: NDArray[Any]
    std: NDArray[Any]
    quantiles: NDArray[Any]
    votes: NDArray[np.float64] | None
    outputs: NDArray[Any]


def predict(nets: Sequence[Network], x: Any, quantiles: Any) -> Prediction:
    """Mean, spread, quantiles and votes of the outputs, as `Ensemble.predict` describes."""
    levels = _levels(quantiles)
    widths = {net.sizes[-1] for net in nets}
    if len(widths) > 1:
        found = ", ".join(map(str, sorted(widths)))
        raise ValueError(f"nets: expected networks with equally many outputs, got {found}")
    outputs = np.stack(forward_many(nets, x))
    has_classes = all(net.config["output"] in OF_CLASSES for net in nets)
    return Prediction(
        *moments.mean_and_std(outputs),
        moments.quantiles(outputs, levels),
        _votes(outputs) if has_classes else None,
        outputs,
    )


def _levels(quantiles: Any) -> float | list[float]:
    if is_number(quantiles):
        return within("quantiles", quantiles, 0, 1)
    if isinstance(quantiles, str) or not is_iterable(quantiles):
        got = type(quantiles).__name__
        raise TypeError(f"quantiles: expected one number or several, from 0 to 1, got {got}")
    return [within(f"quantiles[{k}]", level, 0, 1) for k, level in enumerate(quantiles)]


def _votes(outputs: NDArray[Any]) -> NDArray[np.float64]:
    """The fraction of networks for each class, (n, classes)."""
    votes = _fractions(outputs)
    votes[np.isnan(outputs).any(axis=(0, 2))] = np.nan  # no class is the largest
    return votes


def _fractions(outputs: NDArray[Any]) -> NDArray[np.float64]:
    if outputs.shape[2] == 1:
        ones = (outputs[:, :, 0] > 0.5).mean(axis=0)
        return np.stack([1 - ones, ones], axis=1)
    chosen = outputs.argmax(axis=2)
    return np.stack([(chosen == k).mean(axis=0) for k in range(outputs.shape[2])], axis=1)


Prediction.__module__ = "bpfast"  # the public module
