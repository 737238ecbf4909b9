"""What is said of something that is not of numbers, and how it may become so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def no_numbers(argument: str, value: Any, array: NDArray[Any]) -> TypeError:
    """The error of `value`, which NumPy takes as `array`, of a dtype that is of no numbers.

    Examples
    --------
    >>> no_numbers("x", None, np.asarray(None))
    TypeError('x: expected real numbers, got NoneType')
    """
    got, hint = f"dtype {array.dtype}", ""
    if array.ndim == 0 and array.dtype.kind == "O" and not isinstance(value, np.ndarray):
        got = type(value).__name__  # NumPy does not see into it
        if hasattr(value, "toarray"):
            hint = f"; {argument}.toarray() has them"
    elif argument == "y" and array.ndim == 1 and _is_text(array):
        names = f"names, {argument} = np.unique({argument}, return_inverse=True)"
        hint = f"; names become labels by {names}"
    elif array.dtype.kind == "O" and hasattr(value, "to_numpy"):
        hint = f"; {argument}.to_numpy(dtype=float) converts it if all are numbers"
    elif array.dtype.kind in "OUS" and isinstance(value, np.ndarray):
        hint = f"; {argument}.astype(float) converts it if all are numbers"
    return TypeError(f"{argument}: expected real numbers, got {got}{hint}")


def _is_text(array: NDArray[Any]) -> bool:
    return array.dtype.kind in "UST" or (array.size > 0 and isinstance(array[0], str))
