"""`validate_data` of scikit-learn 1.5 and later, for masked entries and sparse X too."""

from __future__ import annotations

from typing import Any

import numpy as np

from bpfast._optional import is_dask
from bpfast._validation.arrays.masked import refuse_masked_in
from bpfast._validation.arrays.sparse import by_rows, is_sparse, without_duplicates
from bpfast._validation.arrays.sparse_format import check_format
from bpfast._validation.arrays.tables import refuse_dates

try:
    from sklearn.utils.validation import validate_data as _validate_data
except ImportError:  # scikit-learn 1.5 has it as a method

    def _validate_data(estimator: Any, *arrays: Any, **settings: Any) -> Any:
        return estimator._validate_data(*arrays, **settings)


def validate_data(estimator: Any, *arrays: Any, **settings: Any) -> Any:
    """Check X, or X and y, and record or compare the names and the number of the features.

    Dask data are computed. NumPy would do so too, but lose the names of a frame. Duplicates of a
    sparse X are summed in its dtype, as in `toarray` and for a network; scikit-learn converts X
    before, so duplicates of bool would count twice, and narrow integers would not wrap around.

    Raises
    ------
    ValueError
        scikit-learn refuses them, they are text, an entry is masked, which scikit-learn would take
        as data, or the arrays of a sparse X are inconsistent.
    TypeError
        A sparse X has something else than arrays; or X or a numeric y has dates, times or
        durations.
    """
    computed = [array.compute() if is_dask(array) else array for array in arrays]
    for name, array in zip("Xy", computed, strict=False):
        refuse_masked_values(name, array)
    for name, array in zip("Xy" if settings.get("y_numeric") else "X", computed, strict=False):
        refuse_text(name, array)
        refuse_times(name, array)
    if is_sparse(computed[0]):
        check_format(computed[0])
        if computed[0].dtype.kind in "bui":
            computed[0] = without_duplicates(by_rows(computed[0]))
    return _validate_data(estimator, *computed, **settings)


def refuse_text(argument: str, value: Any) -> None:
    """Raise ValueError for arrays and lists of text, also if it looks like numbers.

    scikit-learn converts text to a given dtype, and refuses it where it asks for numbers.

    Examples
    --------
    >>> refuse_text("X", [["1", "2"]])
    Traceback (most recent call last):
    ValueError: X: expected numbers, got text of dtype <U1; X.astype(float) converts it
    """
    if isinstance(value, list | tuple):
        try:
            value = np.asarray(value)
        except ValueError:  # ragged: scikit-learn has an error of its own
            return
    if isinstance(value, np.ndarray) and value.dtype.kind in "UST":
        hint = f"{argument}.astype(float) converts it"
        raise ValueError(f"{argument}: expected numbers, got text of dtype {value.dtype}; {hint}")


def refuse_times(argument: str, value: Any) -> None:
    """Raise TypeError for dates, times and durations, which scikit-learn converts to numbers.

    Examples
    --------
    >>> refuse_times("X", np.array([["2024-01-02"]], "M8[D]"))
    Traceback (most recent call last):
    TypeError: X: expected real numbers, got dtype datetime64[D]
    """
    refuse_dates(argument, value)
    dtypes: Any = getattr(value, "dtypes", getattr(value, "dtype", None))
    for dtype in np.atleast_1d(np.asarray(dtypes, object)):
        if getattr(dtype, "kind", "") in ("m", "M"):
            raise TypeError(f"{argument}: expected real numbers, got dtype {dtype}")


def refuse_masked_values(argument: str, value: Any) -> None:
    """Raise ValueError if an entry is masked, which scikit-learn would take as a number.

    Examples
    --------
    >>> refuse_masked_values("X", [np.ma.array([1.0, 2.0], mask=[False, True])])
    Traceback (most recent call last):
    ValueError: X: expected no missing values, got 1 masked; fill them in with .filled(value)
    """
    if isinstance(value, np.ndarray | list | tuple):
        refuse_masked_in(argument, value, 2)
