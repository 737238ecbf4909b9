"""Calls of NumPy alone: what `trial` takes for NumPy's own is seen here without bpfast."""

from collections.abc import Callable, Iterator

import numpy as np

from tests.out_of_memory.call import Call, numbers, several


@several
def numpys() -> Iterator[tuple[str, Callable[[], Call]]]:
    a, b = numbers(20, 30), numbers(30, 20)
    is_large = a > 0.5
    yield "matmul", lambda: lambda: a @ b
    yield "matmul of vectors", lambda: lambda: a[0] @ a[1]
    yield "reduce", lambda: a.sum
    long, order = numbers(4000, 60), np.arange(20)[::-1]
    yield "of rows", lambda: lambda: long / long[0]
    yield "index", lambda: lambda: a[order]
    yield "where", lambda: lambda: np.where(is_large, a, 0)
    yield "unravel_index", lambda: lambda: np.unravel_index(7, (20, 30))
