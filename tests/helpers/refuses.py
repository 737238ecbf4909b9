"""What every test of bad input asks: the right exception, the right words, nothing changed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest


@contextmanager
def refuses(
    kind: type[BaseException], message: str, *watched: Any
) -> Iterator[pytest.ExceptionInfo[BaseException]]:
    """Expect exactly `kind`, its text to match `message`, the bytes of `watched` to stay.

    `watched` are arrays, networks, gradients, and lists of these.
    """
    before = _bytes(watched)
    with pytest.raises(kind) as caught:
        yield caught
    # NumPy's MemoryError is a subclass.
    assert type(caught.value) is kind or kind is MemoryError
    assert re.search(message, str(caught.value)), str(caught.value)
    assert _bytes(watched) == before, "something changed"


def _bytes(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_bytes(entry) for entry in value]
    if hasattr(value, "flat") and hasattr(value, "cost"):  # a Gradient
        return _bytes([value.flat, np.float64(value.cost)])
    value = getattr(value, "params", value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        return (value.shape, value.dtype.str, value.tobytes())
    return repr(value)
