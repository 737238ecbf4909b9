"""Dask data as the examples of an estimator: their numbers stay on the workers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._costs import LABELLED
from bpfast.distributed._engines.dask_data import array_of_frame, array_of_partition
from bpfast.distributed._shards.data import ShardData
from bpfast.sklearn._targets import labels, weights
from bpfast.sklearn._targets.examples import EstimatorExamples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from bpfast._network import Network


def of_dask(
    estimator: Any, X: Any, y: Any, sample_weight: Any, *, is_new: bool
) -> EstimatorExamples:
    """Dask data as examples.

    The features are checked on a few rows that are made up, and y on its classes or on its lowest
    number.

    Raises
    ------
    ValueError
        They do not fit the estimator.
    """
    y = _as_array("y", y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    sample = _classes(y) if _has_classes(estimator) else _lowest(y)
    X_sample, _, y_sample = estimator._check_examples(
        _rows_like(X, len(sample)), sample, reset=is_new, is_first=is_new,
        same_classes=estimator.warm_start,
    )  # fmt: skip
    n_outputs = estimator._count_outputs(y_sample)
    weight = None if sample_weight is None else _as_array("sample_weight", sample_weight)
    return EstimatorExamples(X, y, weight, X_sample.shape[1], n_outputs, X_sample.dtype, None)


def shards_of(estimator: Any, examples: EstimatorExamples, net: Network) -> ShardData:
    """X and the targets of a network, to be cut into shards; workers encode dask data."""
    if examples.rows is not None:
        data = estimator._data(examples.rows, net)
        return ShardData(data.x, data.y, data.weight)
    return ShardData(examples.x, _targets(estimator, examples.y, net), examples.weight)


def class_weight_of(
    estimator: Any, examples: EstimatorExamples
) -> Mapping[int, float] | str | None:
    """The class weights, by index, that the weights of the examples do not contain."""
    given = getattr(estimator, "class_weight", None)
    if examples.rows is not None or given is None:
        return None
    if isinstance(given, str):
        if examples.weight is None:
            return given
        totals = _totals(examples.y, examples.weight, estimator.classes_)
        return dict(enumerate(weights.balanced_by_class(totals).tolist()))
    if not isinstance(given, dict):
        got = type(given).__name__
        raise ValueError(f"class_weight: expected 'balanced' or a dict for one label, got a {got}")
    by_class = weights.by_class("class_weight", given, estimator.classes_)
    return dict(enumerate(by_class.tolist()))


def _has_classes(estimator: Any) -> bool:
    return hasattr(estimator, "class_weight")


def _as_array(name: str, value: Any) -> Any:
    """A dask array of `value`: a dask array, series or frame, or anything that NumPy reads."""
    import dask.array as da

    if hasattr(value, "to_dask_array"):
        return array_of_frame(name, value)
    return value if isinstance(value, da.Array) else da.from_array(np.asarray(value))


def _rows_like(X: Any, count: int) -> Any:
    """Rows with the features of X, without its numbers."""
    if hasattr(X, "_meta_nonempty"):  # a frame
        rows = X._meta_nonempty.iloc[[0] * count]
        array_of_partition("X", rows)  # names a column that is not numeric
        return rows
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got a dask array of shape {X.shape} instead.")
    return np.zeros((count, X.shape[1]), X.dtype)


def _classes(y: Any) -> NDArray[Any]:
    """The labels in y, sorted."""
    from dask import compute, delayed

    if y.ndim != 1:
        raise ValueError(
            f"Expected one label per example in dask data, got shape {y.shape}. Multilabel y must "
            "be an array of this process."
        )
    blocks = y.to_delayed().ravel()
    return np.unique(np.concatenate(compute(*[delayed(_unique)(block) for block in blocks])))


def _unique(y: Any) -> NDArray[Any]:
    """The labels in a block, sorted."""
    y = np.asarray(y)
    if y.dtype == object and (count := sum(map(_is_missing, y.tolist()))):
        got = f"{count} missing; fill them in with .fillna(value)"
        raise ValueError(f"y: expected no missing values, got {got}")
    return np.unique(y)


def _is_missing(label: Any) -> bool:
    """Whether it is None, or pandas.NA or NaN, which do not equal themselves."""
    is_equal = label == label
    return label is None or not (isinstance(is_equal, bool | np.bool_) and is_equal)


def _totals(y: Any, weight: Any, classes: NDArray[Any]) -> NDArray[np.float64]:
    """The sum of the weights of each class."""
    from dask import compute, delayed

    if weight.chunks != y.chunks and not np.isnan(y.chunks[0]).any():
        weight = weight.rechunk(y.chunks)
    blocks = zip(y.to_delayed().ravel(), weight.to_delayed().ravel(), strict=True)
    sums = compute(*[delayed(_totals_of_block)(*block, classes) for block in blocks])
    totals: NDArray[np.float64] = np.sum(sums, axis=0)
    return totals


def _totals_of_block(y: Any, weight: Any, classes: NDArray[Any]) -> NDArray[np.float64]:
    y, sizes = np.asarray(y), np.abs(np.asarray(weight, np.float64))
    return np.array([sizes[y == label].sum() for label in classes])


def _lowest(y: Any) -> NDArray[Any]:
    """Two rows with the lowest number of each column of y."""
    lowest = np.asarray(y.min(axis=0).compute())
    return np.stack([lowest, lowest])


def _targets(estimator: Any, y: Any, net: Network) -> Any:
    """The targets of a network for y."""
    if not _has_classes(estimator):
        return (y[:, np.newaxis] if y.ndim == 1 else y).astype(net.dtype)
    classes, kind = estimator.classes_, estimator._kind
    if net.config["cost"] in LABELLED:
        return y.map_blocks(_index, classes=classes, kind=kind, dtype=np.intp)
    columns = estimator.n_outputs_
    encode = partial(_in_columns, classes=classes, kind=kind, columns=columns, dtype=net.dtype)
    chunks = (y.chunks[0], (columns,))
    return y.map_blocks(encode, dtype=net.dtype, new_axis=1, chunks=chunks)


def _index(y: Any, *, classes: NDArray[Any], kind: str) -> NDArray[Any]:
    """The index of the class of each example. A block of a frame is not always an array."""
    return labels.to_index(np.asarray(y), classes, kind)


def _in_columns(
    y: Any, *, classes: NDArray[Any], kind: str, columns: int, dtype: np.dtype[Any]
) -> NDArray[Any]:
    """A column per output, with a 1 for the class of each example."""
    return labels.to_targets(_index(y, classes=classes, kind=kind), columns, dtype)
