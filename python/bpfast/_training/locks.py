"""Locks: one training per network at a time, and one network per stateful optimizer."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from bpfast.schedules._config import from_config
from bpfast.schedules._decay import Constant
from bpfast.schedules._schedule import Schedule

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast.optimizers import Optimizer
    from bpfast.optimizers._state import StateArrays

# For each running training, oldest first: its thread and the objects that it uses. A training
# removes its ticket with ``RUNNING.pop``, which Ctrl-C cannot interrupt.
RUNNING: dict[object, tuple[int, dict[str, Any]]] = {}
# The network of an optimizer's state, and of its steps.
_NETWORK_OF: WeakKeyDictionary[StateArrays, ref[Network]] = WeakKeyDictionary()
_NETWORK_OF_STEPS: WeakKeyDictionary[Optimizer, ref[Network]] = WeakKeyDictionary()


def lock(ticket: object, **objects: Any) -> None:
    """Register a training with the objects that it uses, by the names of their arguments.

    Raises
    ------
    ValueError
        Another training uses one of them. The ticket must be removed nevertheless.
    """
    RUNNING[ticket] = threading.get_ident(), objects
    # Without `items`, whose iterator ends CPython with SIGSEGV where memory runs out
    # (github.com/python/cpython/issues/152107).
    for _, theirs in list(RUNNING.values()):
        if theirs is objects:
            return
        for name in objects:  # noqa: PLC0206 - likewise
            used = objects[name]
            if used is not None and any(used is their for their in theirs.values()):
                got = "one in use"
                raise ValueError(f"{name}: expected one that no other training uses, got {got}")


def _drop_locks_of_other_threads() -> None:
    """In a forked child: remove the trainings of threads that do not exist there."""
    thread = threading.get_ident()
    for ticket, (their_thread, _) in list(RUNNING.items()):
        if their_thread != thread:
            del RUNNING[ticket]


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_drop_locks_of_other_threads)


def bind(optimizer: Optimizer, state_arrays: StateArrays | None, net: Network) -> None:
    """Record that the steps of an optimizer, and its state, are those of `net`."""
    _NETWORK_OF_STEPS[optimizer] = ref(net)
    if state_arrays is not None:
        _NETWORK_OF[state_arrays] = ref(net)


def refuse_another_network(optimizer: Optimizer, net: Network) -> None:
    """Raise ValueError if the optimizer has state of another network or of other parameters.

    With a schedule its state are its steps as well. A schedule with a state of its own, such as a
    Plateau, must be new for a new optimizer.
    """
    state_arrays, schedule = optimizer._state_arrays, optimizer.learning_rate
    owner = None if state_arrays is None else _NETWORK_OF.get(state_arrays)
    is_scheduled = isinstance(schedule, Schedule) and not isinstance(schedule, Constant)
    if owner is None and is_scheduled and optimizer.steps:
        owner = _NETWORK_OF_STEPS.get(optimizer)
    if owner is not None and owner() is not net:
        got = f"one that has done {optimizer.steps} of another; reset() makes it new"
        raise ValueError(f"optimizer: expected one with steps of this network alone, got {got}")
    if isinstance(schedule, Schedule) and not optimizer.steps and _has_reports(schedule):
        got = f"one that another training has changed: {schedule!r}"
        raise ValueError(f"learning_rate: expected a new schedule for a new optimizer, got {got}")
    try:
        optimizer._state_for([net.params])
    except ValueError as error:
        raise ValueError(f"optimizer: {error}") from None


def _has_reports(schedule: Schedule) -> bool:
    """Whether its state is not that of a new one."""
    return bool(schedule.state) and schedule.state != from_config(schedule.config).state
