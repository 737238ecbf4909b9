"""The score of examples that are held out of dask data, and stay in their shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast.sklearn._targets.labels import index_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfast.distributed._held_out import HeldOutExamples


def score_of(
    estimator: Any, examples: HeldOutExamples, loss_scale: float
) -> Callable[[float], float]:
    """The validation score of an epoch, a function of its validation cost.

    Raises
    ------
    ValueError
        `scoring` is a scorer, which would need X in this process.
    """
    scoring = estimator.scoring
    if isinstance(scoring, str) and scoring == "loss":
        return lambda cost: -cost * loss_scale
    if scoring is not None:
        raise ValueError(
            f"The 'scoring' parameter of {type(estimator).__name__} must be None or 'loss' where "
            f"early_stopping holds out dask data, which stay on the workers. Got {scoring!r} "
            "instead; with validation_data any scorer can be used."
        )
    y, weight = examples.targets()
    if hasattr(estimator, "classes_"):
        y = y if y.ndim == 1 else index_of(y)
    elif y.ndim == 1:
        y = y[:, None]
    return lambda _: float(estimator._default_score(examples.outputs(), y, weight))
