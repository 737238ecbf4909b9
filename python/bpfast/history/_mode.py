"""Which column of a history is compared, and whether low or high values of it are better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

# The names that are known: the cost, the metrics of bpfast, and functions of sklearn.metrics.
# The end of a name is not enough: neg_mean_squared_error, inaccuracy.
LOWER_IS_BETTER = (
    "cost", "mean_squared_error", "mean_absolute_error",
    "root_mean_squared_error", "median_absolute_error", "max_error", "log_loss", "hamming_loss",
    "brier_score_loss", "mean_absolute_percentage_error", "mean_squared_log_error",
    "root_mean_squared_log_error", "zero_one_loss",
)  # fmt: skip
HIGHER_IS_BETTER = (
    "accuracy", "binary_accuracy", "subset_accuracy", "r2",
    "accuracy_score", "balanced_accuracy_score", "f1_score", "precision_score", "r2_score",
    "recall_score", "roc_auc_score", "average_precision_score", "cohen_kappa_score",
    "explained_variance_score", "fbeta_score", "jaccard_score", "matthews_corrcoef",
    "top_k_accuracy_score",
)  # fmt: skip


def default_column(names: Collection[str]) -> str:
    """The column that trainings are compared by: the cost of the validation, if there is one.

    Examples
    --------
    >>> default_column(["cost", "seconds"]), default_column({"cost", "validation_cost"})
    ('cost', 'validation_cost')
    """
    return "validation_cost" if "validation_cost" in names else "cost"


def mode_of(name: str, mode: str | None) -> Literal["min", "max"]:
    """Whether low or high values of a column are better: `mode`, or by name if `mode` is None.

    Raises
    ------
    ValueError
        The name is not known, or `mode` is another word.
    TypeError
        `mode` is not a string.

    Examples
    --------
    >>> mode_of("validation_accuracy", None), mode_of("my_error", "max")
    ('max', 'max')
    >>> mode_of("mine", None)
    Traceback (most recent call last):
    ValueError: mode: expected mode='min' or mode='max', as 'mine' has no known direction, got None
    """
    if mode is not None and not isinstance(mode, str):
        raise TypeError(f"mode: expected 'min' or 'max', got {type(mode).__name__}")
    if mode == "min":
        return "min"
    if mode == "max":
        return "max"
    if mode is not None:
        raise ValueError(f"mode: expected 'min' or 'max' for {name!r}, got {mode!r}")
    if found := _mode_from_name(name):
        return found
    near = meant(name)
    hint = f"; did you mean {near!r}?" if near != name and _mode_from_name(near) else ""
    expected = "mode='min' or mode='max'"
    raise ValueError(
        f"mode: expected {expected}, as {name!r} has no known direction, got None{hint}"
    )


def _mode_from_name(name: str) -> Literal["min", "max"] | None:
    name = name.removeprefix("validation_")
    return "min" if name in LOWER_IS_BETTER else "max" if name in HIGHER_IS_BETTER else None


def meant(name: str) -> str:
    """The column that other libraries call `name`: validation_cost for Keras's val_loss.

    Examples
    --------
    >>> meant("val_loss"), meant("val_accuracy"), meant("cost")
    ('validation_cost', 'validation_accuracy', 'cost')
    """
    start, end = "", name
    for prefix in ("val_", "valid_", "validation_"):
        if name.startswith(prefix):
            start, end = "validation_", name.removeprefix(prefix)
    return start + {"loss": "cost", "acc": "accuracy"}.get(end, end)
