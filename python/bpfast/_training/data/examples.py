"""Examples in arrays: selection, conversion, and the metrics computed from them."""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bpfast import _core
from bpfast._training.arguments.weights import (
    parse_sample_weight,
    refuse_all_zero,
    refuse_infinite_sum,
    scaled_to_mean_one,
    times_class_weight,
)
from bpfast._training.data.held_out import refuse_zero_weights, split_rows
from bpfast._training.data.non_finite import fault
from bpfast._training.metrics.named import metric_values
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.inputs import (
    as_x,
    check_same_shapes,
    checked_x,
    converted,
    count,
    is_mapped,
    rows_of,
    shapes_of,
)
from bpfast._validation.arrays.labels_or_columns import as_targets
from bpfast._validation.arrays.no_numbers import no_numbers
from bpfast._validation.arrays.overlap import ParamsOfMany, refuse_params
from bpfast._validation.arrays.sparse import is_sparse
from bpfast._validation.target_shape import shape_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from bpfast._network import Network
    from bpfast._typing import Metric

# The elements of a memory-mapped x that are evaluated at a time: 32 MB of float64.
ELEMENTS_AT_ONCE = 1 << 22


class Measured(Protocol):
    """Examples, wherever they are, whose cost and metrics are computed after each epoch."""

    def __len__(self) -> int:
        """Count the examples."""

    def cost(self) -> float:
        """C with the network's current parameters."""

    def metrics(self, metrics: Mapping[str, Metric], prefix: str) -> dict[str, float]:
        """Each metric of the network's outputs, by its name with `prefix`."""


