"""Exact gradients of fully connected networks on the CPU.

The forward pass and the four equations of backpropagation, BP1 to BP4 (Nielsen, *Neural Networks
and Deep Learning*, ch. 2), over whole batches, on all cores, on NumPy arrays. `bpfast.reference`
has the same functions in plain Python; `bpfast.testing` checks gradients by differences.
"""

from bpfast import reference, testing
from bpfast._core import (
    ACTIVATIONS,
    COSTS,
    INITIALISATIONS,
    Gradient,
    Network,
    Trace,
    Views,
    __version__,
    backprop,
    bp1,
    bp2,
    bp3,
    bp4,
    cost,
    errors,
    forward,
    get_num_threads,
    load,
    num_threads,
    set_num_threads,
    trace,
)
from bpfast._show_config import show_config

__all__ = [
    "ACTIVATIONS",
    "COSTS",
    "INITIALISATIONS",
    "Gradient",
    "Network",
    "Trace",
    "Views",
    "__version__",
    "backprop",
    "bp1",
    "bp2",
    "bp3",
    "bp4",
    "cost",
    "errors",
    "forward",
    "get_num_threads",
    "load",
    "num_threads",
    "reference",
    "set_num_threads",
    "show_config",
    "testing",
    "trace",
]
