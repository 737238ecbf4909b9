"""Arithmetic that is the same whatever `numpy.seterr` of the user's program says of underflow."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def underflows(function: Callable[P, R]) -> Callable[P, R]:
    """Let numbers in `function` underflow, to 0 or with fewer digits, without an error of NumPy.

    For functions that compute in NumPy and call no code of the user, which keeps its own error
    state.

    Examples
    --------
    >>> square = underflows(np.square)
    >>> with np.errstate(under="raise"):
    ...     float(square(1e-200))
    0.0
    """

    # Not `np.errstate` itself as the decorator: before NumPy 2, one object serves all calls, and
    # those of two threads would restore each other's state.
    @wraps(function)
    def in_silence(*args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(under="ignore"):
            return function(*args, **kwargs)

    return in_silence


# Conversions to float32, for which small numbers are 0.
require: Callable[..., Any] = underflows(np.require)
copyto: Callable[..., Any] = underflows(np.copyto)
