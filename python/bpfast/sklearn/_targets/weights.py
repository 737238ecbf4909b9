"""Weights of examples: those that are given, and those of their classes."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from bpfast._training.arguments.weights import balanced, refuse_all_zero
from bpfast._validation.arrays.sparse import is_sparse
from bpfast._validation.numbers import number
from bpfast.sklearn._compat import refuse_masked_values
from bpfast.sklearn._targets.labels import MULTILABEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast.sklearn._targets.validation import Rows


def checked_weights(sample_weight: Any, X: Any) -> NDArray[Any] | None:
    """One finite weight per example, of which one is above 0; or None."""
    if sample_weight is None:
        return None
    refuse_masked_values("sample_weight", sample_weight)
    weight: NDArray[Any] = _check_sample_weight(sample_weight, X)
    refuse_all_zero("sample_weight", weight)
    return weight


def with_classes(class_weight: Any, rows: Rows, classes: NDArray[Any], kind: str) -> Any:
    """The weight of each example times the weight of its class; None if all are 1.

    Raises
    ------
    ValueError
        A class is not in y, a weight is not finite, or they are not of the form that y needs.
    TypeError
        A weight is no number.
    """
    if class_weight is None:
        return rows.weight
    if isinstance(class_weight, str):
        of_classes = _balanced(rows)
    elif kind == MULTILABEL:
        of_classes = _of_labels(class_weight, rows.y)
    elif isinstance(class_weight, dict):
        of_classes = by_class("class_weight", class_weight, classes)[rows.y]
    else:
        got = type(class_weight).__name__
        raise ValueError(f"class_weight: expected 'balanced' or a dict for one label, got a {got}")
    return of_classes if rows.weight is None else of_classes * rows.weight


def _balanced(rows: Rows) -> NDArray[np.float64]:
    """The weight by which all classes weigh the same; for several labels their product."""
    given = rows.given.toarray() if is_sparse(rows.given) else np.asarray(rows.given)
    product = np.ones(len(given))
    for column in given.reshape(len(given), -1).T:
        _, index = np.unique(column, return_inverse=True)
        totals = np.bincount(index, None if rows.weight is None else abs(rows.weight))
        product *= balanced_by_class(totals)[index]
    return product


def balanced_by_class(totals: NDArray[Any]) -> NDArray[np.float64]:
    """The weights of `balanced` for each class; 1 for a class without examples.

    `totals` are the numbers of examples, or the sums of their weights: an example of weight 2
    counts as two.

    Examples
    --------
    >>> balanced_by_class(np.array([1, 2, 0]))
    array([1.5 , 0.75, 1.  ])
    """
    known = balanced({k: total for k, total in enumerate(totals.tolist()) if total > 0})
    return np.array([known.get(k, 1.0) for k in range(len(totals))])


def _of_labels(class_weight: Any, index: NDArray[Any]) -> NDArray[np.float64]:
    """The product over the labels of multilabel y, each with a dict for 0 and 1."""
    n_outputs = index.shape[1]
    if not isinstance(class_weight, list) or len(class_weight) != n_outputs:
        size = f" of {len(class_weight)}" if isinstance(class_weight, list) else ""
        got = f"a {type(class_weight).__name__}{size}"
        expected = f"'balanced' or a list of {n_outputs} dicts, one for each label"
        raise ValueError(f"class_weight: expected {expected}, got {got}")
    product = np.ones(len(index))
    for k, weights in enumerate(class_weight):
        if not isinstance(weights, dict):
            got = type(weights).__name__
            raise TypeError(f"class_weight[{k}]: expected a dict for 0 and 1, got {got}")
        product *= by_class(f"class_weight[{k}]", weights, np.arange(2))[index[:, k]]
    return product


def by_class(argument: str, weights: dict[Any, Any], classes: NDArray[Any]) -> NDArray[np.float64]:
    """The weight of each class, 1 for those not given.

    A key that is no class is refused if a class has no weight, as it may be a misspelt one.
    Otherwise y may lack a class, as that of a fold does.
    """
    known = {*classes.tolist(), *classes}
    has_all = all(label in weights for label in classes.tolist())
    for key, weight in weights.items():
        name = key.item() if isinstance(key, np.generic) else key
        if key not in known and not has_all:
            expected = f"labels of the classes {classes}"
            raise ValueError(f"{argument}: expected {expected}, got {name!r}")
        if not isfinite(given := number(f"{argument}[{name!r}]", weight)):
            raise ValueError(f"{argument}[{name!r}]: expected a finite number, got {given}")
    return np.array([float(weights.get(label, 1.0)) for label in classes])
