"""Matrix products of NumPy and SciPy where memory may be short.

OpenBLAS allocates its buffers in the first product of a process. Without memory for them it ends
the process or waits for ever. NumPy and SciPy each come with their own.
"""

from __future__ import annotations

import os

import numpy as np

# More bytes than OpenBLAS allocates: 32 MB for a process, and after a fork stacks of threads.
BYTES = 1 << 26
# Large enough for a product by several threads.
SIZE = 128

# The processes in which there are buffers.
_prepared = {"numpy": 0, "scipy": 0}


def prepare_blas() -> None:
    """Let NumPy's OpenBLAS allocate its buffers, once in each process.

    Raises
    ------
    MemoryError
        There is too little memory for them.
    """
    if _prepared["numpy"] == os.getpid():
        return
    np.empty(BYTES, np.uint8)  # never written, so only address space is taken
    square = np.ones((SIZE, SIZE))
    np.matmul(square, square)
    _prepared["numpy"] = os.getpid()


def prepare_scipy_blas() -> None:
    """Let SciPy's OpenBLAS allocate its buffers, once in each process.

    Raises
    ------
    MemoryError
        There is too little memory for them.
    """
    if _prepared["scipy"] == os.getpid():
        return
    from scipy.linalg.blas import dgemm

    np.empty(BYTES, np.uint8)  # as above
    square = np.ones((SIZE, SIZE), order="F")
    dgemm(1.0, square, square)
    _prepared["scipy"] = os.getpid()
