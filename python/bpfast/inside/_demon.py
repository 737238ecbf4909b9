"""`demon`: what a change of one weighted input does to the cost, beside δ Δz."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _tables
from bpfast._derivatives.forward_from import network_from
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.no_numbers import no_numbers
from bpfast._validation.names import one_of
from bpfast._validation.network import check_network, parse_layer, parse_neuron
from bpfast.inside._batch import Batch, batch_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import _Inputs as Inputs
    from bpfast._network import Network
    from bpfast._typing import FloatArray, Reduction

# The changes by default.
DZ = np.linspace(-1, 1, 21)
# The most rows of a text table.
MAX_ROWS = 20


@dataclass(frozen=True, eq=False)
class Demon:
    """The true change of the cost beside δ Δz: the result of `demon`.

    Attributes
    ----------
    layer, neuron : ndarray of int64, (m,)
        The layer, 2 to L, and the neuron, counted from 0, of each row.
    dz : ndarray of float64, (k,)
        The changes Δz.
    delta : ndarray of float64, (m,)
        δ^l_j, summed over the examples: ∂C/∂z if the z of all examples change alike.
    true : ndarray of float64, (m, k)
        ΔC = C(z + Δz) - C(z).
    predicted : ndarray of float64, (m, k)
        δ Δz.

    See Also
    --------
    bpfast.plot.demon : A picture of it.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network.from_parameters([[[1.0]]], [[0.0]], output="identity")
    >>> demon = bpfast.inside.demon(net, [[1.0]], [[0.0]], layer=2, neuron=0, dz=[-0.5, 0.1])
    >>> demon.predicted  # δ = a - y = 1
    array([[-0.5,  0.1]])
    >>> demon.true  # ((1 + Δz)² - 1) / 2
    array([[-0.375,  0.105]])
    """

    layer: NDArray[np.int64]
    neuron: NDArray[np.int64]
    dz: FloatArray
    delta: FloatArray
    true: FloatArray
    predicted: FloatArray

    @property
    def difference(self) -> FloatArray:
        """ΔC - δ Δz, (m, k): of second order in Δz.

        Returns
        -------
        ndarray of float64
        """
        return self.true - self.predicted

    def _table(self, most: int | None) -> tuple[list[str], list[list[str]]]:
        """One row per Δz for one neuron; else one per neuron, at the smallest and largest Δz."""
        if len(self.delta) == 1:
            head = ["Δz", "ΔC", "δ Δz", "difference"]
            values = zip(self.dz, self.true[0], self.predicted[0], self.difference[0], strict=True)
            rows = [[f"{value:.6g}" for value in row] for row in values]
            return head, _shortened(rows, most)
        order = np.argsort(np.abs(self.dz), kind="stable")
        shown = np.unique(order[[0, -1]])
        head = ["layer", "neuron", "δ"]
        for k in shown:
            head += [f"ΔC at {self.dz[k]:.3g}", f"δ Δz at {self.dz[k]:.3g}"]
        rows = [
            [str(layer), str(neuron), f"{delta:.6g}"]
            + [f"{value:.6g}" for k in shown for value in (true[k], predicted[k])]
            for layer, neuron, delta, true, predicted in zip(
                self.layer, self.neuron, self.delta, self.true, self.predicted, strict=True
            )
        ]
        return head, _shortened(rows, most)

    def _title(self) -> str:
        if len(self.delta) == 1:
            where = f"layer {self.layer[0]}, neuron {self.neuron[0]}: δ = {self.delta[0]:.6g}"
            return f"The demon at {where}"
        return f"The demon at {len(self.delta)} neurons"

    def __str__(self) -> str:
        """The result as a text table."""
        return f"{self._title()}\n{_tables.text(*self._table(MAX_ROWS))}"

    def __repr__(self) -> str:
        return f"<{self._title()}, {len(self.dz)} Δz>"

    def _repr_html_(self) -> str:
        return _tables.html(self._title(), *self._table(MAX_ROWS))


def demon(
    net: Network,
    x: Inputs,
    y: ArrayLike,
    layer: int | None = None,
    neuron: int | None = None,
    dz: ArrayLike | None = None,
    *,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Demon:
    r"""Change a neuron's weighted input, and compare the change of the cost with δ Δz.

    A demon sits at neuron j of layer l and adds Δz to its weighted input, for all examples alike:

    .. math:: \Delta C = C(z^l_j + \Delta z) - C(z^l_j) \approx \sum_x \delta^l_{xj}\, \Delta z

    ΔC is computed by the layers from l on; δ by BP1 and BP2. They agree to first order in Δz.

    Parameters
    ----------
    net : Network
        The network. It is not changed; the computation uses a float64 copy.
    x : array_like or SciPy sparse, (n, n_1)
        The examples. Sparse x is converted to a dense array.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,).
    layer : int, optional
        The layer in the book's numbering, 2 to L, where layer 1 is the input. Default: all layers.
    neuron : int, optional
        The neuron of that layer, counted from 0. Default: each neuron of the layer, in turn.
    dz : float or array_like, (k,), optional
        The changes Δz. Default: 21 from -1 to 1.
    sample_weight : array_like, (n,), optional
        The weights s_x, finite and 0 or above. Default: 1 for each example.
    reduction : {"mean", "sum"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.

    Returns
    -------
    Demon
        ΔC and δ Δz, a row for each neuron; print it to see them.

    Raises
    ------
    ValueError
        There is no such layer or neuron, a neuron is given without a layer, Δz is not finite or has
        more than one axis, x, y or weights are invalid, or the cost of an example is not finite.
    TypeError
        `net` is not a network, or an argument has the wrong type.

    Notes
    -----
    Each neuron takes k forward passes from its layer on.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2, "The four fundamental equations".

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> net = bpfast.Network([3, 4, 2], seed=0)
    >>> x, y = np.ones((5, 3)), np.zeros((5, 2))
    >>> demon = bpfast.inside.demon(net, x, y, layer=2, neuron=1, dz=[-1e-3, 1e-3])
    >>> bool(np.allclose(demon.true, demon.predicted, rtol=1e-3))
    True
    >>> bpfast.inside.demon(net, x, y).true.shape  # 4 + 2 neurons, 21 changes
    (6, 21)
    """
    check_network(net, "net")
    if layer is not None:
        layer = parse_layer(net, layer)
        neuron = None if neuron is None else parse_neuron(net, layer, neuron)
    elif neuron is not None:
        raise ValueError(f"layer: expected the layer of neuron {neuron}, got None")
    is_mean = one_of("reduction", reduction, ("mean", "sum")) == "mean"
    changes = DZ.copy() if dz is None else _parse_dz(dz)
    batch = batch_of(net, x, y, sample_weight)
    scale = 1.0 if is_mean else batch.scale
    layers = range(2, len(net.sizes) + 1) if layer is None else [layer]
    where = [
        (number, j)
        for number in layers
        for j in (range(net.sizes[number - 1]) if neuron is None else [neuron])
    ]
    _refuse_overflow(batch)
    deltas = batch.net.errors(batch.x, batch.y, sample_weight=batch.weight)
    with np.errstate(over="ignore", under="ignore"):  # a large Δz may make an infinite ΔC
        delta = np.array([scale * deltas[number - 2][:, j].sum() for number, j in where])
        true = np.vstack([scale * _changes(batch, number, where, changes) for number in layers])
        predicted = np.outer(delta, changes)
    numbers, neurons = np.array(where, dtype=np.int64).T
    return Demon(numbers, neurons, changes, delta, true, predicted)


def _refuse_overflow(batch: Batch) -> None:
    """Raise ValueError if C_x is not finite, because then no change of it is a number."""
    costs = batch.net.cost(batch.x, batch.y, reduction="none")
    if not np.isfinite(costs).all():
        k = int(np.isfinite(costs).argmin())
        expected = "an example with a finite cost before the change"
        raise ValueError(f"x[{batch.rows[k]}]: expected {expected}, got {costs[k]}")


def _changes(batch: Batch, layer: int, where: list[tuple[int, int]], dz: FloatArray) -> FloatArray:
    """ΔC for each chosen neuron of a layer and each Δz, for weights of sum 1."""
    rest = network_from(batch.net, layer)
    z = np.array(batch.net.trace(batch.x).z[layer - 2])

    def costs() -> Any:
        return rest.cost(z, batch.y, sample_weight=batch.weight, reduction="none")

    before = costs()
    rows = []
    for _, j in (each for each in where if each[0] == layer):
        old, row = z[:, j].copy(), []
        for change in dz:
            z[:, j] = old + change
            row.append(float(np.sum(costs() - before)))  # per example, so that little cancels
        z[:, j] = old
        rows.append(row)
    return np.array(rows)


def _parse_dz(dz: Any) -> FloatArray:
    """Δz as a vector of finite numbers."""
    array = as_array("dz", dz)
    if array.dtype.kind not in "iuf":
        raise no_numbers("dz", dz, array)
    if array.ndim > 1 or array.size == 0:
        raise ValueError(f"dz: expected a number or shape (k,) with one or more, got {array.shape}")
    changes = np.atleast_1d(array.astype(np.float64))
    if not np.isfinite(changes).all():
        raise ValueError(f"dz: expected finite numbers, got {changes[~np.isfinite(changes)][0]}")
    return changes


def _shortened(rows: list[list[str]], most: int | None) -> list[list[str]]:
    """The first and the last rows of a long table."""
    if most is None or len(rows) <= most:
        return rows
    half = most // 2
    return [*rows[:half], ["…"] * len(rows[0]), *rows[-half:]]


Demon.__module__ = "bpfast.inside"  # the public module
demon.__module__ = "bpfast.inside"
