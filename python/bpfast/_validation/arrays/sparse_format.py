"""Consistency checks of the arrays of a SciPy sparse matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._validation.arrays.masked import refuse_masked

if TYPE_CHECKING:
    from numpy.typing import NDArray


def refuse_masked_parts(x: Any) -> None:
    """Raise ValueError if an array of `x` has a masked entry.

    SciPy drops the mask silently when it converts.
    """
    for value in list(vars(x).values()):  # the `mask` of a subclass may change x
        for array in value if isinstance(value, tuple) else (value,):
            if isinstance(array, np.ndarray):
                refuse_masked("x", array)


def check_format(x: Any) -> None:
    """Raise an error if the arrays of `x` are inconsistent.

    SciPy does not check their lengths before it converts, and would read and write out of bounds.

    Raises
    ------
    ValueError, TypeError
        An array has the wrong length or number of dimensions, indices are out of range or not
        integers, or an entry is masked.
    """
    refuse_masked_parts(x)
    if len(x.shape) != 2:
        raise ValueError(f"x: expected 2 dimensions, got shape {x.shape}")
    check = CHECKS.get(x.format)
    if check is not None:
        check(x)


def _check_compressed(x: Any) -> None:
    """CSR, CSC and BSR, which stores blocks of one size instead of numbers."""
    rows, columns = x.shape[::-1] if x.format == "csc" else x.shape
    data, stored = _array("data", x.data, 3 if x.format == "bsr" else 1), "numbers"
    if x.format == "bsr":
        block, stored = data.shape[1:], "blocks"
        if 0 in block or rows % block[0] or columns % block[1]:
            raise ValueError(f"x: expected blocks that divide shape {x.shape}, got shape {block}")
        rows, columns = rows // block[0], columns // block[1]
    indptr, indices = _positions("indptr", x.indptr), _positions("indices", x.indices)
    if len(indptr) != rows + 1:
        raise ValueError(f"x: expected an indptr of {rows} + 1 numbers, got {len(indptr)}")
    falls = np.flatnonzero(indptr[1:] < indptr[:-1]) + 1
    wrong = 0 if indptr[0] != 0 else falls[0] if len(falls) else None
    if wrong is not None:
        got = f"{indptr[wrong]} as its number {wrong}"
        raise ValueError(f"x: expected an indptr that starts at 0 and never decreases, got {got}")
    count = int(indptr[-1])
    for name, array in (("indices", indices), ("data", data)):
        if len(array) < count:
            raise ValueError(f"x: expected {name} for {count} stored {stored}, got {len(array)}")
    _check_range("indices", indices[:count], columns)


def _check_coordinates(x: Any) -> None:
    """COO."""
    data = _array("data", x.data, 1)
    for name, array, length in zip(("row", "col"), (x.row, x.col), x.shape, strict=True):
        positions = _positions(name, array)
        if len(positions) != len(data):
            got = f"{len(positions)} for {len(data)} stored numbers"
            raise ValueError(f"x: expected as many {name} positions as stored numbers, got {got}")
        _check_range(f"{name} positions", positions, length)


def _check_diagonals(x: Any) -> None:
    """DIA; a diagonal may lie outside the matrix."""
    data, offsets = _array("data", x.data, 2), _positions("offsets", x.offsets)
    if len(offsets) != len(data):
        raise ValueError(f"x: expected offsets of {len(data)} diagonals, got {len(offsets)}")


def _check_lists(x: Any) -> None:
    """LIL; its columns are checked after SciPy's conversion."""
    for name, lists in (("rows", x.rows), ("data", x.data)):
        if len(_array(name, lists, 1)) != x.shape[0]:
            raise ValueError(f"x: expected {name} of {x.shape[0]} rows, got {len(lists)}")
    for row, (columns, numbers) in enumerate(zip(x.rows, x.data, strict=True)):
        if not (isinstance(columns, list) and isinstance(numbers, list)):
            raise TypeError(f"x: expected lists of columns and numbers, got others in row {row}")
        if len(columns) != len(numbers):
            got = f"{len(columns)} and {len(numbers)} in row {row}"
            raise ValueError(f"x: expected as many columns as numbers in a row, got {got}")


CHECKS = {
    "csr": _check_compressed,
    "csc": _check_compressed,
    "bsr": _check_compressed,
    "coo": _check_coordinates,
    "dia": _check_diagonals,
    "lil": _check_lists,
}


def _array(name: str, value: Any, rank: int) -> NDArray[Any]:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"x: expected {name} in an array, got {type(value).__name__}")
    if value.ndim != rank:
        raise ValueError(f"x: expected {name} of {rank} dimensions, got shape {value.shape}")
    return np.asarray(value)  # no subclass, which may compare in its own way


def _positions(name: str, value: Any) -> NDArray[Any]:
    if isinstance(value, np.ndarray) and value.dtype.kind not in "iu":
        raise TypeError(f"x: expected {name} that are integers, got dtype {value.dtype}")
    return _array(name, value, 1)


def _check_range(name: str, positions: NDArray[Any], length: int) -> None:
    if len(positions):
        low, high = int(positions.min()), int(positions.max())
        if not 0 <= low <= high < length:
            got = low if low < 0 else high
            raise ValueError(f"x: expected {name} of at least 0 and below {length}, got {got}")
