"""The trainings of `fit_many`, made from their arguments."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast._many.training.job import JobRunner
from bpfast._many.training.member import Member
from bpfast._many.training.shared import Group, SharedData
from bpfast._training.arguments.training_data import (
    Request,
    check_cost,
    new_trainer,
    parts_of_arrays,
)
from bpfast._training.arguments.unusual_targets import warn_of_targets
from bpfast._training.arguments.weights import (
    check_classes,
    parse_sample_weight,
    refuse_all_zero,
    refuse_negative,
)
from bpfast._training.data.examples import Examples
from bpfast._training.data.held_out import split_rows
from bpfast._training.loop import EndOfEpoch, Training
from bpfast._training.metrics.accuracy import Kind, for_targets
from bpfast._training.steps.runner import TrainerRunner
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.inputs import checked_x, rows_of
from bpfast._validation.arrays.overlap import ParamsOfMany
from bpfast._validation.iterables import OR_FRACTION, x_y_weight
from bpfast._validation.naming import naming
from bpfast._validation.numbers import is_number, number
from bpfast.history._history import History

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from bpfast._core import Trainer
    from bpfast._many.training.options import Options
    from bpfast._training.steps.runner import StepRunner


class Split(NamedTuple):
    """The rows of x that a network trains with, None for all, and those it is evaluated on."""

    rows: NDArray[np.uint32] | None
    held: NDArray[np.uint32] | None


def new_members(x: Any, y: Any, options: Sequence[Options]) -> list[Member]:
    """The training of each network on the same data.

    Raises
    ------
    ValueError, TypeError
        The data do not fit a network; the message names it.
    """
    data, validations = SharedData(x, y), dict[int, SharedData]()
    members = []
    for one in options:
        with naming(f"nets[{one.place}]"):
            data.check_same_shapes()  # the cost of the network before may have resized them
            examples = data.examples(one.net)
            examples.refuse_params(one.net)
            split = _split(one, len(examples))
            group = data.group(one.net, one.settings, one.optimizer, split.rows)
            if group.trainer is None or one.records_steps:
                member = _own_member(data, one, split)
            else:
                member = _shared_member(data, group, validations, one, split)
            member.validation_key = _validation_key(one, split)
            members.append(member)
    _refuse_params_of_others(members, options)
    return members


def _refuse_params_of_others(members: Sequence[Member], options: Sequence[Options]) -> None:
    """Raise ValueError if examples for the validation of a network are a view of another one."""
    nets = ParamsOfMany({f"nets[{one.place}]": one.net for one in options})
    checked = set()  # one validation may be that of a thousand networks
    for member, one in zip(members, options, strict=True):
        held_out = member.training.validation
        if not isinstance(one.validation, tuple) or id(one.validation) in checked:
            continue
        checked.add(id(one.validation))
        if isinstance(held_out, Examples):
            with naming(f"nets[{one.place}]"), naming("validation"):
                held_out.refuse_params_of(nets)


def _shared_member(
    data: SharedData,
    group: Group,
    validations: dict[int, SharedData],
    options: Options,
    split: Split,
) -> Member:
    """A training on the converted x and y of a group of networks."""
    net, settings, optimizer = options.net, options.settings, options.optimizer
    n = len(group.examples)
    weight = parse_sample_weight(options.sample_weight, n, signed=True)
    refuse_all_zero("sample_weight", weight)
    examples = group.examples.of_network(net, split.rows, weight)
    all_y = group.examples.of_network(net, options.rows, None).y
    measures, kind = for_targets(options.metrics, all_y, net)
    if options.class_weight is not None:
        check_classes(options.class_weight, examples.y, net.sizes[-1], examples.names)
    held_out: Examples | None = None
    validation: Trainer | None = None
    if split.held is not None:
        held_out = group.examples.of_network(net, split.held, weight)
        refuse_negative(held_out.sample_weight, held_out.names)
        refuse_all_zero("sample_weight", held_out.sample_weight)
        for_targets(options.metrics, held_out.y, net, kind)
    elif options.validation is not None:
        held_out, validation = _given_validation(validations, options, kind)
    examples.weigh(options.class_weight)
    trainer = new_trainer(net, settings, optimizer, settings.batch_size)
    loaded: Any = group.trainer  # there is one where this is called
    trainer.share(loaded, _of_all_rows(examples.sample_weight, split.rows, n))
    if data.is_new(group, net):
        warn_of_targets(net, examples.y, examples.sample_weight)
    if held_out is not None:
        with nullcontext() if split.held is not None else naming("validation"):
            check_cost(held_out, settings)
    # `net.fit` evaluates rows of a dense x as such. Infinite weights tell them from rows of a CSR
    # copy, as 0 · inf is NaN.
    in_rust = split.held is not None and (settings.check_finite or not group.in_csr)
    return Member(
        place=options.place,
        training=_training(options, JobRunner(examples), EndOfEpoch(measures, examples, held_out)),
        epochs=options.epochs,
        examples=len(examples),
        trainer=trainer,
        rows=split.rows,
        validation=validation,
        validation_rows=split.held if in_rust else None,
        validation_weight=weight if in_rust else None,
    )


def _given_validation(
    validations: dict[int, SharedData], options: Options, kind: Kind | None
) -> tuple[Examples, Trainer | None]:
    """Validation examples of their own, converted once for all networks that have the same."""
    net, given = options.net, options.validation
    with naming("validation"):
        shared = validations.setdefault(id(given), SharedData(*_x_y_weight(given), dense=True))
        group = shared.group(net, options.settings, options.optimizer)
        examples = group.examples
        examples.refuse_params(net)
        held_out = examples.of_network(net, None, examples.sample_weight)
        for_targets(options.metrics, held_out.y, net, kind)
    return held_out, group.trainer


def _own_member(data: SharedData, options: Options, split: Split) -> Member:
    """A training of its own, with copies of its rows, as for a callable cost."""
    net, x, y = options.net, data.x, data.y
    weight, validation = options.sample_weight, options.validation
    _check_weights(weight, split, len(data.examples(net)))
    rows = options.rows
    if options.validation_rows is not None:
        rows = split.rows
        validation = _rows_of(x, y, weight, split.held)
    if rows is not None:
        x, y, *weights = _rows_of(x, y, weight, rows)
        weight = weights[0] if weights else None
    request = Request(net, options.settings, options.optimizer, validation, options.metrics)
    parts = parts_of_arrays(request, x, y, class_weight=options.class_weight, sample_weight=weight)
    runner = TrainerRunner(net, parts.trainer, parts.source, options.optimizer, options.callbacks)
    return Member(
        place=options.place,
        training=_training(
            options, runner, EndOfEpoch(parts.metrics, parts.training, parts.validation)
        ),
        epochs=options.epochs,
        examples=parts.source.examples or 0,
    )


def _check_weights(sample_weight: Any, split: Split, n: int) -> None:
    """Raise the errors of the weights of `n` examples, where rows still have the user's numbers."""
    weight = parse_sample_weight(sample_weight, n, signed=True)
    refuse_all_zero("sample_weight", weight)
    if weight is None:
        return
    if split.held is not None:
        refuse_negative(rows_of(weight, split.held), split.held)
    if split.rows is not None and (of_rows := rows_of(weight, split.rows)).any():
        refuse_all_zero("sample_weight", of_rows, split.rows)


