"""Who trains what with what: one training at a time, and one network for each optimizer."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast.optimizers import Optimizer
    from bpfast.optimizers._state import StateArrays

# What each training that is at work uses, in the order in which they began: its thread, and the
# objects. A training takes its ticket out by ``RUNNING.pop``, which Ctrl-C cannot cut in two.
RUNNING: dict[object, tuple[int, dict[str, Any]]] = {}
# The network that what an optimizer keeps belongs to.
_NETWORK_OF: WeakKeyDictionary[StateArrays, ref[Network]] = WeakKeyDictionary()


def lock(ticket: object, **objects: Any) -> None:
    """Enter a training with what it uses, by the names of its arguments.

    Raises
    ------
    ValueError
        Another training uses one of them. The ticket is to be taken out nevertheless.
    """
    RUNNING[ticket] = threading.get_ident(), objects
    for other, (_, theirs) in list(RUNNING.items()):
        if other is ticket:
            return
        for name, used in objects.items():
            if used is not None and any(used is their for their in theirs.values()):
                got = "one that a training is at work with"
                raise ValueError(f"{name}: expected one that no other training uses, got {got}")


def _drop_locks_of_other_threads() -> None:
    """In a forked child: the trainings of threads that are not there."""
    thread = threading.get_ident()
    for ticket, (their_thread, _) in list(RUNNING.items()):
        if their_thread != thread:
            del RUNNING[ticket]


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_drop_locks_of_other_threads)


def bind_state(state_arrays: StateArrays, net: Network) -> None:
    """Note that `state_arrays` is what an optimizer keeps for `net`."""
    _NETWORK_OF[state_arrays] = ref(net)


def refuse_another_network(optimizer: Optimizer, net: Network) -> None:
    """Raise ValueError where the steps so far were another network's, or other parameters'."""
    state_arrays = optimizer._state_arrays
    owner = None if state_arrays is None else _NETWORK_OF.get(state_arrays)
    if owner is not None and owner() is not net:
        got = f"one that has done {optimizer.steps} of another; reset() makes it new"
        raise ValueError(f"optimizer: expected one with steps of this network alone, got {got}")
    try:
        optimizer._state_for([net.params])
    except ValueError as error:
        raise ValueError(f"optimizer: {error}") from None
