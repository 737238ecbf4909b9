"""Names to columns, as keys and as attributes: what `History` and `Monitor` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bpfast._optional import optional
from bpfast._validation.names import suggestion
from bpfast.history._mode import meant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pandas import DataFrame


class Columns:
    """The mapping from names to columns that `History` and `inside.Monitor` have.

    As in a pandas table, ``len`` is the number of rows and everything else concerns columns.
    """

    __slots__ = ()
    _index: ClassVar[str] = "epoch"  # the column that numbers the rows

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        raise NotImplementedError

    def __getitem__(self, name: str) -> NDArray[Any]:
        raise NotImplementedError

    def __getattr__(self, name: str) -> NDArray[Any]:
        # An object whose `__init__` has not run, such as a copy in the making, has no `names`.
        if name == "names" or name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        if name in self.names:
            return self[name]
        raise AttributeError(unknown_column("name", name, self.names))

    def keys(self) -> tuple[str, ...]:
        """The names of the columns, as `names`; so ``dict(history)`` is a dict of arrays.

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History()
        >>> history.append({"cost": 0.5, "seconds": 2.0, "learning_rate": 0.1})
        >>> history.keys()
        ('epoch', 'cost', 'seconds', 'learning_rate')
        >>> dict(history)["cost"]
        array([0.5])
        """
        return self.names

    def values(self) -> list[NDArray[Any]]:
        """The columns as arrays, in the order of `keys`.

        Returns
        -------
        list of ndarray
            New, read-only arrays with one entry per epoch.
        """
        return [self[name] for name in self.names]

    def items(self) -> list[tuple[str, NDArray[Any]]]:
        """Pairs of a name and its column, in the order of `keys`.

        Returns
        -------
        list of (str, ndarray)

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History()
        >>> history.append({"cost": 0.5, "seconds": 2.0, "learning_rate": 0.1})
        >>> for name, column in history.items():
        ...     print(name, column[-1])
        epoch 1
        cost 0.5
        seconds 2.0
        learning_rate 0.1
        """
        return [(name, self[name]) for name in self.names]

    def get(self, name: str, default: Any = None) -> Any:
        """The column `name`, or `default` if there is none.

        Parameters
        ----------
        name : str
            The name of a column.
        default : object, optional
            What to return without that column.

        Returns
        -------
        ndarray or object

        Examples
        --------
        >>> import bpfast
        >>> bpfast.History().get("validation_cost") is None
        True
        """
        if name not in self:  # also false for other types
            return default
        return self[name]

    def to_dict(self) -> dict[str, list[float]]:
        """Each column as a list, by name.

        Returns
        -------
        dict of str to list

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History()
        >>> history.append({"cost": 0.5, "seconds": 2.0, "learning_rate": 0.1})
        >>> history.to_dict()
        {'epoch': [1], 'cost': [0.5], 'seconds': [2.0], 'learning_rate': [0.1]}
        """
        return {name: self[name].tolist() for name in self.names}

    def to_pandas(self) -> DataFrame:
        """The columns as a `pandas.DataFrame`, with the epoch or the step of each row as index.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            pandas is not installed.

        Examples
        --------
        >>> import bpfast
        >>> history = bpfast.History()
        >>> history.append({"cost": 0.5, "seconds": 2.0, "learning_rate": 0.1})
        >>> print(history.to_pandas())
               cost  seconds  learning_rate
        epoch
        1       0.5      2.0            0.1
        """
        pandas = optional("pandas", "to_pandas", package="pandas")
        frame: DataFrame = pandas.DataFrame(self.to_dict()).set_index(self._index)
        return frame

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *getattr(self, "names", ())]

    def _repr_html_(self) -> str:
        from bpfast._tables import columns_html

        return columns_html(repr(self), self.to_dict())

    # Otherwise `reversed` would use `len`, the number of epochs, and integer indices.
    __reversed__ = None


def unknown_column(argument: str, name: object, names: tuple[str, ...]) -> str:
    """The message for a name that no column has.

    Examples
    --------
    >>> unknown_column("column", "val_loss", ("cost", "validation_cost"))
    "column: expected one of cost, validation_cost, got 'val_loss'; did you mean 'validation_cost'?"
    """
    near = suggestion(meant(str(name)), list(names), {})
    hint = f"; did you mean {near}?" if near else ""
    return f"{argument}: expected one of {', '.join(names)}, got {name!r}{hint}"
