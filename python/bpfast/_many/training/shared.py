"""x and y of several networks, converted and loaded once for all networks of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast._training.arguments.training_data import new_trainer
from bpfast._training.data.examples import Examples
from bpfast._training.data.sources import max_density
from bpfast._validation.arrays.inputs import check_same_shapes, rows_of, shapes_of
from bpfast._validation.arrays.sparse import is_sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bpfast._core import Trainer
    from bpfast._network import Network
    from bpfast._training.arguments.settings import Settings
    from bpfast.optimizers import Optimizer


# The elements of x whose nonzero ones are counted at a time.
ELEMENTS_AT_ONCE = 1 << 22


class Group(NamedTuple):
    """Examples, and a trainer that has loaded them."""

    examples: Examples
    # None if the steps cannot use the arrays in place, and for a callable cost.
    trainer: Trainer | None
    # Whether the trainer has a CSR copy of a dense x.
    in_csr: bool = False


class SharedData:
    """The same x and y for networks of all kinds.

    Networks of one dtype, width and cost share a conversion of x and y; those whose rows are few
    nonzero numbers share a CSR copy of a dense x too.
    """

    def __init__(self, x: Any, y: Any, sample_weight: Any = None, *, dense: bool = False) -> None:
        self.x, self.y, self._weight, self._dense = x, y, sample_weight, dense
        self._examples: dict[Any, Examples] = {}
        self._groups: dict[Any, Group] = {}
        self._nonzeros: dict[Any, NDArray[np.int64]] = {}
        self._seen: set[tuple[int, str]] = set()
        self._shapes = shapes_of(x), shapes_of(y)

    def check_same_shapes(self) -> None:
        """Raise ValueError if code of the user has resized x or y."""
        check_same_shapes("x", self.x, self._shapes[0])
        check_same_shapes("y", self.y, self._shapes[1])

    def examples(self, net: Network) -> Examples:
        """All examples for a network like `net`.

        Raises
        ------
        ValueError, TypeError
            They do not fit the network.
        """
        key = _kind(net)
        if key not in self._examples:
            examples = Examples(net, self.x, self.y, self._weight, signed=not self._dense)
            examples.check_targets()
            self._examples[key] = examples
        return self._examples[key]

    def group(
        self,
        net: Network,
        settings: Settings,
        optimizer: Optimizer,
        rows: NDArray[np.uint32] | None = None,
    ) -> Group:
        """The examples for a network like `net` that trains with these rows; None: all.

        Raises
        ------
        ValueError, TypeError
            They do not fit the network.
        """
        examples = self.examples(net)
        arrays = examples.arrays()
        if arrays is None or not isinstance(net.config["cost"], str):
            return Group(examples, None)
        in_csr = not self._dense and self._is_for_csr(net, settings, examples, arrays[0], rows)
        key = (*_kind(net), in_csr)
        if key not in self._groups:
            trainer = new_trainer(net, settings, optimizer, settings.batch_size)
            weight = examples.sample_weight if self._dense else None
            trainer.load(*arrays, weight, float(in_csr))
            self._groups[key] = Group(examples, trainer, in_csr)
        return self._groups[key]

    def _is_for_csr(
        self,
        net: Network,
        settings: Settings,
        examples: Examples,
        x: Any,
        rows: NDArray[np.uint32] | None,
    ) -> bool:
        """Whether `net.fit` alone, on these rows of a dense x, would compute with a CSR copy."""
        if is_sparse(x):
            return False  # it is CSR already
        if settings.sparse is not None:
            return settings.sparse
        if examples.is_mapped:
            return False  # the copy may be larger than memory
        if net.dtype not in self._nonzeros:
            self._nonzeros[net.dtype] = nonzeros_of_rows(x)
        counts = self._nonzeros[net.dtype]
        if rows is not None:
            counts = rows_of(counts, rows)
        most = len(counts) * x.shape[1] * max_density(net.sizes[1])
        return int(counts.sum()) <= int(most)

    def is_new(self, group: Group, net: Network) -> bool:
        """Whether no network with this output has had these examples before."""
        key = (id(group.examples), net.config["output"])
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new


def _kind(net: Network) -> tuple[Any, ...]:
    """What networks have in common that share a conversion of x and y."""
    config = net.config
    cost = config["cost"] if isinstance(config["cost"], str) else None
    return net.dtype.str, net.sizes[0], net.sizes[-1], cost, config["output"]


def nonzeros_of_rows(x: NDArray[Any]) -> NDArray[np.int64]:
    """The number of elements of each row of a dense x that are not 0.

    Examples
    --------
    >>> nonzeros_of_rows(np.array([[0.0, -0.0, 2.0], [1.0, 2.0, np.nan]]))
    array([1, 3])
    """
    step = max(ELEMENTS_AT_ONCE // x.shape[1], 1)
    counts = [np.count_nonzero(x[k : k + step], axis=1) for k in range(0, len(x), step)]
    return np.concatenate(counts)
