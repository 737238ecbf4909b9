"""NumPy's matrix products where memory may be short."""

from __future__ import annotations

import os

import numpy as np

# More bytes than OpenBLAS allocates: 32 MB for a process, and after a fork stacks of threads.
BYTES = 1 << 26
# Large enough for a product by several threads.
SIZE = 128

_prepared_in = 0  # the process whose buffers there are


def prepare_blas() -> None:
    """Let OpenBLAS allocate its buffers, once in each process.

    It does so in the first product. Without memory for them it ends the process, or after a fork
    waits for ever.

    Raises
    ------
    MemoryError
        There is too little memory for them.
    """
    global _prepared_in  # noqa: PLW0603
    if _prepared_in == os.getpid():
        return
    np.empty(BYTES, np.uint8)  # never written, so only address space is taken
    square = np.ones((SIZE, SIZE))
    np.matmul(square, square)
    _prepared_in = os.getpid()
