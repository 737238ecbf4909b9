"""Classes: from labels to the targets of a network, and from its outputs to labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import type_of_target, unique_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

MULTILABEL = "multilabel-indicator"


def kind_of(y: Any) -> str:
    """The kind of y: "binary", "multiclass" or "multilabel-indicator".

    Raises
    ------
    ValueError
        y has no classes.
    """
    kind = str(type_of_target(y, input_name="y"))
    if kind not in ("binary", "multiclass", MULTILABEL):
        raise ValueError(
            f"Unknown label type: {kind}. Maybe you are trying to fit a classifier, which expects "
            "discrete classes, on a regression target with continuous values, or labels with "
            "several outputs that are not 0 and 1."
        )
    return kind


def n_outputs(kind: str, classes: NDArray[Any]) -> int:
    """The number of outputs: one for two classes, else one for each class or label."""
    return 1 if kind == "binary" else len(classes)


def refuse_others(y: Any, classes: NDArray[Any], *, warm_start: bool) -> None:
    """Raise ValueError if y has other classes than before.

    A refit with `warm_start` needs the same classes, `partial_fit` no new ones.
    """
    if not warm_start and _are_all_in(y, classes):
        return
    found = unique_labels(y)
    if warm_start:
        if set(found) != set(classes):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {classes}, `y` has {found}"
            )
    elif len(np.setdiff1d(found, classes, assume_unique=True)):
        raise ValueError(
            f"`y` has classes not in `self.classes_`. `self.classes_` has {classes}. "
            f"'y' has {found}."
        )


def _are_all_in(y: Any, classes: NDArray[Any]) -> bool:
    """Whether all labels are classes; False where `unique_labels` has to find out."""
    if not (isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind == classes.dtype.kind):
        return False
    index = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
    return bool((classes[index] == y).all())


def refuse_different(classes: Any, known: NDArray[Any]) -> None:
    """Raise ValueError if `partial_fit` gets other `classes` than in its first call."""
    if classes is not None and not np.array_equal(known, unique_labels(classes)):
        raise ValueError(
            f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}"
        )


def weights(class_weight: Any, y: Any, sample_weight: Any) -> Any:
    """The weight of each example times the weight of its class; None if all are 1."""
    if class_weight is None:
        return sample_weight
    of_classes = compute_sample_weight(class_weight, y)
    return of_classes if sample_weight is None else of_classes * sample_weight


def strata(index: NDArray[Any], kind: str, fraction: float) -> NDArray[Any] | None:
    """What the held-out examples are drawn in proportion of; None for any examples.

    Where a class is too rare for that, two classes are an error of `train_test_split`, as in
    scikit-learn, and several classes are drawn in any proportion.
    """
    if kind == MULTILABEL:
        return None
    if kind == "binary":
        return np.asarray(index == 1)[:, np.newaxis]
    counts = np.bincount(index)
    present = counts[counts > 0]
    held_out = int(np.ceil(len(index) * fraction))
    is_possible = present.min() >= 2 and len(present) <= min(held_out, len(index) - held_out)
    return index if is_possible else None


def to_index(y: Any, classes: NDArray[Any], kind: str) -> NDArray[Any]:
    """The index of each label in `classes`, (n,), or a matrix of 0 and 1 for multilabel y."""
    if kind == MULTILABEL:
        return np.asarray(y.toarray() if sparse.issparse(y) else y).astype(np.intp)
    index: NDArray[np.intp] = np.searchsorted(classes, y)
    return index


def to_targets(index: NDArray[Any], n_outputs: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """One column per output, with a 1 for the class of each example."""
    if index.ndim == 2:
        return index.astype(dtype)
    if n_outputs == 1:
        return index.astype(dtype)[:, np.newaxis]
    targets = np.zeros((len(index), n_outputs), dtype)
    targets[np.arange(len(index)), index] = 1
    return targets


def index_of(outputs: NDArray[Any]) -> NDArray[Any]:
    """The index of the most likely class of each example, or the decision on each label."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0.5).astype(np.intp)
    index: NDArray[np.intp] = outputs.argmax(axis=1)
    return index


def to_labels(outputs: NDArray[Any], classes: NDArray[Any], kind: str, is_sparse: bool) -> Any:
    """The predicted labels, in the form that y had."""
    if kind == MULTILABEL:
        chosen = (outputs > 0.5).astype(np.intp)
        return sparse.csr_matrix(chosen) if is_sparse else chosen
    if len(classes) == 1:
        return np.repeat(classes, len(outputs))
    return classes[index_of(outputs)]
