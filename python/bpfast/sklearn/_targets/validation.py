"""The examples by which a training is judged: held out or given, and their score."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split

from bpfast._training.data.examples import Examples
from bpfast._validation.naming import naming
from bpfast._validation.numbers import is_number
from bpfast.sklearn._targets.range import refuse_too_large
from bpfast.sklearn._targets.weights import checked_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bpfast._network import Network

# What `predict` warns of where scikit-learn's scorers pass rows without the names of their columns.
NO_NAMES = "X does not have valid feature names"


class Rows(NamedTuple):
    """Examples: x, the given y, y as the estimator encodes it, and their weights."""

    x: Any
    given: Any
    y: Any
    weight: Any

    def at(self, rows: NDArray[np.intp]) -> Rows:
        """Some of the examples."""
        weight = None if self.weight is None else self.weight[rows]
        return Rows(self.x[rows], self.given[rows], self.y[rows], weight)

    def refuse_too_large(self, dtype: np.dtype[Any]) -> None:
        """Raise ValueError if X or y has a number that is infinite in the network's dtype."""
        refuse_too_large("X", self.x, dtype)
        refuse_too_large("y", self.y, dtype)


def split(
    rows: Rows, fraction: float, random: np.random.RandomState, stratify: Any
) -> tuple[Rows, Rows]:
    """The examples to train on and those held out, as `train_test_split` draws them.

    Raises
    ------
    ValueError
        There are too few examples.
    """
    train, held_out = train_test_split(
        np.arange(rows.x.shape[0]), random_state=random, test_size=fraction, stratify=stratify
    )
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            "dataset."
        )
    return rows.at(train), rows.at(held_out)


def validation_examples(estimator: Any, validation_data: Any) -> Rows:
    """The examples of `validation_data`, checked as those of `fit`."""
    if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
        got = type(validation_data).__name__
        raise ValueError(f"validation_data must be (X, y) or (X, y, sample_weight), got {got}.")
    x, y, *weights = validation_data
    with naming("validation_data"):
        x, y_given, y = estimator._check_examples(
            x, y, reset=False, is_first=False, same_classes=False
        )
        rows = Rows(x, y_given, y, checked_weights(weights[0] if weights else None, x))
        rows.refuse_too_large(estimator.network_.dtype)
        return rows


class HeldOut(Examples):
    """Examples for validation, whose weights may be negative, as in scikit-learn.

    Raises
    ------
    ValueError
        The sum of the weights, by which costs and scores are divided, is not above 0.
    """

    def __init__(self, net: Network, x: Any, y: Any, sample_weight: Any) -> None:
        super().__init__(net, x, y, sample_weight, signed=True)
        weight = self.sample_weight
        self._sum = len(self) if weight is None else float(weight.sum())
        if not self._sum > 0:
            expected = "a sum above 0 over the examples for validation"
            raise ValueError(f"sample_weight: expected {expected}, got {self._sum:g}")

    def cost(self) -> float:
        """C with the network's current parameters."""
        if self.sample_weight is None or (self.sample_weight >= 0).all():
            return super().cost()
        total = 0.0
        for piece in self._pieces():
            x, y, weight = self._at(piece)
            total += self._net.cost(x, y, sample_weight=weight, reduction="sum")
        return total / self._sum


def score_of(
    estimator: Any, net: Network, rows: Rows, loss_scale: float
) -> Callable[[float], float]:
    """The validation score of an epoch, a function of its validation cost.

    By default accuracy or R², from one forward pass.
    """
    scoring = estimator.scoring
    if scoring is None:
        return lambda _: estimator._default_score(net.forward(rows.x), rows.y, rows.weight)
    if isinstance(scoring, str) and scoring == "loss":
        return lambda cost: -cost * loss_scale
    try:
        scorer = check_scoring(estimator, scoring=scoring)
    except ValueError:
        raise ValueError(
            f"The 'scoring' parameter of {type(estimator).__name__} must be 'loss', a callable or "
            f"one of sklearn.metrics.get_scorer_names(). Got {scoring!r} instead."
        ) from None
    weights = {} if rows.weight is None else {"sample_weight": rows.weight}

    def score(_: float) -> float:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", NO_NAMES, UserWarning)
            try:
                found = scorer(estimator, rows.x, rows.given, **weights)
            except TypeError as error:
                if weights and "sample_weight" in str(error):
                    expected = "a scorer that takes sample_weight, as the examples have weights"
                    raise TypeError(f"scoring: expected {expected}, got: {error}") from error
                raise
        if not (is_number(found) or isinstance(found, bool | np.bool_)):
            got = type(found).__name__
            raise TypeError(f"scoring: expected a scorer that returns a number, got {got}")
        return float(found)

    return score
