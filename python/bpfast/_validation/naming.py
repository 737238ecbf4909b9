"""Errors that name what they are about."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Begin the messages of TypeError and ValueError with `what`, such as an argument.

    Their subclasses become one of the two, as some need more arguments than a message.

    Examples
    --------
    >>> with naming("seed"):
    ...     raise ValueError("expected an integer, got none")
    Traceback (most recent call last):
    ValueError: seed: expected an integer, got none
    """
    try:
        yield
    except TypeError as error:
        raise TypeError(f"{what}: {error}") from error
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error


@contextmanager
def naming_value(what: str) -> Iterator[None]:
    """As `naming`, for a value that may come from a file, where a wrong type is a wrong value.

    Examples
    --------
    >>> with naming_value("state"):
    ...     raise TypeError("expected a mapping, got list")
    Traceback (most recent call last):
    ValueError: state: expected a mapping, got list
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what}: {error}") from None
