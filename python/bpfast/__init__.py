"""Exact gradients of fully connected networks on the CPU.

The forward pass and the four equations of backpropagation, BP1 to BP4 (Nielsen, *Neural Networks
and Deep Learning*, ch. 2), over whole batches, on all cores, on NumPy arrays. `bpfast.reference`
has the same functions in plain Python; `bpfast.testing` checks gradients by differences;
`bpfast.schedules` has learning rates.
"""

from bpfast import optimizers, reference, schedules, testing
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
    num_threads,
    set_num_threads,
    trace,
)
from bpfast.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
from bpfast._show_config import show_config
from bpfast.history import History

__all__ = [
    "ACTIVATIONS",
    "COSTS",
    "INITIALISATIONS",
    "Gradient",
    "History",
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
    "num_threads",
    "reference",
    "schedules",
    "set_num_threads",
    "show_config",
    "testing",
    "trace",
]
