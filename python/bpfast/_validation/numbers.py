"""Validation of single numbers."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

import numpy as np

from bpfast._validation.arrays.masked import is_masked


def is_number(value: Any) -> bool:
    """Whether `value` is a real number: of Python, NumPy, or an array without axes; no bool."""
    if type(value) is float:
        return True  # the usual case: the check for Real takes long
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "iuf" and not is_masked(value)
    return isinstance(value, Real) and not isinstance(value, bool)


def number(argument: str, value: Any) -> float:
    """`value` as a float; NaN and infinity are accepted.

    Examples
    --------
    >>> number("cost", np.float32(0.5))
    0.5
    >>> number("cost", "low")
    Traceback (most recent call last):
    TypeError: cost: expected a number, got str
    """
    if not is_number(value):
        raise TypeError(f"{argument}: expected a number, got {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:  # an int of more than 308 digits
        return math.inf if value > 0 else -math.inf


def format_number(value: float) -> str:
    """A number as a user would write it: -1, 0.1, nan.

    Examples
    --------
    >>> format_number(np.float64(-1)), format_number(0.1)
    ('-1', '0.1')
    """
    return repr(float(value)).removesuffix(".0")


def positive(argument: str, value: Any) -> float:
    """A finite number above 0."""
    given = number(argument, value)
    if not 0 < given < math.inf:
        raise ValueError(f"{argument}: expected a positive number, got {format_number(given)}")
    return given


def within(argument: str, value: Any, least: float, most: float) -> float:
    """A number from `least` to `most`, both included."""
    given = number(argument, value)
    if not least <= given <= most:
        expected = f"a number from {format_number(least)} to {format_number(most)}"
        raise ValueError(f"{argument}: expected {expected}, got {format_number(given)}")
    return given


def fraction(argument: str, value: Any) -> float:
    """A number from 0 and below 1."""
    given = number(argument, value)
    if not 0 <= given < 1:
        expected = "a number from 0 and below 1"
        raise ValueError(f"{argument}: expected {expected}, got {format_number(given)}")
    return given


def not_negative(argument: str, value: Any) -> float:
    """A finite number, 0 or above."""
    given = number(argument, value)
    if not 0 <= given < math.inf:
        raise ValueError(
            f"{argument}: expected a finite number, 0 or above, got {format_number(given)}"
        )
    return given


def integer(argument: str, value: Any, least: int) -> int:
    """An integer, at least `least` and below 2^63."""
    try:
        given = operator.index(value)
    except TypeError:
        given = None
    is_none = isinstance(value, np.ndarray) and is_masked(value)
    if given is None or is_none or isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument}: expected an integer, got {type(value).__name__}")
    if given < least:
        expected = "a positive integer" if least == 1 else f"an integer, {least} or above"
        raise ValueError(f"{argument}: expected {expected}, got {given}")
    if given >= 2**63:
        raise ValueError(f"{argument}: expected an integer below 2^63, got one above")
    return given


def flag(argument: str, value: object) -> bool:
    """Check that `value` is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument}: expected True or False, got {type(value).__name__}")
    return bool(value)
