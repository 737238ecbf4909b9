"""Functions of `sklearn.metrics`, which take y first, and classes or scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._training.metrics.labels import labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._typing import Metric

SKLEARN = "sklearn.metrics."
# The functions that compare classes, and not outputs.
OF_CLASSES = (
    "accuracy_score", "balanced_accuracy_score", "cohen_kappa_score", "f1_score", "fbeta_score",
    "hamming_loss", "jaccard_score", "matthews_corrcoef", "precision_score", "recall_score",
    "zero_one_loss",
)  # fmt: skip
# The functions that take, for two classes, a score of the second one only.
OF_SECOND_CLASS = (
    "average_precision_score", "brier_score_loss", "roc_auc_score", "top_k_accuracy_score",
)  # fmt: skip


@dataclass(frozen=True)
class SklearnMetric:
    """A function of `sklearn.metrics` as ``metric(a, y)``."""

    function: Any  # or a partial function of one
    __name__: str
    # Whether y has one class in each row; None if that is not decided yet, or does not matter.
    one_class: bool | None = None
    middle: float = 0.5  # between an output that is off and one that is on

    @property
    def is_of_classes(self) -> bool:
        """Whether it compares classes."""
        return self.__name__ in OF_CLASSES

    def __call__(self, a: NDArray[Any], y: NDArray[Any]) -> Any:
        """The value, by the classes of a^L or by a^L itself."""
        if self.is_of_classes and self.one_class is not None:
            if self.one_class:
                return self.function(labels(y), labels(a))
            return self.function(*((each > self.middle).astype(np.int64) for each in (y, a)))
        if self.__name__ in OF_SECOND_CLASS:
            is_rows = bool(self.one_class) and y.shape == a.shape
            if a.shape[1] == 2 and (y.ndim == 1 or is_rows):
                return self.function(y[:, 1] if is_rows else y, a[:, 1])
            if is_rows and self.__name__ == "top_k_accuracy_score":
                return self.function(labels(y), a)
        return self.function(y, a)


def of_outputs_first(argument: str, metric: Any) -> Metric:
    """`metric` as a function of outputs and y: those of `sklearn.metrics` take y first.

    Raises
    ------
    TypeError
        It is a scorer of scikit-learn, which takes an estimator.
    """
    inner = metric
    while isinstance(inner, partial) and not inner.args:
        inner = inner.func
    if isinstance(inner, FunctionType):
        is_sklearn = str(inner.__module__).startswith(SKLEARN)
        return SklearnMetric(metric, inner.__name__) if is_sklearn else metric
    if type(inner).__module__.startswith(SKLEARN):
        expected = "a function metric(a, y), or a function of sklearn.metrics"
        raise TypeError(f"{argument}: expected {expected}, got a scorer")
    return metric  # type: ignore[no-any-return]
