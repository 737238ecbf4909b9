"""Classes: from labels to the targets of a network, and from its outputs to labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import type_of_target, unique_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

MULTILABEL = "multilabel-indicator"


def target_kind(y: Any) -> str:
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


def first(classes: Any, y: Any, sample_weight: Any) -> tuple[str, NDArray[Any]]:
    """The kind of y and the classes of a first call of `partial_fit`.

    Raises
    ------
    ValueError
        They are not given.
    """
    if classes is None:
        text = "classes must be passed on the first call to partial_fit."
        if sample_weight is not None:  # before 1.7 scikit-learn has classes in its place
            text += " The third argument is sample_weight: pass classes=..."
        raise ValueError(text)
    kind = target_kind(y)
    return kind if kind == MULTILABEL else target_kind(classes), unique_labels(classes)


def refuse_others(y: Any, classes: NDArray[Any], kind: str, *, warm_start: bool) -> None:
    """Raise ValueError if y has other classes than before, or other columns.

    A refit with `warm_start` needs the same classes, `partial_fit` no new ones.
    """
    if y.ndim == 2 and kind != MULTILABEL:
        raise ValueError(
            "The object was not fitted with multilabel input. `y` must have one label per row, got "
            f"shape {y.shape}."
        )
    if y.ndim == 2 and y.shape[1] != len(classes):
        raise ValueError(
            f"`y` must have {len(classes)} columns as in the first call, got shape {y.shape}."
        )
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
    """The index of each label in `classes`, (n,), or a matrix of 0 and 1 for multilabel y.

    Raises
    ------
    ValueError
        Multilabel y has other numbers than 0 and one above 0.
    """
    if kind == MULTILABEL and y.ndim == 2:
        matrix = np.asarray(y.toarray() if sparse.issparse(y) else y)
        is_true = matrix != 0
        numbers = np.unique(matrix[is_true])
        # scikit-learn counts every number but 0 as a true label, -1 too.
        if numbers.size > 1 or (numbers < 0).any():
            got = np.unique(matrix)
            raise ValueError(
                f"`y` with several labels must have 1 where a label is true and 0 where it is not, "
                f"got {got}; (y > 0).astype(int) makes such a matrix of -1 and 1."
            )
        return np.asarray(is_true, np.intp)
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
