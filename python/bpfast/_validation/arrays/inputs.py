"""x as arrays or CSR matrices, and the rows of it."""

from __future__ import annotations

from mmap import mmap
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.no_numbers import no_numbers
from bpfast._validation.arrays.sparse import by_rows, is_sparse, without_duplicates
from bpfast._validation.arrays.sparse_format import check_format

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network


def checked_x(x: Any) -> Any:
    """x as a CSR matrix without duplicates, or as an array of numbers."""
    if is_sparse(x):
        check_format(x)
        rows = by_rows(x)
        if rows.data.dtype.kind not in "buif":
            raise no_numbers("x", x, rows.data)
        return without_duplicates(rows)
    array = as_array("x", x)
    if array.dtype.kind not in "buif":
        raise no_numbers("x", x, array)
    return array


def as_x(net: Network, x: Any) -> Any:
    """x in the network's dtype, unless it is sparse or a memory map."""
    if is_sparse(x) or is_mapped(x):
        return x
    return converted(x, net.dtype) if x.ndim else x


def converted(x: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """x as a C-contiguous array of this dtype: itself, or a copy."""
    # A number too large for float32 is reported by the step that meets it.
    with np.errstate(over="ignore", under="ignore"):
        return np.ascontiguousarray(x, dtype)


def is_mapped(array: Any) -> bool:
    """Whether the array is a memory map, or a view of one."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap):
            return True
        array = array.base
    return isinstance(array, mmap)


def count(x: Any, width: int) -> int:
    """The number of examples in `x`."""
    shape = tuple(int(length) for length in x.shape)
    if len(shape) != 2:
        hint = ""
        if len(shape) == 1 and not is_sparse(x):
            hint = "; one example is x[None, :], one input per example x[:, None]"
        elif len(shape) == 1:
            hint = "; one example is x.reshape(1, -1)"
        elif len(shape) > 2:
            hint = "; one row per example is x.reshape(len(x), -1)"
        raise ValueError(f"x: expected 2 dimensions, got shape {shape}{hint}")
    if shape[0] == width != shape[1] and shape[1]:
        expected = f"x: expected shape {(width, width)}"
        raise ValueError(f"{expected}, got {shape}; examples are rows: x.T")
    if shape[1] != width:
        raise ValueError(f"x: expected shape {(shape[0], width)}, got {shape}")
    if shape[0] == 0:
        raise ValueError("x: expected one example or more, got an empty batch")
    return shape[0]


def shapes_of(x: Any) -> tuple[Any, ...]:
    """The shape of x if it has one; if x is sparse, also the shapes of its arrays.

    Code of the user may resize them between two uses.
    """
    shape: tuple[Any, ...] = getattr(x, "shape", ())
    if is_sparse(x):
        names = ("data", "indices", "indptr")
        # A damaged matrix may have something else than an array, which `check_format` refuses.
        return (shape, *(getattr(getattr(x, name, None), "shape", None) for name in names))
    return shape


def check_same_shapes(name: str, x: Any, expected: tuple[Any, ...]) -> None:
    """Raise ValueError if `x` no longer has the `expected` shapes (`shapes_of`)."""
    if (shapes := shapes_of(x)) != expected:
        raise ValueError(f"{name}: expected shape {expected} until the end, got {shapes}")


def rows_of(x: Any, rows: NDArray[Any]) -> Any:
    """``x[rows]``.

    If memory runs out, `take` raises MemoryError; NumPy's indexing may raise another error, or end
    the process if the indices are not of type intp. Other arrays are indexed, because `take` would
    first copy them whole.
    """
    rows = rows.astype(np.intp, copy=False)
    if isinstance(x, np.ndarray):
        flags = x.flags
        if flags.c_contiguous and flags.aligned and x.dtype.isnative:
            return np.asarray(x).take(rows, axis=0)
    return x[rows]
