"""What a peer is: a program that has a problem's numbers and can be asked for its gradient."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches.cases.cases import Problem

Array = NDArray[np.floating[Any]]
Parts = tuple[list[Array], list[Array]]  # ∂C/∂W^l as (n_l, n_(l-1)), ∂C/∂b^l


class Peer(ABC):
    """A problem as one library's user would keep it.

    `gradient` and `forward` are what is timed, so they return when the numbers are there, and
    leave conversions to `read_gradient` and `read_forward`, which are not timed. What a library has
    no way for is in its entry of the registry, and is not asked of its peer.
    """

    @abstractmethod
    def __init__(self, problem: Problem) -> None: ...

    @abstractmethod
    def gradient(self) -> object:
        """Compute the cost and its gradient over the batch."""

    @abstractmethod
    def forward(self) -> object:
        """Compute a^L of the batch."""

    @abstractmethod
    def read_gradient(self) -> Parts:
        """Compute the gradient and give it in the book's shapes."""

    @abstractmethod
    def read_forward(self) -> Array:
        """Compute a^L and give it as (n, n_L)."""

    @staticmethod
    def kernels() -> list[str]:
        """Name the kernels in use, where the library tells; else its BLAS is asked."""
        return []
