"""Arguments of several networks: one value for all, or a list with one for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.iterables import is_iterable
from bpfast._validation.network import check_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._network import Network


def parse_networks(nets: Any) -> list[Network]:
    """The networks as a list.

    Raises
    ------
    TypeError
        It is a set or a dict, or has an entry that is not a network.
    ValueError
        There is none, or one occurs twice.
    """
    is_set_or_dict = isinstance(nets, set | frozenset | dict)
    if isinstance(nets, _core.Network) or is_set_or_dict or not is_iterable(nets):
        got = type(nets).__name__
        raise TypeError(f"nets: expected a list of networks, got {got}")
    found = list(nets)
    if not found:
        raise ValueError("nets: expected one network or more, got none")
    places: dict[int, int] = {}
    for k, net in enumerate(found):
        check_network(net, f"nets[{k}]")
        first = places.setdefault(id(net), k)
        if first != k:
            raise ValueError(f"nets[{k}]: expected each network once, got nets[{first}] again")
    return found


def as_list(argument: str, value: Any) -> Any:
    """A tuple, a range, an array or a column of a table as a list of its entries.

    Raises
    ------
    ValueError
        An entry of an array is masked.

    Examples
    --------
    >>> as_list("l2", (3, 4)), as_list("l2", np.array([0.1, 0.2])), as_list("l2", 5)
    ([3, 4], [0.1, 0.2], 5)
    """
    if isinstance(value, tuple | range):
        return list(value)
    is_array = isinstance(value, np.ndarray) or hasattr(value, "__array__")
    if is_array and getattr(value, "ndim", 0) == 1:
        array = as_array(argument, value)
        return list(array) if array.dtype.hasobject else array.tolist()
    return value


def for_each(argument: str, value: Any, count: int, *, only_lists: bool = False) -> list[Any]:
    """One value for each network: the entries of a list, or the same value for all.

    So are tuples, ranges and arrays of one axis, unless these are values for all: `only_lists`.

    Raises
    ------
    ValueError
        A list has another number of entries.

    Examples
    --------
    >>> for_each("epochs", 3, 2), for_each("epochs", [3, 4], 2)
    ([3, 3], [3, 4])
    >>> for_each("epochs", [3, 4], 3)
    Traceback (most recent call last):
    ValueError: epochs: expected one value, or a list of 3, one for each network, got a list of 2
    """
    value = value if only_lists else as_list(argument, value)
    if not isinstance(value, list):
        return [value] * count
    if len(value) != count:
        expected = f"one value, or a list of {count}, one for each network"
        raise ValueError(f"{argument}: expected {expected}, got a list of {len(value)}")
    return list(value)


def weights_for_each(value: Any, count: int) -> list[Any]:
    """The sample weights of each network: (n,) for all, or a list or (k, n) with those of each."""
    if value is None:
        return [None] * count
    is_list = isinstance(value, list) and any(
        entry is None or np.ndim(entry) > 0 for entry in value
    )
    if is_list:
        return for_each("sample_weight", value, count)
    array = as_array("sample_weight", value)
    return for_each("sample_weight", list(array), count) if array.ndim == 2 else [array] * count


def rows_for_each(argument: str, value: Any, count: int, n: int) -> list[NDArray[np.uint32] | None]:
    """Row numbers for each network, or None for all rows.

    Raises
    ------
    ValueError, TypeError
        There is another number of lists, or an entry is not a row of x.

    Examples
    --------
    >>> [rows.tolist() for rows in rows_for_each("rows", [[0, 1], [2, 3]], 2, 4)]
    [[0, 1], [2, 3]]
    >>> [rows.tolist() for rows in rows_for_each("rows", [0, 1], 2, 4)]
    [[0, 1], [0, 1]]
    """
    if value is None:
        return [None] * count
    entries = listed_rows(argument, value, "rows, or a list with those of each")
    if not entries:
        raise ValueError(f"{argument}: expected one row or more, got none")
    if all(np.ndim(entry) == 0 and entry is not None for entry in entries):
        return [parse_rows(argument, entries, n)] * count
    if len(entries) != count:
        expected = f"a list of {count}, with the rows of each network"
        raise ValueError(f"{argument}: expected {expected}, got {len(entries)}")
    return [
        None if rows is None else parse_rows(f"{argument}[{k}]", rows, n)
        for k, rows in enumerate(entries)
    ]


def listed_rows(argument: str, value: Any, expected: str) -> list[Any]:
    """The entries of `value`: rows, or what has the rows of several networks.

    Raises
    ------
    TypeError
        It is not iterable, or its entries would be characters or keys.
    """
    if hasattr(value, "__array__"):
        value = as_array(argument, value)  # the entries of a table would be its columns
    if isinstance(value, str | bytes | Mapping) or not is_iterable(value):
        raise TypeError(f"{argument}: expected {expected}, got {type(value).__name__}")
    return list(value)


def parse_rows(argument: str, value: Any, n: int) -> NDArray[np.uint32]:
    """Row numbers of `n` examples, given as such or as `n` of True and False.

    Raises
    ------
    ValueError, TypeError
        There is none, or an entry is not a row of x.
    """
    rows = as_array(argument, value)
    if rows.dtype.kind == "b" and rows.shape == (n,):
        rows = np.flatnonzero(rows)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        got = f"shape {rows.shape} of dtype {rows.dtype}"
        raise TypeError(f"{argument}: expected row numbers, or {n} of True and False, got {got}")
    if not rows.size:
        raise ValueError(f"{argument}: expected one row or more, got none")
    if rows.min() < 0 or rows.max() >= n:
        wrong = rows[(rows < 0) | (rows >= n)][0]
        raise ValueError(f"{argument}: expected rows from 0 to {n - 1}, got {wrong}")
    return rows.astype(np.uint32)
