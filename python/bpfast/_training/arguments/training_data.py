"""Checks of arguments of `Network.fit`, and the objects made from them."""

from __future__ import annotations

from contextlib import nullcontext
from inspect import iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast import _core
from bpfast._training.arguments.unusual_targets import warn_of_targets
from bpfast._training.arguments.weights import check_classes, refuse_all_zero, refuse_negative
from bpfast._training.data.examples import Examples
from bpfast._training.data.sources import (
    Arrays,
    Batches,
    Files,
    Source,
    as_batches,
    refuse_y_with_batches,
)
from bpfast._training.metrics.accuracy import Kind, for_targets
from bpfast._training.stopping.early_stopping import EarlyStopping
from bpfast._validation.iterables import OR_FRACTION, is_iterable, x_y_weight
from bpfast._validation.naming import naming
from bpfast._validation.numbers import is_number, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bpfast._core import Trainer
    from bpfast._network import Network
    from bpfast._training.arguments.settings import Settings
    from bpfast._training.loop import Callback
    from bpfast._typing import Metric
    from bpfast.optimizers import Optimizer

# A batch size that makes each batch of an iterable one step.
WHOLE_BATCH = 2**32


def new_trainer(net: Network, settings: Settings, optimizer: Optimizer, batch_size: int) -> Trainer:
    """A trainer without examples."""
    return _core.Trainer(net, optimizer._rule(), batch_size, settings)


def new_source(trainer: Trainer, settings: Settings, data: Examples) -> Source:
    """Arrays in memory, or blocks read from files."""
    arrays = data.arrays()
    if data.is_mapped and settings.sparse is None:
        settings.sparse = False  # the nonzero elements may be larger than memory too
    if arrays is None or (data.is_mapped and settings.sparse):
        return Files(trainer, settings, data)
    return Arrays(trainer, settings, data, *arrays)


class TrainingParts(NamedTuple):
    """The parts of a training."""

    trainer: Trainer
    source: Source
    training: Examples | None  # None for batches of an iterable
    validation: Examples | None
    metrics: dict[str, Metric]
    share: float | None = None  # the fraction held out, if given


class Request(NamedTuple):
    """The arguments of a training beside its examples, which are checked against them."""

    net: Network
    settings: Settings
    optimizer: Optimizer
    validation: Any  # as the user passed it
    metrics: dict[str, Metric]


def parts_of_batches(request: Request, x: Any) -> TrainingParts:
    """The parts of a training on batches of an iterable."""
    net, settings, optimizer, validation, metrics = request
    held_out, metrics = parse_validation(net, validation, metrics)
    if metrics and held_out is None:
        expected = "validation=(x, y) with batches, which are not measured themselves"
        raise ValueError(f"metrics: expected {expected}, got none")
    trainer = new_trainer(net, settings, optimizer, WHOLE_BATCH)
    source = Batches(trainer, net.dtype, as_batches(x))
    if held_out is not None:
        with naming("validation"):
            check_cost(held_out, settings)
    return TrainingParts(trainer, source, None, held_out, metrics)


def parts_of_arrays(
    request: Request,
    x: Any,
    y: Any,
    *,
    class_weight: Mapping[int, float] | str | None,
    sample_weight: Any,
) -> TrainingParts:
    """The parts of a training on arrays."""
    net, settings, optimizer, validation, metrics = request
    refuse_y_with_batches(x)
    data = Examples(net, x, y, sample_weight, signed=True)
    data.refuse_params(net)
    refuse_all_zero("sample_weight", data.sample_weight)
    # All examples, before some are held out, so that errors have the user's row numbers.
    measures, kind = for_targets(metrics, data.y, net)
    if class_weight is not None:
        check_classes(class_weight, data.y, net.sizes[-1])
    share = None
    held_out: Examples | None
    if is_number(validation):
        share = number("validation", validation)
        data, held_out = data.split(share, settings.seed)
        refuse_negative(held_out.sample_weight, held_out.names)
    else:
        held_out, _ = parse_validation(net, validation, metrics, kind)
    data.weigh(class_weight)
    trainer = new_trainer(net, settings, optimizer, settings.batch_size)
    source = new_source(trainer, settings, data)
    if not data.is_mapped:
        warn_of_targets(net, data.y, data.sample_weight)
    if held_out is not None:
        with nullcontext() if share is not None else naming("validation"):
            check_cost(held_out, settings)
    return TrainingParts(trainer, source, data, held_out, measures, share)


def parse_callbacks(callbacks: Callback | Iterable[Callback]) -> list[Callback]:
    """The callbacks as a list."""
    if callable(callbacks):
        callbacks = [callbacks]
    if not is_iterable(callbacks):
        got = type(callbacks).__name__
        hint = _hint(callbacks)
        raise TypeError(f"callbacks: expected a callable or several, got {got}{hint}")
    calls = list(callbacks)
    for k, callback in enumerate(calls):
        if not callable(callback):
            got = type(callback).__name__
            raise TypeError(f"callbacks[{k}]: expected a callable, got {got}{_hint(callback)}")
        if isgeneratorfunction(callback) or iscoroutinefunction(callback):
            got = "one with yield, async or await, whose body would not run"
            raise TypeError(f"callbacks[{k}]: expected a function, got {got}")
    return calls


def _hint(callback: Any) -> str:
    return "; pass it as early_stopping=" if isinstance(callback, EarlyStopping) else ""


def refuse_with_batches(
    validation: Any, *, weights: Mapping[str, Any], arrays: Mapping[str, Any]
) -> None:
    """Raise ValueError for arguments that have no effect on batches of an iterable."""
    if is_number(validation):
        raise ValueError("validation: expected (x, y) where x is an iterable, got a fraction")
    for name, value in weights.items():
        if value is not None:
            got = "weights with an iterable"
            raise ValueError(f"{name}: expected as the third part of each batch, got {got}")
    for name, value in arrays.items():
        if value is not None:
            got = f"{value!r} with an iterable, whose batches are used as they are"
            raise ValueError(f"{name}: expected only with arrays, got {got}")


def parse_validation(
    net: Network, validation: Any, metrics: dict[str, Metric], like: Kind | None = None
) -> tuple[Examples | None, dict[str, Metric]]:
    """The validation examples, or None, and the metrics for their y."""
    if validation is None:
        return None, metrics
    with naming("validation"):
        held_out = Examples(net, *x_y_weight(validation, OR_FRACTION))
        held_out.refuse_params(net)
        refuse_all_zero("sample_weight", held_out.sample_weight)
        held_out.check_targets()
        return held_out, for_targets(metrics, held_out.y, net, like)[0]


def check_cost(held_out: Examples, settings: Settings) -> None:
    """Compute the validation cost once, so that its errors are raised before the first epoch."""
    cost = held_out.cost()
    if settings.check_finite and not np.isfinite(cost) and (fault := held_out.fault()):
        raise ValueError(fault)
