# The compiled part of bpfast; its docstrings say what each name does.

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import Any, Literal, Protocol, Self, TypeAlias, TypeVar, final, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from typing_extensions import disjoint_base

from bpfast.history._history import History
from bpfast.optimizers import Optimizer

_Array: TypeAlias = NDArray[np.floating[Any]]
_CustomCost: TypeAlias = Callable[[_Array, NDArray[Any]], tuple[ArrayLike, ArrayLike]]
_Cost: TypeAlias = str | _CustomCost
_Path: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes]
_Reduction: TypeAlias = Literal["mean", "sum"]
_Seed: TypeAlias = (
    int
    | Sequence[int]
    | np.random.SeedSequence
    | np.random.BitGenerator
    | np.random.Generator
    | None
)

# A matrix or array of scipy.sparse, which is not imported for its name.
class _Sparse(Protocol):
    @property
    def format(self) -> str: ...
    @property
    def nnz(self) -> Any: ...
    def tocsr(self, copy: bool = ...) -> Any: ...

_Inputs: TypeAlias = ArrayLike | _Sparse
_Net = TypeVar("_Net", bound=Network)

__all__ = [
    "ACTIVATIONS",
    "COSTS",
    "INITIALISATIONS",
    "Gradient",
    "Network",
    "Trace",
    "Trainer",
    "Views",
    "__version__",
    "_restore",
    "as_batch",
    "assign_params",
    "bp1",
    "bp1_outputs",
    "bp2",
    "bp3",
    "bp4",
    "build_config",
    "check_targets",
    "copy_params",
    "get_num_threads",
    "has_params",
    "has_repeats",
    "is_plain_numbers",
    "load",
    "memory_order",
    "num_threads",
    "permutation",
    "read_tensors",
    "set_num_threads",
    "set_training",
    "step_arrays",
    "write_tensors",
]

ACTIVATIONS: tuple[str, ...]
COSTS: tuple[str, ...]
INITIALISATIONS: tuple[str, ...]
__version__: str

@disjoint_base
class Network:
    def __new__(cls, *args: Any, **kwargs: Any) -> Self: ...  # a subclass may have its own
    def __init__(
        self,
        sizes: Sequence[int],
        *,
        hidden: str | Sequence[str] = "sigmoid",
        output: str = "sigmoid",
        cost: _Cost = "quadratic",
        dtype: DTypeLike | None = None,
        init: str = "nielsen",
        seed: _Seed = None,
    ) -> None: ...
    @classmethod
    def from_parameters(
        cls,
        weights: Sequence[ArrayLike] | Views,
        biases: Sequence[ArrayLike] | Views,
        *,
        hidden: str | Sequence[str] = "sigmoid",
        output: str = "sigmoid",
        cost: _Cost = "quadratic",
        dtype: DTypeLike | None = None,
    ) -> Self: ...
    @property
    def params(self) -> _Array: ...
    @params.setter
    def params(self, value: ArrayLike) -> None: ...
    @property
    def weights(self) -> Views: ...
    @weights.setter
    def weights(self, value: Sequence[ArrayLike] | Views) -> None: ...
    @property
    def biases(self) -> Views: ...
    @biases.setter
    def biases(self, value: Sequence[ArrayLike] | Views) -> None: ...
    @property
    def sizes(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def config(self) -> dict[str, Any]: ...
    def forward(self, x: _Inputs, *, out: _Array | None = None) -> _Array: ...
    def __call__(self, x: _Inputs, *, out: _Array | None = None) -> _Array: ...
    def trace(self, x: _Inputs) -> Trace: ...
    def _cost(
        self,
        x: _Inputs,
        y: Any,
        sample_weight: ArrayLike | None,
        reduction: _Reduction,
    ) -> float: ...
    def _errors(
        self,
        x: _Inputs,
        y: Any,
        sample_weight: ArrayLike | None,
        reduction: _Reduction,
    ) -> list[_Array]: ...
    def _backprop(
        self,
        x: _Inputs,
        y: Any,
        sample_weight: ArrayLike | None,
        reduction: _Reduction,
        out: Gradient | None,
    ) -> Gradient: ...
    def _prepare(
        self,
        x: _Inputs,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        reduction: _Reduction,
        out: Gradient | None,
    ) -> tuple[Any, NDArray[np.float64] | None]: ...
    @property
    def _custom_cost(self) -> _CustomCost | None: ...
    @property
    def history(self) -> History | None: ...
    @property
    def optimizer(self) -> Optimizer | None: ...
    def astype(self, dtype: DTypeLike) -> Self: ...
    def copy(self) -> Self: ...
    def save(self, path: _Path) -> None: ...
    def __setstate__(self, state: tuple[_Array, Any]) -> None: ...
    def same_config(self, other: Network) -> bool: ...

@final
class Gradient:
    def __new__(cls, net: Network) -> Gradient: ...
    def copy(self) -> Gradient: ...
    def __setstate__(self, state: tuple[_Array, float]) -> None: ...
    @property
    def cost(self) -> float: ...
    @property
    def flat(self) -> _Array: ...
    @property
    def weights(self) -> Views: ...
    @property
    def biases(self) -> Views: ...

@final
class Views:
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int, /) -> _Array: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[_Array]: ...
    def __setitem__(self, index: int, value: ArrayLike, /) -> None: ...
    def __iter__(self) -> Iterator[_Array]: ...

