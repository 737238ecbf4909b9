"""Matrix products of NumPy and SciPy where memory may be short.

OpenBLAS allocates its buffers in the first product of a process. Without memory for them it ends
the process or waits for ever. NumPy and SciPy each come with their own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# More bytes than OpenBLAS allocates: 32 MB for a process, and after a fork stacks of threads.
MAX_BUFFER_BYTES = 1 << 26
# The rows of a square matrix whose product is large enough for several threads.
FIRST_PRODUCT_ROWS = 128

# The processes in which there are buffers.
_prepared = {"numpy": 0, "scipy": 0}


def prepare_blas() -> None:
    """Let NumPy's OpenBLAS allocate its buffers, once in each process.

    Raises
    ------
    MemoryError
        There is too little memory for them.
    """
    _prepare("numpy", lambda square: np.matmul(square, square))


def prepare_scipy_blas() -> None:
    """Let SciPy's OpenBLAS allocate its buffers, once in each process.

    Raises
    ------
    MemoryError
        There is too little memory for them.
    """
    from scipy.linalg.blas import dgemm

    _prepare("scipy", lambda square: dgemm(1.0, square, square))


def _prepare(library: str, multiply: Callable[[NDArray[np.float64]], object]) -> None:
    """Do the first product of a library in this process, if there is memory for its buffers."""
    if _prepared[library] == os.getpid():
        return
    np.empty(MAX_BUFFER_BYTES, np.uint8)  # never written, so only address space is taken
    multiply(np.ones((FIRST_PRODUCT_ROWS, FIRST_PRODUCT_ROWS), order="F"))
    _prepared[library] = os.getpid()
