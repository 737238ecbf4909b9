"""The cases, the numbers that every peer gets for them, and the work that they ask for."""

from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bpfast._typing import HiddenActivation

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Case:
    """A network and a batch; the output is the identity and the cost quadratic.

    That output and cost are the one pair that every peer has: scikit-learn's regressor knows no
    other.
    """

    name: str
    sizes: tuple[int, ...]
    batch: int
    dtype: str
    activation: HiddenActivation  # of the hidden layers
    stored: int = 0  # elements that a row of x stores, in CSR; 0: x is dense
    calls: tuple[str, ...] = ("gradient", "forward")  # those that are timed

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        lists = {name: tuple(values[name]) for name in ("sizes", "calls")}
        return cls(**{**values, **lists})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def with_batch(self, batch: int) -> "Case":
        return replace(self, batch=batch)

    @property
    def sparse(self) -> bool:
        """Whether x is a CSR matrix."""
        return self.stored > 0

    @property
    def weights(self) -> int:
        """How many weights there are: Σ n_(l-1) n_l."""
        return sum(a * b for a, b in pairwise(self.sizes))

    def flops(self, call: str) -> int:
        """The floating-point operations that the equations ask for, without the activations.

        Forward: 2 n Σ n_(l-1) n_l. Gradient: three such products a layer, but nobody asks for
        the errors of the input, so 2 n (3 Σ n_(l-1) n_l - n_1 n_2). A row of a sparse x has its
        stored elements in place of n_1.
        """
        first = (self.stored or self.sizes[0]) * self.sizes[1]
        products = first + sum(a * b for a, b in pairwise(self.sizes[1:]))
        if call == "forward":
            return 2 * self.batch * products
        return 2 * self.batch * (3 * products - first)


CASES = (
    Case("nielsen30", (784, 30, 10), 10, "float32", "sigmoid"),
    Case("nielsen100", (784, 100, 10), 32, "float32", "sigmoid"),
    Case("rl64-1", (8, 64, 64, 4), 1, "float32", "tanh"),
    Case("rl64-64", (8, 64, 64, 4), 64, "float32", "tanh"),
    Case("tab256", (64, 256, 256, 1), 128, "float32", "relu"),
    Case("mlp512", (784, 512, 512, 10), 128, "float32", "relu"),
    Case("pinn", (2, *[50] * 8, 1), 4096, "float64", "tanh"),
    Case("wide", (1024,) * 4, 1024, "float32", "relu"),
    Case("wide-f8", (1024,) * 4, 1024, "float64", "relu"),
    Case("chains", (4, 32, 16, 4), 10_000, "float32", "tanh"),
    Case("ctr", (100_000, 64, 32, 1), 512, "float32", "relu", stored=40),
    Case("tab256-64", (64, 256, 256, 1), 64, "float32", "relu", calls=("forward",)),
    Case("mlp512-64", (784, 512, 512, 10), 64, "float32", "relu", calls=("forward",)),
    Case("mlp512-4096", (784, 512, 512, 10), 4096, "float32", "relu", calls=("forward",)),
)
BY_NAME = {case.name: case for case in CASES}
QUICK = ("nielsen30", "nielsen100", "rl64-1", "rl64-64")


@dataclass(frozen=True)
class Problem:
    """A case with its numbers: W^l as (n_l, n_(l-1)), b^l as (n_l,), x and y as (n, n_l)."""

    case: Case
    weights: list[Array]
    biases: list[Array]
    x: Any  # an array, or SciPy's csr_array where the case is sparse
    y: Array

    @classmethod
    def draw(cls, case: Case) -> Self:
        """Draw it: the same in every process, and the same network for every batch size."""
        rng = np.random.default_rng(0)

        def normal(*shape: int) -> Array:
            return rng.standard_normal(shape).astype(case.dtype)

        sizes, n = case.sizes, case.batch
        pairs = list(pairwise(sizes))
        weights = [normal(m, k) / np.sqrt(k).astype(case.dtype) for k, m in pairs]
        biases = [normal(m) for m in sizes[1:]]
        x = draw_csr(case, rng) if case.sparse else normal(n, sizes[0])
        return cls(case, weights, biases, x, normal(n, sizes[-1]))


def draw_csr(case: Case, rng: np.random.Generator) -> Any:
    """Draw x as CSR: one element in each of `stored` fields of equal width, as categories give."""
    from scipy.sparse import csr_array

    n, stored = case.batch, case.stored
    width = case.sizes[0] // stored
    columns = np.arange(stored) * width + rng.integers(0, width, (n, stored))
    values = rng.standard_normal(n * stored).astype(case.dtype)
    parts = values, columns.ravel().astype(np.int32), np.arange(n + 1, dtype=np.int32) * stored
    return csr_array(parts, shape=(n, case.sizes[0]))