def _training(options: Options, runner: StepRunner, measured: EndOfEpoch) -> Training:
    """The training, which ends as `options` say."""
    return Training(
        options.net,
        runner,
        options.settings,
        options.optimizer,
        History(seed=options.settings.seed),
        measured._replace(early_stopping=options.early_stopping, callbacks=options.callbacks),
    )


def _rows_of(x: Any, y: Any, weight: Any, rows: Any) -> tuple[Any, ...]:
    """Copies of some rows of x, y and the weights, if there are any."""
    parts = rows_of(checked_x(x), rows), rows_of(as_array("y", y), rows)
    return parts if weight is None else (*parts, rows_of(as_array("sample_weight", weight), rows))


def _split(options: Options, n: int) -> Split:
    rows, held = options.rows, options.validation_rows
    if held is not None:
        if rows is None:
            is_free = np.ones(n, bool)
            is_free[held.astype(np.intp)] = False
            rows = np.flatnonzero(is_free).astype(np.uint32)
            if not rows.size:
                expected = "rows that leave others to train with"
                raise ValueError(f"validation_rows: expected {expected}, got all {n}")
        return Split(rows, held)
    if not is_number(options.validation):
        return Split(rows, None)
    share = number("validation", options.validation)
    given = np.arange(n, dtype=np.uint32) if rows is None else rows
    kept, held_out = split_rows(share, len(given), options.settings.seed)
    return Split(rows_of(given, kept), rows_of(given, held_out))


def _validation_key(options: Options, split: Split) -> Hashable:
    """What determines the validation examples and their weights; None without validation."""
    if split.held is not None:
        held = np.sort(split.held)
        weight = options.sample_weight
        of_held = (
            b"" if weight is None else rows_of(as_array("sample_weight", weight), held).tobytes()
        )
        return hash(held.tobytes()), hash(of_held)
    return None if options.validation is None else tuple(map(id, options.validation))


def _x_y_weight(validation: Any) -> tuple[Any, Any, Any]:
    """The parts of a tuple; a list has a value for each network, and no pair as an entry."""
    if not isinstance(validation, tuple):
        raise TypeError(f"expected {OR_FRACTION}, got {type(validation).__name__}")
    return x_y_weight(validation, OR_FRACTION)


def _of_all_rows(
    weight: NDArray[np.float64] | None, rows: NDArray[Any] | None, n: int
) -> NDArray[np.float64] | None:
    """The weights of all `n` examples, of which `weight` has those of some rows."""
    if weight is None or rows is None:
        return weight
    of_all = np.zeros(n)
    of_all[rows.astype(np.intp)] = weight
    return of_all
