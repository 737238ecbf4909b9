"""`forward_many` and `backprop_many`: one call for several networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._many.arguments import parse_networks, weights_for_each
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.inputs import checked_x, converted
from bpfast._validation.arrays.labels_or_columns import as_targets
from bpfast._validation.arrays.no_numbers import no_numbers
from bpfast._validation.arrays.sparse import is_sparse
from bpfast._validation.naming import naming

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from bpfast._core import Gradient
    from bpfast._network import Network
    from bpfast._typing import Reduction


def forward_many(
    nets: Iterable[Network], x: Any, *, out: Sequence[NDArray[Any]] | None = None
) -> list[NDArray[Any]]:
    """a^L of several networks, in one call.

    Sizes, activations and dtypes may differ. Each thread computes one network after another; a few
    large networks are computed sequentially, each on all threads. Each result has the bits that
    ``net.forward`` gives.

    Parameters
    ----------
    nets : list of Network
        The networks, each once.
    x : array_like or SciPy sparse, (n, n_1), or list of these
        The examples for all networks; or a list of k arrays of two axes, one for each network.
    out : list of ndarray, optional
        Where to write: for each network an array of its dtype, (n, n_L), C-contiguous, writeable,
        sharing no memory with others.

    Returns
    -------
    list of ndarray
        The entries of ``out``, or new arrays, one for each network.

    Raises
    ------
    ValueError
        A list has another length than `nets`, a network occurs twice, or x or ``out`` does not fit
        one of them; the message names it.
    TypeError
        x is not of real numbers, or an entry has the wrong type.

    Examples
    --------
    >>> import bpfast
    >>> nets = [bpfast.Network([2, width, 1], init="zeros") for width in (3, 4)]
    >>> [a.shape for a in bpfast.forward_many(nets, [[1.0, 2.0]])]
    [(1, 1), (1, 1)]
    """
    found = parse_networks(nets)
    arrays = zip(_inputs(found, x), _outs(found, out), strict=True)
    calls = [(k, net, *both) for k, (net, both) in enumerate(zip(found, arrays, strict=True))]
    results: list[NDArray[Any]] = _core.forward_many(calls)
    return results


def backprop_many(
    nets: Iterable[Network],
    x: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    reduction: Reduction = "mean",
    out: Sequence[Gradient] | None = None,
) -> list[Gradient]:
    """C and its gradient for several networks, in one call.

    Sizes, activations, costs and dtypes may differ. Each thread computes one network after another;
    a few large networks are computed sequentially, each on all threads. Each gradient has the bits
    that ``net.backprop`` gives.

    Parameters
    ----------
    nets : list of Network
        The networks, each once.
    x : array_like or SciPy sparse, (n, n_1), or list of these
        The examples for all networks; or a list of k arrays of two axes, one for each network.
    y : array_like, (n, n_L) or (n,), or list of these
        The targets for all networks, or, if x is a list, a list with those of each.
    sample_weight : array_like, (n,), or list of these, optional
        The weights s_x for all networks, or a list with those of each.
    reduction : {"mean", "sum"}, default "mean"
        "mean": C = Σ s_x C_x / Σ s_x, which is Σ C_x / n without weights. "sum": C = Σ s_x C_x.
    out : list of Gradient, optional
        Where to write: one for each network, of its sizes and dtype.

    Returns
    -------
    list of Gradient
        The entries of ``out``, or new gradients, one for each network.

    Raises
    ------
    ValueError
        A list has another length than `nets`, a network or gradient occurs twice, or an argument
        does not fit one of the networks; the message names it.
    TypeError
        An argument is not of real numbers, or an entry has the wrong type.

    Notes
    -----
    A callable cost runs on the calling thread, network by network.

    Examples
    --------
    >>> import bpfast
    >>> nets = [bpfast.Network([1, 1], output="identity", init="zeros") for _ in range(2)]
    >>> nets[1].params[:] = 1
    >>> [g.cost for g in bpfast.backprop_many(nets, [[1.0]], [[2.0]])]
    [2.0, 0.0]
    """
    found = parse_networks(nets)
    xs = _inputs(found, x)
    ys = _targets(found, x, y)
    weights = weights_for_each(sample_weight, len(found))
    gradients = _gradients(found, out)
    has_own_cost = [net._custom_cost is not None for net in found]
    if any(has_own_cost) and out is not None:
        _refuse_overlap(gradients, {"x": xs, "y": ys, "sample_weight": weights})
    arrays = _as_targets(found, ys, has_own_cost)
    calls = [
        (k, net, xs[k], arrays[k], weights[k], gradients[k])
        for k, net in enumerate(found)
        if not has_own_cost[k]
    ]
    _core.backprop_many(calls, reduction)
    for k, net in enumerate(found):
        if has_own_cost[k]:
            with naming(f"nets[{k}]"):
                net.backprop(
                    xs[k], ys[k], sample_weight=weights[k], reduction=reduction, out=gradients[k]
                )
    return gradients


def _is_list_of_arrays(x: Any) -> bool:
    """Whether `x` is a list of batches, and not a batch as nested lists of numbers."""
    return (
        isinstance(x, list)
        and bool(x)
        and all(is_sparse(entry) or getattr(entry, "ndim", None) == 2 for entry in x)
    )


def _inputs(nets: Sequence[Network], x: Any) -> list[Any]:
    """x for each network; a shared one is converted once for each dtype."""
    if _is_list_of_arrays(x):
        if len(x) != len(nets):
            expected = f"one batch, or a list of {len(nets)}, one for each network"
            raise ValueError(f"x: expected {expected}, got a list of {len(x)}")
        return list(x)
    given = checked_x(x)
    by_dtype: dict[Any, Any] = {}
    for net in nets:
        if net.dtype not in by_dtype:
            is_dense = not is_sparse(given) and given.ndim == 2
            by_dtype[net.dtype] = converted(given, net.dtype) if is_dense else given
    return [by_dtype[net.dtype] for net in nets]


def _targets(nets: Sequence[Network], x: Any, y: Any) -> list[Any]:
    """y for each network."""
    if not _is_list_of_arrays(x):
        return [y] * len(nets)
    if not isinstance(y, list) or len(y) != len(nets):
        got = f"{len(y)} entries" if isinstance(y, list) else type(y).__name__
        expected = f"a list of {len(nets)}, one for each network, as x"
        raise ValueError(f"y: expected {expected}, got {got}")
    return list(y)


def _as_targets(
    nets: Sequence[Network], ys: Sequence[Any], has_own_cost: Sequence[bool]
) -> list[Any]:
    """y as the costs read it; one that several networks share is converted once."""
    found: list[Any] = [None] * len(nets)
    arrays: dict[int, NDArray[Any]] = {}
    for k, (net, y) in enumerate(zip(nets, ys, strict=True)):
        if has_own_cost[k]:
            continue
        if id(y) not in arrays:
            with naming(f"nets[{k}]"):
                array = as_array("y", y)
                if array.dtype.kind not in "buif":
                    raise no_numbers("y", y, array)
            arrays[id(y)] = array
        found[k] = as_targets(net, arrays[id(y)])
    return found


def _outs(nets: Sequence[Network], out: Any) -> list[Any]:
    if out is None:
        return [None] * len(nets)
    if not isinstance(out, list | tuple):
        raise TypeError(f"out: expected a list of arrays, got {type(out).__name__}")
    if len(out) != len(nets):
        raise ValueError(f"out: expected {len(nets)}, one for each network, got {len(out)}")
    places: dict[int, int] = {}
    for k, array in enumerate(out):
        if array is not None and (first := places.setdefault(id(array), k)) != k:
            raise ValueError(f"out[{k}]: expected each once, got out[{first}] again")
    return list(out)


def _gradients(nets: Sequence[Network], out: Any) -> list[Gradient]:
    found = _outs(nets, out)
    for k, gradient in enumerate(found):
        if gradient is None:
            found[k] = _core.Gradient(nets[k])
        elif not isinstance(gradient, _core.Gradient):
            raise TypeError(f"out[{k}]: expected a Gradient, got {type(gradient).__name__}")
    return found


def _refuse_overlap(gradients: Sequence[Gradient], inputs: Mapping[str, Sequence[Any]]) -> None:
    """Raise ValueError for a gradient that shares memory with an input of any network.

    The core refuses them in a call of its own, but networks with callable costs follow in others.
    """
    for name, entries in inputs.items():
        for j, entry in enumerate(entries):
            given = getattr(entry, "data", None) if is_sparse(entry) else entry
            for k, gradient in enumerate(gradients):
                # A gradient has its memory for itself, so comparing the bounds is exact.
                if isinstance(given, np.ndarray) and np.may_share_memory(gradient.flat, given):
                    expected = "a gradient that does not overlap the inputs"
                    got = f"one that overlaps {name} of nets[{j}]"
                    raise ValueError(f"out[{k}]: expected {expected}, got {got}")


forward_many.__module__ = backprop_many.__module__ = "bpfast"  # the public module
