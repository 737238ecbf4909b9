"""Errors that name what they are about."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# The start of an error about a row.
_ROW = re.compile(r"((?:x|y|sample_weight)\[)(\d+)(?=[],])")


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


@contextmanager
def naming_rows(rows: NDArray[Any] | None) -> Iterator[None]:
    """Put the user's row into errors about a row of a sample: that of row k is ``rows[k]``.

    Examples
    --------
    >>> import numpy as np
    >>> with naming_rows(np.array([3, 8])):
    ...     raise ValueError("y[1]: expected a label, got -1")
    Traceback (most recent call last):
    ValueError: y[8]: expected a label, got -1
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        found = _ROW.match(str(error))
        if rows is None or found is None or int(found[2]) >= len(rows):
            raise
        text = f"{found[1]}{rows[int(found[2])]}{str(error)[found.end(2) :]}"
        raise (TypeError if isinstance(error, TypeError) else ValueError)(text) from None
