"""The values that each constructor parameter accepts, in scikit-learn's terms."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

if TYPE_CHECKING:
    from collections.abc import Callable

_POSITIVE = Interval(Real, 0, None, closed="neither")
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
_FRACTION = Interval(Real, 0, 1, closed="left")
_COUNT = Interval(Integral, 1, None, closed="left")

SHARED: dict[str, list[Any] | str] = {
    "hidden_layer_sizes": ["array-like", _COUNT],
    "activation": [str],
    "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
    "alpha": [_NOT_NEGATIVE],
    "batch_size": [StrOptions({"auto"}), _COUNT],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"}), callable],
    "learning_rate_init": [_POSITIVE],
    "power_t": [_NOT_NEGATIVE],
    "max_iter": [_COUNT],
    "shuffle": ["boolean"],
    "random_state": ["random_state", np.random.Generator],
    "tol": [_NOT_NEGATIVE],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [_FRACTION],
    "beta_1": [_FRACTION],
    "beta_2": [_FRACTION],
    "epsilon": [_POSITIVE],
    "n_iter_no_change": [_COUNT, Options(Real, {np.inf})],
    "max_fun": [_COUNT],
    "hidden": [str, "array-like", None],
    "cost": [str, callable, None],
    "dropout": [_FRACTION, "array-like"],
    "l1": [_NOT_NEGATIVE],
    "max_norm": [_POSITIVE, None],
    "clip_norm": [_POSITIVE, None],
    "scoring": [str, callable, None],
    "callbacks": [callable, list, tuple, None],
    "checkpoint": [str, bytes, os.PathLike, None],
    "resume": ["boolean", str, bytes, os.PathLike],
    "n_jobs": [Integral, None],
    "client": "no_validation",
}


def refuse_stochastic_only(estimator: Any) -> None:
    """Raise ValueError for parameters that solver="lbfgs", which has no epochs, cannot follow."""
    for name, unset in _ONLY_STOCHASTIC.items():
        value = getattr(estimator, name)
        if not unset(value):
            raise ValueError(
                f"The {name!r} parameter of {type(estimator).__name__} needs solver='sgd' or "
                f"solver='adam'. Got {value!r} with solver='lbfgs'."
            )


def _is_zero(value: Any) -> bool:
    return not np.any(value)


def _is_none(value: Any) -> bool:
    return value is None or value == () or value == []


_ONLY_STOCHASTIC: dict[str, Callable[[Any], bool]] = {
    "dropout": _is_zero,
    "l1": _is_zero,
    "max_norm": _is_none,
    "clip_norm": _is_none,
    "callbacks": _is_none,
    "checkpoint": _is_none,
    "resume": lambda value: value is False,
}
