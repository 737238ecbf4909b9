"""A history by the names of its columns: what a mapping has, beside items and length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class Columns:
    """What `History` has of a mapping from names to columns.

    As of a table of pandas: ``len`` counts rows, all else is about columns.
    """

    __slots__ = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        raise NotImplementedError

    def __getitem__(self, name: str) -> NDArray[Any]:
        raise NotImplementedError

    def keys(self) -> tuple[str, ...]:
        """The names of the columns, `names`: so ``dict(history)`` is a dict of arrays.

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
        """The columns as arrays, in the order of `keys`."""
        return [self[name] for name in self.names]

    def items(self) -> list[tuple[str, NDArray[Any]]]:
        """Pairs of a name and its column, in the order of `keys`.

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
        """The column `name`, or `default` where there is none.

        Examples
        --------
        >>> import bpfast
        >>> bpfast.History().get("validation_cost") is None
        True
        """
        if name not in self:  # of another type: not there
            return default
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    # `reversed` would count epochs, by `len`, and ask for columns by number.
    __reversed__ = None
