"""Arrays of :mod:`bpfast.reference`: nested lists of floats with a checked shape."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeAlias


class SupportsToList(Protocol):
    """An object that converts itself to nested lists, such as a NumPy array."""

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""


Array: TypeAlias = Sequence[Any] | SupportsToList
Vector: TypeAlias = list[float]
Matrix: TypeAlias = list[list[float]]

# The limit of NumPy.
MAX_DIMENSIONS = 64


def array(argument: str, value: object, expected: tuple[int | str, ...]) -> Any:
    """Nested lists of floats of the expected shape; a letter means any length except 0."""
    refuse_masked(argument, value)
    nested = plain(argument, value)
    got = shape_of(argument, value, nested)
    if expected[0] == "n" and got[:1] == (0,):
        raise ValueError(f"{argument}: expected one example or more, got an empty batch")
    if len(got) == len(expected):
        expected = tuple(g if isinstance(e, str) else e for e, g in zip(expected, got, strict=True))
    if got != expected:
        is_transposed = argument == "x" and got[:1] == expected[1:] and got[1:] != (0,)
        hint = "; examples are rows: x.T" if len(got) == 2 and is_transposed else ""
        raise ValueError(f"{argument}: expected shape {show(expected)}, got {show(got)}{hint}")
    if 0 in got:
        raise ValueError(f"{argument}: expected lengths above 0, got shape {show(got)}")
    return _floats(argument, nested)


def matrix(argument: str, value: object, rows: int | str, columns: int | str) -> Matrix:
    """A list of rows, as `array` gives it."""
    result: Matrix = array(argument, value, (rows, columns))
    return result


def refuse_masked(argument: str, value: Any, depth: int = 0) -> None:
    """Raise ValueError if an entry is masked, in an array of `numpy.ma` or a list of them."""
    mask: Any = getattr(value, "mask", None)
    if getattr(getattr(mask, "dtype", None), "kind", None) == "b" and (count := int(mask.sum())):
        got = f"{count} masked; fill them in with .filled(value)"
        raise ValueError(f"{argument}: expected no missing values, got {got}")
    if isinstance(value, Sequence) and not isinstance(value, str) and not hasattr(value, "tolist"):
        if depth == MAX_DIMENSIONS:
            expected = f"at most {MAX_DIMENSIONS} dimensions"
            raise ValueError(f"{argument}: expected {expected}, got lists nested without end")
        for entry in value:
            if not isinstance(entry, float | str | int):
                refuse_masked(argument, entry, depth + 1)


def plain(argument: str, value: Any) -> Any:
    """Nested lists of ints and floats."""
    dtype = getattr(value, "dtype", None)
    if getattr(dtype, "kind", "f") not in "biuf":
        call = "to_numpy(dtype=float)" if hasattr(value, "to_numpy") else "astype(float)"
        hint = (
            f"; {argument}.{call} converts it if all are numbers" if str(dtype) == "object" else ""
        )
        raise TypeError(f"{argument}: expected real numbers, got dtype {dtype}{hint}")
    if hasattr(value, "tolist"):
        value = value.tolist()
        if hasattr(value, "tolist"):  # a long double, which has no Python type
            return float(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [plain(argument, entry) for entry in value]
    raise TypeError(f"{argument}: expected real numbers, got {type(value).__name__}")


def shape_of(argument: str, value: Any, nested: Any) -> tuple[int, ...]:
    """The shape of `value`, whose numbers are in `nested`."""
    shape = _shape(argument, nested)
    # The lists of an array without rows do not have its number of columns.
    return tuple(value.shape) if 0 in shape and hasattr(value, "shape") else shape


def refuse_ragged(argument: str, value: Any) -> None:
    """Raise ValueError for nested sequences of different lengths, whatever their entries are."""
    _shape(argument, value)


def _shape(argument: str, nested: Any) -> tuple[int, ...]:
    if hasattr(nested, "shape"):
        return tuple(nested.shape)
    if not isinstance(nested, Sequence) or isinstance(nested, str | bytes | bytearray):
        return ()
    shapes = {_shape(argument, entry) for entry in nested}
    if len(shapes) > 1:
        raise ValueError(f"{argument}: expected rows of one length, got a ragged sequence")
    return (len(nested), *(shapes.pop() if shapes else ()))


def _floats(argument: str, nested: Any) -> Any:
    if isinstance(nested, list):
        return [_floats(argument, entry) for entry in nested]
    try:
        return float(nested)
    except OverflowError:
        raise TypeError(f"{argument}: expected real numbers, got an int beyond float") from None


def show(shape: Iterable[int | str]) -> str:
    lengths = [str(length) for length in shape]
    return f"({lengths[0]},)" if len(lengths) == 1 else f"({', '.join(lengths)})"
