"""Exact gradients of fully connected networks on the CPU.

The forward pass and the four equations of backpropagation, BP1 to BP4 (Nielsen, *Neural Networks
and Deep Learning*, ch. 2), over whole batches, on all cores, on NumPy arrays.

- `bpfast.distributed` trains on Dask workers and MPI ranks.
- `bpfast.inside` explains why a network learns slowly.
- `bpfast.formats` reads and writes models of scikit-learn, PyTorch, Keras and ONNX.
- `bpfast.torch` and `bpfast.jax` put a network into a larger model of these libraries.
- `bpfast.optimizers` has optimizers, `bpfast.schedules` learning-rate schedules.
- `bpfast.metrics` has accuracies and errors.
- `bpfast.plot` draws networks, trainings and reports, with matplotlib.
- `bpfast.sklearn` has estimators for scikit-learn.
- `bpfast.reference` has the same functions in plain Python.
- `bpfast.testing` checks gradients with finite differences.
"""

import typing as _t

from bpfast import metrics, optimizers, reference, schedules, testing
from bpfast._calls.equations import bp1
from bpfast._calls.functions.backprop import backprop, errors
from bpfast._calls.functions.cost import cost
from bpfast._calls.functions.forward import forward, trace
from bpfast._core import (
    ACTIVATIONS,
    COSTS,
    INITIALISATIONS,
    Gradient,
    Trace,
    Views,
    __version__,
    bp2,
    bp3,
    bp4,
    get_num_threads,
    num_threads,
    set_num_threads,
)
from bpfast._derivatives.curvature.operator import Curvature
from bpfast._derivatives.per_example import PerExampleGradients
from bpfast._derivatives.statistics import GradientStatistics
from bpfast._derivatives.taylor import Taylor
from bpfast._layer import Layer
from bpfast._many.calls import backprop_many, forward_many
from bpfast._many.cross_validate import CrossValidation, cross_validate
from bpfast._many.ensemble.ensemble import Ensemble
from bpfast._many.ensemble.prediction import Prediction
from bpfast._many.fit_many import fit_many
from bpfast._minimizers.least_squares import LeastSquaresResult, least_squares
from bpfast._minimizers.scipy import scipy_minimize
from bpfast._network import Network, load
from bpfast._show_config import show_config
from bpfast._training.metrics.named import METRICS
from bpfast._training.stopping.divergence import DivergenceError
from bpfast._training.stopping.early_stopping import EarlyStopping
from bpfast.history._history import History
from bpfast.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop

if _t.TYPE_CHECKING:
    from bpfast import distributed, inside
    from bpfast import formats as formats
    from bpfast import jax as jax
    from bpfast import plot as plot
    from bpfast import sklearn as sklearn
    from bpfast import torch as torch

__all__ = [
    "ACTIVATIONS",
    "COSTS",
    "INITIALISATIONS",
    "METRICS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "CrossValidation",
    "Curvature",
    "DivergenceError",
    "EarlyStopping",
    "Ensemble",
    "Gradient",
    "GradientStatistics",
    "History",
    "Layer",
    "LeastSquaresResult",
    "Network",
    "PerExampleGradients",
    "Prediction",
    "RMSprop",
    "Taylor",
    "Trace",
    "Views",
    "__version__",
    "backprop",
    "backprop_many",
    "bp1",
    "bp2",
    "bp3",
    "bp4",
    "cost",
    "cross_validate",
    "distributed",
    "errors",
    "fit_many",
    "forward",
    "forward_many",
    "get_num_threads",
    "inside",
    "least_squares",
    "load",
    "metrics",
    "num_threads",
    "optimizers",
    "reference",
    "schedules",
    "scipy_minimize",
    "set_num_threads",
    "show_config",
    "testing",
    "trace",
]

_LAZY = ("distributed", "formats", "inside", "jax", "plot", "sklearn", "torch")


def __getattr__(name: str) -> object:
    """Import a module on its first use, so that other programs start as fast as without it."""
    from importlib import import_module

    if name in _LAZY:
        return import_module(f"bpfast.{name}")
    raise AttributeError(f"module 'bpfast' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names of the module, also of those that are imported on their first use."""
    return sorted({*globals(), *_LAZY})
