"""`Network.fit` and `Network.partial_fit`: their arguments, checked, and what they start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._accuracy import Kind, for_targets
from bpfast._checkpoint import AnyPath, Checkpoints
from bpfast._claims import RUNNING, claim, refuse_another_network
from bpfast._data import Examples
from bpfast._metrics import Metric, Metrics
from bpfast._metrics import parse as parse_metrics
from bpfast._names import by_name
from bpfast._numbers import is_number, number, whole
from bpfast._reach import warn_of_reach
from bpfast._settings import (
    ARGUMENTS_ELSEWHERE,
    Settings,
    flag,
    parse_early_stopping,
    parse_optimizer,
)
from bpfast._sources import Arrays, Batches, Files, Source, as_batches, refuse_y_beside_batches
from bpfast._training import Callback, Training
from bpfast._weights import check_classes, refuse_all_zero
from bpfast.history import History

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bpfast._core import Network, Trainer
    from bpfast.early_stopping import EarlyStopping
    from bpfast.optimizers import Optimizer

# A batch of an iterable is one step, however long it is.
WHOLE = 2**32


@by_name(ARGUMENTS_ELSEWHERE)
def fit(
    net: Network,
    x: Any,
    y: ArrayLike | None = None,
    *,
    epochs: int = 10,
    batch_size: int | None = None,
    optimizer: str | Optimizer = "adam",
    shuffle: bool | None = None,
    validation: Sequence[Any] | float | None = None,
    metrics: str | Metric | Metrics = (),
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
    every: int | None = None,
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
        sparse=sparse,
    )
    optimizer = parse_optimizer(optimizer)
    stopping = parse_early_stopping(early_stopping)
    calls = _callbacks(callbacks)
    measures = parse_metrics(metrics)
    ticket = object()
    try:
        claim(ticket, network=net, optimizer=optimizer, early_stopping=stopping)
        refuse_another_network(optimizer, net)
        share: float | None = None
        data: Examples | None = None
        source: Source
        if y is None:
            _refuse_with_batches(
                validation,
                weights={"class_weight": class_weight, "sample_weight": sample_weight},
                arrays={
                    "batch_size": batch_size,
                    "shuffle": shuffle or None,
                    "sparse": sparse or None,
                },
            )
            held_out, measures = _held_out(net, validation, measures)
            if measures and held_out is None:
                expected = "validation=(x, y) with batches, which are not measured themselves"
                raise ValueError(f"metrics: expected {expected}, got none")
            trainer = _trainer(net, settings, optimizer, WHOLE)
            source = Batches(trainer, net.dtype, as_batches(x))
        else:
            refuse_y_beside_batches(x)
            data = Examples(net, x, y, sample_weight)
            refuse_all_zero("sample_weight", data.sample_weight)
            # Of all examples, before some are held out: errors name rows as the user counts them.
            named = measures
            measures, kind = for_targets(named, data.y, net)
            if class_weight is not None:
                check_classes(class_weight, data.y, net.sizes[-1])
            if is_number(validation):
                share = number("validation", validation)
                data, held_out = data.split(share, settings.seed)
            else:
                held_out, _ = _held_out(net, validation, named, kind)
            data.add_class_weight(class_weight)
            refuse_all_zero("class_weight", data.sample_weight)
            data.scale_weights()
            trainer = _trainer(net, settings, optimizer, settings.batch_size)
            source = _source(trainer, settings, data)
            if not data.is_mapped:
                warn_of_reach(net, data.y, data.sample_weight, 3)
        if held_out is not None:
            with nullcontext() if share is not None else _naming_validation():
                _check_cost(held_out, settings)
        training = Training(
            net,
            trainer,
            settings,
            source,
            optimizer,
            History(seed=settings.seed),
            metrics=measures,
            training=data,
            validation=held_out,
            early_stopping=stopping,
            callbacks=calls,
        )
        weighted = {"class_weight": class_weight, "sample_weight": sample_weight}
        begins_anew = checkpoints.read is None
        checkpoints.begin(training, epochs, share=share, **weighted)
        # Not before: a checkpoint that is refused changes nothing.
        if stopping is not None and begins_anew:
            stopping.reset()
        training.run(epochs, progress, checkpoints.save)
        return training.history
    finally:
        RUNNING.pop(ticket, None)


@by_name(ARGUMENTS_ELSEWHERE)
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
    if isinstance(class_weight, str) and class_weight == "balanced":
        got = "'balanced', which needs the classes of all examples"
        raise ValueError(f"class_weight: expected a dict in partial_fit, got {got}")
    last = net.optimizer
    if last is not None and (
        optimizer is None or (isinstance(optimizer, str) and optimizer == last.kind)
    ):
        optimizer = last
    optimizer = parse_optimizer("adam" if optimizer is None else optimizer)
    ticket = object()
    try:
        claim(ticket, network=net, optimizer=optimizer)
        refuse_another_network(optimizer, net)
        data = Examples(net, x, y, sample_weight)
        data.add_class_weight(class_weight)
        trainer = _trainer(net, settings, optimizer, settings.batch_size)
        training = Training(
            net,
            trainer,
            settings,
            _source(trainer, settings, data),
            optimizer,
            History(),
            metrics={},
            training=None,
            validation=None,
            early_stopping=None,
            callbacks=(),
        )
        _core.set_training(net, net.history, optimizer)
        return training.once()
    finally:
        RUNNING.pop(ticket, None)


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
        settings.seed,
        settings.check_finite,
    )


def _source(trainer: Trainer, settings: Settings, data: Examples) -> Source:
    """The arrays where they lie, or blocks of them out of their files."""
    arrays = data.arrays()
    if data.is_mapped and settings.sparse is None:
        settings.sparse = False  # what is not 0 may be larger than memory too
    if arrays is None or (data.is_mapped and settings.sparse):
        return Files(trainer, settings, data)
    return Arrays(trainer, settings, data, *arrays)


def _callbacks(callbacks: Callback | Iterable[Callback]) -> list[Callback]:
    if callable(callbacks):
        return [callbacks]
    if not isinstance(callbacks, Iterable):
        got = type(callbacks).__name__
        raise TypeError(f"callbacks: expected a callable or several, got {got}")
    calls = list(callbacks)
    for k, callback in enumerate(calls):
        if not callable(callback):
            got = type(callback).__name__
            raise TypeError(f"callbacks[{k}]: expected a callable, got {got}")
    return calls


def _refuse_with_batches(
    validation: Any, *, weights: Mapping[str, Any], arrays: Mapping[str, Any]
) -> None:
    """Raise ValueError for what has no effect on batches of an iterable."""
    if is_number(validation):
        raise ValueError("validation: expected (x, y) where x is an iterable, got a fraction")
    for name, value in weights.items():
        if value is not None:
            got = "weights beside an iterable"
            raise ValueError(f"{name}: expected as the third part of each batch, got {got}")
    for name, value in arrays.items():
        if value is not None:
            got = f"{value!r} beside an iterable, whose batches are taken as they come"
            raise ValueError(f"{name}: expected with arrays alone, got {got}")


def _held_out(
    net: Network, validation: Any, metrics: dict[str, Metric], like: Kind | None = None
) -> tuple[Examples | None, dict[str, Metric]]:
    """The validation examples, if there are any, and the metrics for their y."""
    if validation is None:
        return None, metrics
    if not isinstance(validation, tuple | list) or len(validation) not in (2, 3):
        got = type(validation).__name__
        if isinstance(validation, tuple | list):
            got += f" of {len(validation)}"
        expected = "(x, y), (x, y, sample_weight) or a fraction"
        raise TypeError(f"validation: expected {expected}, got {got}")
    with _naming_validation():
        held_out = Examples(net, *validation)
        refuse_all_zero("sample_weight", held_out.sample_weight)
        held_out.check_targets()
        return held_out, for_targets(metrics, held_out.y, net, like)[0]


def _check_cost(held_out: Examples, settings: Settings) -> None:
    """Raise now what the first measurement would after an epoch."""
    cost = held_out.cost()
    if settings.check_finite and not np.isfinite(cost) and (fault := held_out.fault()):
        raise ValueError(fault)


@contextmanager
def _naming_validation() -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"validation: {error}") from error
