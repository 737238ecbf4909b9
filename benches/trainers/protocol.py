"""What a trainer is: a program that learns the digits, an epoch at a time."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benches.cases.digits import Digits

Array = NDArray[np.floating[Any]]
Parts = tuple[list[Array], list[Array]]  # W^l as (n_l, n_(l-1)), b^l


class Trainer(ABC):
    """[784, 30, 10], sigmoid, quadratic cost, batches of 10, η = 3, as a library's user trains it.

    An epoch shuffles the digits in the order that `Digits.orders` gives, and takes each once.
    """

    # The epochs of a timed call: more than one where a call has work to do before the first.
    AT_ONCE = 1

    @abstractmethod
    def __init__(self, digits: Digits) -> None: ...

    @abstractmethod
    def epoch(self) -> object:
        """Learn for one more epoch."""

    def epochs(self) -> None:
        """Learn for as many epochs as a timed call has."""
        for _ in range(self.AT_ONCE):
            self.epoch()

    @abstractmethod
    def parameters(self) -> Parts:
        """The parameters, in the book's shapes."""
