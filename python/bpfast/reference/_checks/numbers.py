"""A number."""

from collections.abc import Sequence

from bpfast.reference._arrays import plain


def positive(argument: str, value: object) -> float:
    """A number above 0."""
    number = value if isinstance(value, Sequence) else plain(argument, value)
    if not isinstance(number, int | float):
        raise TypeError(f"{argument}: expected a number, got {type(value).__name__}")
    if not number > 0:
        raise ValueError(f"{argument}: expected a number above 0, got {number}")
    try:
        return float(number)
    except OverflowError:
        expected = "a number that float64 can represent"
        raise ValueError(f"{argument}: expected {expected}, got a larger one") from None
