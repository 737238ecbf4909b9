"""Types of arguments in annotations. Names are literals, so that editors complete them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from bpfast._derivatives.taylor import Taylor

AnyArray: TypeAlias = NDArray[Any]
FloatArray: TypeAlias = NDArray[np.floating[Any]]
Float64Array: TypeAlias = NDArray[np.float64]
HiddenActivationName: TypeAlias = Literal[
    "identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "gelu_tanh", "silu",
    "mish", "softplus", "hard_sigmoid", "hard_swish", "sin",
]  # fmt: skip
# A string too, for a name with a parameter; editors still complete the literals.
HiddenActivation: TypeAlias = HiddenActivationName | str
ActivationName: TypeAlias = HiddenActivationName | Literal["softmax"]
Activation: TypeAlias = ActivationName | str
CostName: TypeAlias = Literal[
    "quadratic", "cross_entropy", "log_likelihood", "huber", "absolute", "poisson"
]
CustomCost: TypeAlias = Callable[
    [NDArray[np.floating[Any]], NDArray[Any]], tuple[ArrayLike, ArrayLike]
]
Cost: TypeAlias = CostName | CustomCost
TaylorCost: TypeAlias = Callable[
    ["Taylor"], tuple[ArrayLike, tuple[ArrayLike | None, ...] | list[ArrayLike | None]]
]
Initialisation: TypeAlias = Literal["nielsen", "nielsen_large", "xavier", "he", "lecun", "zeros"]
OptimizerName: TypeAlias = Literal["sgd", "adam", "adamw", "rmsprop", "adagrad"]
# Why a training ended before its last epoch; any other error is named by its type.
StopReason: TypeAlias = Literal["early stopping", "callback", "interrupted", "diverged", "halving"]
Reduction: TypeAlias = Literal["mean", "sum"]
MetricName: TypeAlias = Literal[
    "accuracy", "binary_accuracy", "mean_absolute_error", "mean_squared_error", "r2",
    "subset_accuracy",
]  # fmt: skip
Metric: TypeAlias = Callable[[NDArray[Any], NDArray[Any]], Any]
