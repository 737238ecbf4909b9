"""SciPy's sparse matrices as CSR without duplicates. SciPy is never imported for it."""

from __future__ import annotations

import sys
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._validation.arrays.sparse_format import check_format, refuse_masked_parts
from bpfast._validation.naming import naming

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_sparse(x: Any) -> bool:
    """Whether `x` is a SciPy sparse matrix or array."""
    scipy = sys.modules.get("scipy.sparse")
    return scipy is not None and bool(scipy.issparse(x))


def by_rows(x: Any) -> Any:
    """`x` in CSR format: itself or a new matrix. Duplicates stay.

    Raises
    ------
    ValueError, TypeError
        Its arrays are inconsistent, an entry is masked, or SciPy cannot convert it.
    """
    if x.format == "csr":
        refuse_masked_parts(x)
        return for_scipy(x)
    check_format(x)
    with naming("x"):
        x = for_scipy(x)
        if x.format == "bsr":
            x = x.tocoo(copy=False)  # as its tocsr() and toarray() do
        rows = x.tocsr()
    if x.format != "coo" or rows.nnz == x.nnz or len(x.shape) != 2:
        return rows
    # SciPy sums duplicates in any order; `toarray` sums them in their stored order.
    order = np.lexsort((x.col, x.row))
    starts = np.searchsorted(x.row[order], np.arange(x.shape[0] + 1))
    return type(rows)((x.data[order], x.col[order], starts), shape=x.shape)


def for_scipy(x: Any) -> Any:
    """`x` with numbers that SciPy can copy and select rows of: itself or a matrix with its indices.

    SciPy has neither float16 nor other byte orders, and bpfast accepts both.

    Examples
    --------
    >>> import scipy.sparse
    >>> x = scipy.sparse.csr_array([[0.0, 7.0]])
    >>> x.data = x.data.astype(">f8")
    >>> for_scipy(x).copy().data
    array([7.])
    """
    data = getattr(x, "data", None)
    if not isinstance(data, np.ndarray):
        return x
    dtype = data.dtype.newbyteorder("=")
    if dtype == np.float16:
        dtype = np.dtype(np.float32)
    if data.dtype == dtype:
        return x
    x = copy(x)
    x.data = data.astype(dtype)
    return x


def without_duplicates(rows: Any) -> Any:
    """The CSR matrix `rows`, or a new one without duplicates if it has any."""
    if len(rows.shape) != 2 or not _core.has_duplicates(rows):
        return rows
    return type(rows)(sum_duplicates(rows.data, rows.indices, rows.indptr), shape=rows.shape)


def sum_duplicates(
    data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """CSR arrays in which duplicates are summed into the first of them.

    They are summed as in `toarray`: in their stored order and dtype, so bool stays bool and narrow
    integers wrap around. The order of all other entries is kept.

    Examples
    --------
    >>> data, indices = np.array([200, 7, 100], np.uint8), np.array([5, 2, 5])
    >>> sum_duplicates(data, indices, np.array([0, 3]))
    (array([44,  7], dtype=uint8), array([5, 2]), array([0, 2]))
    """
    indptr = indptr.astype(np.intp)  # `repeat` refuses uint64
    stored = int(indptr[-1])
    data, indices = data[:stored], indices[:stored]
    if data.dtype == np.float16:
        data = data.astype(np.float32)  # SciPy has no float16, and converts to this
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.lexsort((indices, rows))  # stable: duplicates keep their order
    is_first = np.ones(stored, bool)
    is_first[1:] = (np.diff(rows[order]) != 0) | (np.diff(indices[order]) != 0)
    first = np.empty(stored, np.intp)  # the index of the first duplicate
    first[order] = order[is_first][np.cumsum(is_first) - 1]
    sums = np.zeros(stored, data.dtype)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        np.add.at(sums, first, data)
    unique = np.sort(order[is_first])
    return sums[unique], indices[unique], np.searchsorted(unique, indptr)


def as_dense(x: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The numbers that bpfast computes with for `x`, as an array of `dtype`.

    As SciPy's `toarray`, which refuses some dtypes of indices and data that bpfast accepts.

    Raises
    ------
    ValueError, TypeError
        Its arrays are inconsistent, or an entry is masked.

    Examples
    --------
    >>> import scipy.sparse
    >>> as_dense(scipy.sparse.csr_array([[0, 7], [8, 0]]), np.dtype(np.float32))
    array([[0., 7.],
           [8., 0.]], dtype=float32)
    """
    check_format(x)
    rows = without_duplicates(by_rows(x))
    dense = np.zeros(rows.shape, dtype)
    counts = np.diff(rows.indptr).astype(np.intp)
    stored = int(counts.sum())
    places = np.repeat(np.arange(len(counts)), counts), rows.indices[:stored].astype(np.intp)
    with np.errstate(over="ignore", under="ignore"):
        dense[places] = rows.data[:stored]
    return dense
