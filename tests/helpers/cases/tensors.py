"""Tensors of every dtype and shape that a file holds."""

import numpy as np

DTYPES = ["float32", "float64", "int64", "uint64", "uint8", "bool"]
SHAPES = [(), (1,), (0,), (3, 0, 2), (5,), (2, 3, 4), (1,) * 32]


def arrays():
    """An array of each dtype and shape, its bits drawn at random."""
    rng = np.random.default_rng(0)
    found = {}
    for dtype in DTYPES:
        for shape in SHAPES:
            size = int(np.prod(shape)) * np.dtype(dtype).itemsize
            top = 2 if dtype == "bool" else 256
            bits = rng.integers(0, top, size, dtype=np.uint8)
            found[f"{dtype} {shape}"] = bits.view(dtype).reshape(shape)
    return found
