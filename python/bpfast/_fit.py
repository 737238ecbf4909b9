"""`Network.fit` and `Network.partial_fit`: their arguments, checked, and what they start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._checkpoint import AnyPath, Checkpoints
from bpfast._metrics import Metric
from bpfast._metrics import parse as parse_metrics
from bpfast._numbers import is_number, number, whole
from bpfast._settings import Settings, flag, parse_early_stopping, parse_optimizer
from bpfast._sources import Arrays, Batches, Source
from bpfast._training import Callback, Measured, Training
from bpfast._weights import combine
from bpfast.history import History

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast._core import Network, Trainer
    from bpfast.early_stopping import EarlyStopping
    from bpfast.optimizers import Optimizer

# Beside all epochs, which count from 1: what decides about validation by a fraction.
VALIDATION = 0
# The share of numbers in a dense x that are not 0, up to which taking these alone is faster.
DENSITY = 0.3
# A batch of an iterable is one step, however long it is.
WHOLE = 2**32


def fit(
    net: Network,
    x: Any,
    y: ArrayLike | None = None,
    *,
    epochs: int = 10,
    batch_size: int = 32,
    optimizer: str | Optimizer = "adam",
    shuffle: bool = True,
    validation: Sequence[Any] | float | None = None,
    metrics: str | Iterable[str | Metric] = (),
    l1: float = 0.0,
    l2: float = 0.0,
    dropout: float | Iterable[float] = 0.0,
    max_norm: float | None = None,
    clip_norm: float | None = None,
    class_weight: Mapping[int, float] | str | None = None,
    sample_weight: ArrayLike | None = None,
    early_stopping: int | EarlyStopping | None = None,
    callbacks: Callback | Iterable[Callback] = (),
    progress: bool = False,
    seed: int | None = None,
    sparse: bool | None = None,
    check_finite: bool = True,
    checkpoint: AnyPath | None = None,
    every: int = 1,
    resume: bool | AnyPath | None = None,
) -> History:
    """Train `net`; the docstring of `Network.fit` says how."""
    epochs = whole("epochs", epochs, 1)
    checkpoints = Checkpoints(checkpoint, every, resume)
    progress = flag("progress", progress)
    settings = Settings(
        net,
        batch_size=batch_size,
        l1=l1,
        l2=l2,
        dropout=dropout,
        max_norm=max_norm,
        clip_norm=clip_norm,
        shuffle=shuffle,
        seed=checkpoints.seed(seed),
        check_finite=check_finite,
    )
    optimizer = parse_optimizer(optimizer)
    stopping = parse_early_stopping(early_stopping)
    if stopping is not None:
        stopping.reset()
    calls = [callbacks] if callable(callbacks) else list(callbacks)
    for k, callback in enumerate(calls):
        if not callable(callback):
            got = type(callback).__name__
            raise TypeError(f"callbacks[{k}]: expected a callable, got {got}")
    measures = parse_metrics(metrics)
    optimizer._fit([net.params])  # one that does not fit is refused before the data are read

    training: Measured | None = None
    share: float | None = None
    source: Source
    if y is None:
        _refuse_with_batches(validation, class_weight, sample_weight)
        held_out = _held_out(net, validation, measures)
        source = _batches(net, x, settings, optimizer)
        trainer = source._trainer
    else:
        x, y = as_data(net, x), np.asarray(y)
        weights = combine(sample_weight, class_weight, y)
        if is_number(validation):
            share = number("validation", validation)
            x, y, weights, validation = _split(x, y, weights, share, settings.seed)
        held_out = _held_out(net, validation, measures)
        trainer = _trainer(net, settings, optimizer, settings.batch_size)
        density = DENSITY if sparse is None else float(flag("sparse", sparse))
        source = Arrays(trainer, settings, x, y, weights, density)
        training = Measured(x, y)
    run = Training(
        net,
        trainer,
        settings,
        source,
        optimizer,
        History(seed=settings.seed),
        metrics=measures,
        training=training,
        validation=held_out,
        early_stopping=stopping,
        callbacks=calls,
    )
    beside = {"sparse": sparse, "class_weight": class_weight, "sample_weight": sample_weight}
    checkpoints.begin(run, epochs, share=share, **beside)
    net._set_training(run.history, optimizer)
    run.run(epochs, progress, checkpoints.save)
    return run.history


def partial_fit(
    net: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    batch_size: int | None = None,
    optimizer: str | Optimizer | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    dropout: float | Iterable[float] = 0.0,
    max_norm: float | None = None,
    clip_norm: float | None = None,
    class_weight: Mapping[int, float] | str | None = None,
    sample_weight: ArrayLike | None = None,
    seed: int = 0,
    check_finite: bool = True,
) -> float:
    """Go through a batch once; the docstring of `Network.partial_fit` says how."""
    settings = Settings(
        net,
        batch_size=WHOLE if batch_size is None else batch_size,
        l1=l1,
        l2=l2,
        dropout=dropout,
        max_norm=max_norm,
        clip_norm=clip_norm,
        shuffle=False,
        seed=whole("seed", seed, 0),
        check_finite=check_finite,
    )
    if optimizer is None:
        optimizer = net.optimizer or "adam"
    optimizer = parse_optimizer(optimizer)
    y = np.asarray(y)
    trainer = _trainer(net, settings, optimizer, settings.batch_size)
    source = Arrays(trainer, settings, x, y, combine(sample_weight, class_weight, y))
    history = net.history or History()
    net._set_training(history, optimizer)
    training = Training(
        net,
        trainer,
        settings,
        source,
        optimizer,
        history,
        metrics={},
        training=None,
        validation=None,
        early_stopping=None,
        callbacks=(),
    )
    return training.once()


def _trainer(net: Network, settings: Settings, optimizer: Optimizer, batch_size: int) -> Trainer:
    return _core.Trainer(
        net,
        optimizer._rule(),
        batch_size,
        settings.l1,
        settings.l2,
        settings.clip_norm,
        settings.max_norm,
        settings.dropout,
        settings.seed % 2**64,
        settings.check_finite,
    )


def as_data(net: Network, x: Any) -> Any:
    """X as the steps take it: a sparse matrix by rows, an array of the dtype of `net`."""
    if hasattr(x, "tocsr"):
        return x.tocsr()
    array = np.asanyarray(x)
    if array.dtype.kind in "buif" and not isinstance(array, np.memmap):
        return np.ascontiguousarray(array, net.dtype)
    return array


def _batches(net: Network, x: Any, settings: Settings, optimizer: Optimizer) -> Batches:
    """The batches that `x` is where there is no y."""
    is_array = isinstance(x, np.ndarray) or hasattr(x, "tocsr")
    if is_array or isinstance(x, str) or not (callable(x) or isinstance(x, Iterable)):
        got = type(x).__name__
        raise TypeError(f"y: expected with x of type {got}; without y, x is an iterable of batches")
    return Batches(_trainer(net, settings, optimizer, WHOLE), x)


def _refuse_with_batches(validation: Any, class_weight: Any, sample_weight: Any) -> None:
    if is_number(validation):
        raise ValueError("validation: expected (x, y) where x is an iterable, got a fraction")
    for name, value in (("class_weight", class_weight), ("sample_weight", sample_weight)):
        if value is not None:
            got = "weights beside an iterable"
            raise ValueError(f"{name}: expected as the third part of each batch, got {got}")


def _split(
    x: Any, y: NDArray[Any], weights: NDArray[np.float64] | None, share: float, seed: int
) -> tuple[Any, NDArray[Any], NDArray[np.float64] | None, tuple[Any, ...]]:
    """Hold out a share of the examples, drawn at random by the seed."""
    n = x.shape[0] if x.ndim else 0
    count = round(share * n)
    if not 0 < share < 1 or not 0 < count < n:
        expected = "a fraction above 0 and below 1 that leaves examples on both sides"
        raise ValueError(f"validation: expected {expected}, got {share:g} of {n}")
    order = _core.permutation(seed % 2**64, VALIDATION, n)
    held, rest = np.sort(order[:count]), np.sort(order[count:])
    of_weights = (None, None) if weights is None else (weights[rest], weights[held])
    return x[rest], y[rest], of_weights[0], (x[held], y[held], of_weights[1])


def _held_out(
    net: Network, validation: Any, metrics: dict[str, Callable[..., Any]]
) -> Measured | None:
    """The validation examples, once it is known that cost and metrics can be had of them."""
    if validation is None:
        return None
    if not isinstance(validation, tuple | list) or len(validation) not in (2, 3):
        got = type(validation).__name__
        raise TypeError(
            f"validation: expected (x, y), with weights or not, or a fraction, got {got}"
        )
    x, y, *weights = validation
    measured = Measured(as_data(net, x), np.asarray(y), *weights)
    try:
        measured.cost(net)
    except (TypeError, ValueError) as error:
        raise type(error)(f"validation: {error}") from None
    measured.metrics(net, metrics, "validation_")
    return measured