@final
class Trace:
    def __new__(cls, z: list[_Array], a: list[_Array]) -> Trace: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> list[_Array]: ...
    @property
    def z(self) -> list[_Array]: ...
    @property
    def a(self) -> list[_Array]: ...
    def __iter__(self) -> Iterator[list[_Array]]: ...

@final
class Trainer:
    def __new__(
        cls,
        net: Network,
        given: tuple[str, list[float]],
        batch_size: int,
        l1: float,
        l2: float,
        clip_norm: float | None,
        max_norm: float | None,
        dropout: list[float],
        seed: int,
        check_finite: bool,
    ) -> Self: ...
    def load(
        self, x: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, sparse: float = 0.0
    ) -> None: ...
    def reset_cost(self) -> None: ...
    def begin(self, epoch: int, seed: int | None = None) -> None: ...
    def outputs(self, optimizer: Optimizer) -> _Array: ...
    def run(
        self, rates: NDArray[np.float64], optimizer: Optimizer, kept: Any, returned: Any = None
    ) -> bool: ...
    @property
    def y(self) -> Any: ...
    def next_rows(self) -> NDArray[np.uint32]: ...
    @property
    def report(self) -> tuple[int, int, float]: ...
    def __len__(self) -> int: ...

@final
class num_threads:  # noqa: N801, a context manager is named as the function it looks like
    def __new__(cls, k: int) -> num_threads: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        *exception: object,
    ) -> None: ...

def assign_params(net: Network, values: NDArray[np.floating[Any]]) -> None: ...
def check_targets(net: Network, y: ArrayLike, first: int) -> None: ...
def has_params(net: Network, values: NDArray[np.floating[Any]]) -> bool: ...
def memory_order(array: NDArray[Any]) -> Literal["C", "F"]: ...
def copy_params(net: Network) -> NDArray[np.floating[Any]]: ...
def has_repeats(rows: Any) -> bool: ...
def is_plain_numbers(value: object) -> bool: ...
def permutation(seed: int, epoch: int, n: int) -> NDArray[np.uint32]: ...
def set_training(net: Network, history: History | None, optimizer: Optimizer) -> None: ...
def step_arrays(
    optimizer: Optimizer,
    rate: float,
    single: bool,
    params: list[Any],
    gradient: list[Any],
    kept: Any,
) -> None: ...
def _restore(class_: type[_Net], config: dict[str, Any]) -> _Net: ...
def load(class_: type[_Net], path: _Path, cost: _Cost | None) -> _Net: ...
def write_tensors(
    path: _Path, tensors: dict[str, NDArray[Any]], metadata: dict[str, str]
) -> None: ...
def read_tensors(path: _Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]: ...
def set_num_threads(k: int | None) -> None: ...
def get_num_threads() -> int: ...
def build_config() -> dict[str, str | int]: ...
def as_batch(y: ArrayLike, n: int) -> NDArray[Any]: ...
def bp1(
    z: ArrayLike,
    y: Any,
    output: str,
    cost: _Cost,
    sample_weight: ArrayLike | None,
    reduction: _Reduction,
    out: _Array | None,
) -> _Array: ...
def bp1_outputs(
    z: ArrayLike,
    y: ArrayLike,
    output: str,
    cost: _Cost,
    sample_weight: ArrayLike | None,
    reduction: _Reduction,
    out: _Array | None,
) -> tuple[_Array, NDArray[np.float64] | None, _Array]: ...
def bp2(
    delta: ArrayLike,
    weights: ArrayLike,
    z: ArrayLike,
    *,
    activation: str = "sigmoid",
    out: _Array | None = None,
) -> _Array: ...
def bp3(delta: ArrayLike, *, out: _Array | None = None) -> _Array: ...
def bp4(delta: ArrayLike, a: ArrayLike, *, out: _Array | None = None) -> _Array: ...
