"""Who trains what with what: one training at a time, and one network for each optimizer."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast.optimizers import Optimizer
    from bpfast.optimizers._kept import Kept

# What each training that is at work uses, in the order in which they began: process, thread, and
# the objects. A training takes its ticket out by ``RUNNING.pop``, which Ctrl-C cannot cut in two.
RUNNING: dict[object, tuple[int, int, dict[str, Any]]] = {}
# The network that what an optimizer keeps belongs to.
_SERVED: WeakKeyDictionary[Kept, ref[Network]] = WeakKeyDictionary()


def claim(ticket: object, **things: Any) -> None:
    """Enter a training with what it uses, by the names of its arguments.

    Raises
    ------
    ValueError
        Another training uses one of them. The ticket is to be taken out nevertheless.
    """
    process, thread = os.getpid(), threading.get_ident()
    RUNNING[ticket] = process, thread, things
    for other, (their_process, their_thread, theirs) in list(RUNNING.items()):
        if other is ticket:
            return
        if their_process != process and their_thread != thread:
            continue  # a fork left it behind: its thread is not here
        for name, thing in things.items():
            if thing is not None and any(thing is their for their in theirs.values()):
                got = "one that a training is at work with"
                raise ValueError(f"{name}: expected one that no other training uses, got {got}")


def serve(kept: Kept, net: Network) -> None:
    """Note that `kept` is what an optimizer keeps for `net`."""
    _SERVED[kept] = ref(net)


def refuse_another_network(optimizer: Optimizer, net: Network) -> None:
    """Raise ValueError where the steps so far were another network's, or other parameters'."""
    kept = optimizer._kept
    served = None if kept is None else _SERVED.get(kept)
    if served is not None and served() is not net:
        got = f"one that has done {optimizer.steps} of another; reset() makes it new"
        raise ValueError(f"optimizer: expected one with steps of this network alone, got {got}")
    try:
        optimizer._fit([net.params])
    except ValueError as error:
        raise ValueError(f"optimizer: {error}") from None
