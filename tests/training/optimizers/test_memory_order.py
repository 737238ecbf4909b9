"""State arrays have the memory order of their parameters, which the strides determine."""

import numpy as np
import pytest

from bpfast._core import memory_order

A = np.zeros((4, 6))
LAYOUTS = {
    "rows": (A, "C"),
    "columns": (A.T, "F"),
    "a vector": (A[0], "C"),
    "one row": (A[:1], "C"),
    "one column, a block": (A[:, :1].copy(), "C"),
    "gaps": (A[:, ::2], "C"),
    "gaps, turned": (A[:, ::2].T, "C"),
    "backwards": (A[::-1], "C"),
    "nothing": (A[:0].T, "C"),
    "a number": (np.array(1.0), "C"),
    "three axes": (np.zeros((2, 3, 4)).T, "F"),
    "axes swapped": (np.zeros((2, 3, 4)).swapaxes(0, 1), "C"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_order_of_an_array(layout):
    array, order = LAYOUTS[layout]
    assert memory_order(array) == order
    flags = array.flags  # NumPy's flags agree if they are right
    assert order == ("C" if flags.c_contiguous or not flags.f_contiguous else "F")