class Examples:
    """x, y and sample weights of examples. Memory maps stay on disk.

    Attributes
    ----------
    width : int
        n_1, the number of inputs.
    neurons : int
        n_2, the number of neurons of the first layer after the input.
    is_sparse : bool
        Whether x is a sparse matrix.
    is_mapped : bool
        Whether x or y is a memory map, and so may be larger than memory.
    """

    def __init__(
        self,
        net: Network,
        x: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        at_a_time: int | None = None,
        signed: bool = False,
    ) -> None:
        self._net, self._given, self._y = net, checked_x(x), as_array("y", y)
        self._at_a_time = at_a_time  # the number of examples to evaluate at a time, if given
        if self._y.dtype.kind not in "buif" and isinstance(net.config["cost"], str):
            # Here, where y may still be a column of a table.
            raise no_numbers("y", y, self._y)
        self._y = as_targets(net, self._y)
        self._x = as_x(net, self._given)
        self._shapes = shapes_of(self._x), self._y.shape
        self._rows: NDArray[Any] | None = None  # the selected rows of x and y; None for all
        self._names: NDArray[Any] | None = None  # the row numbers of the user's arrays
        self.width, self.neurons = net.sizes[0], net.sizes[1]
        n = count(self._x, self.width)
        if self._y.shape[:1] != (n,):
            cost = net.config["cost"]  # y of a callable cost may have any shape
            width = (
                net.sizes[-1:] if isinstance(cost, str) and self._y.ndim > 1 else self._y.shape[1:]
            )
            expected = (n, *width)
            raise shape_error(expected, self._y.shape)
        self.sample_weight = parse_sample_weight(sample_weight, n, signed=signed)
        self.is_sparse = is_sparse(self._x)
        self.is_mapped = is_mapped(self._x) or is_mapped(self._y)

    def __len__(self) -> int:
        return int(self._x.shape[0]) if self._rows is None else len(self._rows)

    @property
    def y(self) -> NDArray[Any]:
        """y of all examples."""
        return self._y if self._rows is None else rows_of(self._y, self._rows)

    @property
    def names(self) -> NDArray[Any] | None:
        """The row number of each example among the user's; None if that is its place."""
        return self._names

    def refuse_params(self, net: Network) -> None:
        """Raise ValueError if x or y is a view of the parameters of `net`, which will change."""
        refuse_params(net, x=self._given, y=self._y)

    def refuse_params_of(self, nets: ParamsOfMany) -> None:
        """Raise ValueError if x or y is a view of the parameters of one of these networks."""
        nets.refuse(x=self._given, y=self._y)

    def of_network(
        self, net: Network, rows: NDArray[Any] | None, weight: NDArray[np.float64] | None
    ) -> Examples:
        """The same examples, or some rows, for another network with the same inputs and outputs.

        `weight` has the weights of all rows.
        """
        view = copy(self)
        view._net = net
        view.sample_weight = weight
        if rows is not None:
            view._rows = view._names = rows
            view.sample_weight = None if weight is None else rows_of(weight, rows)
        return view

    def add_class_weight(self, class_weight: Mapping[int, float] | str | None) -> None:
        """Multiply the weight of each example by the weight of its class."""
        if class_weight is not None:
            outputs = self._net.sizes[-1]
            self.sample_weight = times_class_weight(
                self.sample_weight, class_weight, self.y, outputs
            )

    def weigh(self, class_weight: Mapping[int, float] | str | None) -> None:
        """Multiply by class weights, then scale to mean 1, as the steps of `fit` need it.

        Raises
        ------
        ValueError
            The weights are all 0 or their sum is not finite; the message names the argument that
            caused it.
        """
        argument = "sample_weight"
        if class_weight is not None:
            refuse_infinite_sum(argument, self.sample_weight)
            self.add_class_weight(class_weight)
            argument = "class_weight"
        if self.sample_weight is not None:
            refuse_all_zero(argument, self.sample_weight, self._names)
            self.sample_weight = scaled_to_mean_one(argument, self.sample_weight)

    def arrays(self) -> tuple[Any, NDArray[Any]] | None:
        """All of x and y if the steps can use them in place, else None."""
        if not self.is_mapped:
            return self._x, self._y
        x, dtype = self._x, self._net.dtype
        in_place = isinstance(x, np.ndarray) and x.dtype == dtype and x.flags.c_contiguous
        # A converted y is small compared with such an x, unless it is a memory map too.
        if self._rows is None and in_place and (self._y.ndim == 1 or self._y.dtype == dtype):
            return x, self._y
        return None

    def check_targets(self) -> None:
        """Raise ValueError for the first y that the network's cost does not accept."""
        if self._names is not None:
            return  # all were checked before these were selected
        y, n, width = self._y, len(self), self._net.sizes[-1]
        # A y of a wrong shape is refused at once, without reading it.
        fits = y.dtype.kind in "biu" if y.ndim == 1 else y.shape[1:] == (width,)
        step = max(ELEMENTS_AT_ONCE // width if self.is_mapped and fits else n, 1)
        for start in range(0, n, step):
            _core.check_targets(self._net, y[start : start + step], start)

    def take(self, rows: NDArray[Any]) -> tuple[Any, NDArray[Any], NDArray[np.float64] | None]:
        """Copies of x, y and the weights of some examples."""
        at = rows if self._rows is None else rows_of(self._rows, rows)
        weight = self.sample_weight
        x = rows_of(self._x, at)
        if isinstance(x, np.ndarray) and x.dtype.kind in "buif":
            x = converted(x, self._net.dtype)
        return x, rows_of(self._y, at), None if weight is None else rows_of(weight, rows)

    def split(self, share: float, seed: int) -> tuple[Examples, Examples]:
        """The examples to train on, and a fraction to hold out, drawn at random from the seed.

        Raises
        ------
        ValueError
            One of the two would be empty or have only weights of 0; or the cost does not accept y.
        """
        self.check_targets()  # here, where the row numbers are still the user's
        kept_rows, held_rows = split_rows(share, len(self), seed)
        rest, held_out = copy(self), copy(self)
        rest.keep(kept_rows)
        held_out.keep(held_rows)
        if rest.sample_weight is not None and held_out.sample_weight is not None:
            refuse_zero_weights(
                trained_on=bool(rest.sample_weight.any()),
                held_out=bool(held_out.sample_weight.any()),
            )
        return rest, held_out

    def keep(self, rows: NDArray[Any]) -> None:
        """Keep only these rows."""
        self._names = rows
        if self.is_mapped:
            self._rows = rows
        else:
            self._x, self._y = rows_of(self._x, rows), rows_of(self._y, rows)
            self._shapes = shapes_of(self._x), self._y.shape
        if self.sample_weight is not None:
            self.sample_weight = rows_of(self.sample_weight, rows)

    def cost(self) -> float:
        """C with the network's current parameters."""
        refuse_infinite_sum("sample_weight", self.sample_weight)
        costs, weights = [], []
        for piece in self._pieces():
            x, y, weight = self._at(piece)
            if self._net._custom_cost is not None:
                y = y.copy()  # metrics and other epochs need it as it is
            if len(y) == len(self):
                return self._net.cost(x, y, sample_weight=weight)
            of_piece = len(y) if weight is None else float(weight.sum())
            # Without a weight above 0 a piece has no mean, but NaN and infinity count.
            known = weight if of_piece > 0 else None
            found = self._net.cost(x, y, sample_weight=known)
            if of_piece > 0 or not math.isfinite(found):
                costs.append(found)
                weights.append(of_piece)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            shares = weights / np.max(weights)  # which lose no digits, as subnormal numbers do
            total = np.sum(shares)  # NumPy sums pairwise
            mean = float(np.sum(np.multiply(shares, costs)) / total)
            if math.isfinite(mean):
                return mean
            return float(np.sum(np.multiply(shares / total, costs)))

    def metrics(self, metrics: Mapping[str, Metric], prefix: str) -> dict[str, float]:
        """Each metric of the network's outputs, by its name with `prefix`."""
        if not metrics:
            return {}
        a = np.empty((len(self), self._net.sizes[-1]), self._net.dtype)
        for piece in self._pieces():
            self._net.forward(self._at(piece)[0], out=a[piece])
        return metric_values(metrics, a, self.y, prefix)

    def fault(self, rows: NDArray[Any] | None = None) -> str | None:
        """Describe the first number that is not finite, in all or some examples, if any."""
        if rows is None:
            for piece in self._pieces():
                if found := self.fault(np.arange(len(self))[piece]):
                    return found
            return None
        at = rows if self._rows is None else rows_of(self._rows, rows)
        names = rows if self._names is None else rows_of(self._names, rows)
        return fault(self._net.dtype, rows_of(self._given, names), rows_of(self._y, at), names)

    def _pieces(self) -> Iterator[slice]:
        """Slices of the examples: all at once, or parts that fit into memory."""
        n = len(self)
        step = max(ELEMENTS_AT_ONCE // self.width, 1) if self.arrays() is None else n
        step = step if self._at_a_time is None else self._at_a_time
        return (slice(start, min(start + step, n)) for start in range(0, n, step))

    def _at(self, piece: slice) -> tuple[Any, NDArray[Any], NDArray[np.float64] | None]:
        check_same_shapes("x", self._x, self._shapes[0])  # code of the user may resize them
        check_same_shapes("y", self._y, self._shapes[1])
        if piece == slice(0, len(self)) and self._rows is None:
            return self._x, self._y, self.sample_weight
        weight = self.sample_weight
        of_piece = None if weight is None else weight[piece]
        if self._rows is None:
            return self._x[piece], self._y[piece], of_piece
        at = self._rows[piece]
        return rows_of(self._x, at), rows_of(self._y, at), of_piece
