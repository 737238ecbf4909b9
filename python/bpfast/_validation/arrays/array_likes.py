"""Array-likes as arrays; masked and missing values are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._validation.arrays.masked import refuse_masked, refuse_masked_in
from bpfast._validation.arrays.no_numbers import no_numbers
from bpfast._validation.arrays.tables import refuse_dates, refuse_missing
from bpfast._validation.naming import naming

if TYPE_CHECKING:
    from numpy.typing import NDArray


def as_array(argument: str, value: Any) -> NDArray[Any]:
    """`value` as NumPy converts it.

    Raises
    ------
    ValueError
        An entry of `value`, or of an array in a list, is masked or missing; or NumPy raises it.
    TypeError
        NumPy raises it, or does not know the type of `value`, such as a sparse matrix; or a column
        of a table has dates.
    RuntimeError
        `value` raises it, such as a tensor of PyTorch that requires a gradient.

    Examples
    --------
    >>> as_array("x", [np.ma.array([1.0, 2.0]), [3.0, 4.0]])
    array([[1., 2.],
           [3., 4.]])
    """
    if isinstance(value, _core.Trace):
        expected = "the examples" if argument == "x" else "an array"
        raise TypeError(f"{argument}: expected {expected}, got a Trace; its a[0] has the examples")
    try:
        array = _converted(argument, value)
    except TypeError:
        refuse_dates(argument, value)
        raise
    if array.dtype.kind in "biuf" and not isinstance(value, np.ndarray):
        refuse_dates(argument, value)
        refuse_missing(argument, value)
    if array.ndim == 0 and array.dtype == object and not isinstance(value, np.ndarray):
        raise no_numbers(argument, value, array)  # here, where the type of the value is known
    if array.dtype.kind in "Of" and hasattr(value, "isna"):
        array = _of_nullable(argument, value, array)
    if type(array) is np.ndarray:
        # `asanyarray` has called `__array__`, whose result would have kept its mask.
        is_seen = array is value or hasattr(value, "__array__") or _core.is_plain_numbers(value)
        if not is_seen:
            refuse_masked_in(argument, value, array.ndim)
        return array
    refuse_masked(argument, array)
    return np.asarray(array)


def _converted(argument: str, value: Any) -> NDArray[Any]:
    """`value` as NumPy converts it; errors of its own code name the argument."""
    try:
        with naming(argument):
            return np.asanyarray(value)
    except Exception as error:
        if isinstance(value, list | tuple) and "inhomogeneous" in str(error):
            raise _uneven(argument, value) from error
        if type(error) is RuntimeError:
            raise RuntimeError(f"{argument}: {error}") from error
        if not isinstance(error, TypeError | ValueError):
            error.add_note(f"This happened in the conversion of {argument} to an array.")
        raise


def _uneven(argument: str, value: list[Any] | tuple[Any, ...]) -> ValueError:
    """The error of a list or tuple whose entries have different shapes.

    Examples
    --------
    >>> _uneven("x", [[1, 2], [3]])
    ValueError('x: expected an array, got a list whose entries, of list, have different shapes')
    """
    names = list(dict.fromkeys(type(entry).__name__ for entry in value))
    types = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
    got = f"a {type(value).__name__} whose entries, of {types}, have different shapes"
    return ValueError(f"{argument}: expected an array, got {got}")


def _of_nullable(argument: str, value: Any, array: NDArray[Any]) -> NDArray[Any]:
    """A table or column of pandas whose numbers may be missing, such as Float64, as float64.

    Other values are returned as `array`, which NumPy made of them. From pandas 3 on NumPy makes NaN
    of what is missing.
    """
    dtypes: Any = getattr(value, "dtypes", getattr(value, "dtype", None))  # one for a column
    listed = np.atleast_1d(np.asarray(dtypes, object))
    are_numbers = [getattr(dtype, "kind", "O") in "biuf" for dtype in listed]
    # NumPy's dtypes have no `na_value`, and that of others that have no missing values is NaN.
    are_nullable = [not isinstance(getattr(dtype, "na_value", 0.0), float) for dtype in listed]
    if not all(are_numbers) or (array.dtype.kind == "f" and not any(are_nullable)):
        return array
    missing = np.asarray(value.isna())
    if count := int(np.count_nonzero(missing[..., are_nullable] if missing.ndim > 1 else missing)):
        got = f"{count} missing; fill them in with .fillna(value)"
        raise ValueError(f"{argument}: expected no missing values, got {got}")
    numbers: NDArray[Any] = array if array.dtype.kind == "f" else value.to_numpy(dtype=np.float64)
    return numbers
