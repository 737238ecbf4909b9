"""How a network is trained: the arguments of `fit`, checked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bpfast import optimizers
from bpfast._training.early_stopping import EarlyStopping
from bpfast._validation.names import unknown_name
from bpfast._validation.numbers import fraction, is_number, not_negative, positive, whole

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast.optimizers import Optimizer

OPTIMIZERS: dict[str, type[Any]] = {
    "sgd": optimizers.SGD,
    "adam": optimizers.Adam,
    "adamw": optimizers.AdamW,
    "rmsprop": optimizers.RMSprop,
    "adagrad": optimizers.Adagrad,
}
# What other libraries call them, or have as one.
OPTIMIZER_SYNONYMS = {
    "gd": "sgd",
    "gradientdescent": "sgd",
    "momentum": "bpfast.SGD(momentum=0.9)",
    "nesterov": "bpfast.SGD(momentum=0.9, nesterov=True)",
    "nag": "bpfast.SGD(momentum=0.9, nesterov=True)",
    "lbfgs": "bpfast.scipy_minimize",
    "bfgs": "bpfast.scipy_minimize",
}
# What other libraries call the arguments of `fit`, or have as one.
ARGUMENT_SYNONYMS = {
    "lr": "learning_rate",
    "learningrateinit": "learning_rate",
    "eta": "learning_rate",
    "eta0": "learning_rate",
    "stepsize": "learning_rate",
    "momentum": "optimizer=bpfast.SGD(momentum=0.9)",
    "solver": "optimizer",
    "loss": "Network(..., cost=...)",
    "maxiter": "epochs",
    "verbose": "progress",
    "randomstate": "seed",
    "patience": "early_stopping",
    "alpha": "l2",
    "lmbda": "l2",
    "weightdecay": "l2",
    "validationdata": "validation",
    "validationsplit": "validation",
    "validationfraction": "validation",
}

# A string: to look into numpy.random imports it, and hashlib with it.
Seed: TypeAlias = (
    "int | np.random.Generator | np.random.BitGenerator | np.random.SeedSequence | None"
)

# The examples of a step where nothing is said.
BATCH_SIZE = 32


class Settings:
    """What decides about the steps of a training, beside the data and the optimizer."""

    __slots__ = (
        "batch_size", "check_finite", "clip_norm", "dropout", "l1", "l2", "max_norm", "seed",
        "shuffle", "sparse",
    )  # fmt: skip

    def __init__(
        self,
        net: Network,
        *,
        batch_size: int | None,
        l1: float,
        l2: float,
        dropout: float | Iterable[float],
        max_norm: float | None,
        clip_norm: float | None,
        shuffle: bool | None,
        seed: Seed,
        check_finite: bool,
        sparse: bool | None = False,
    ) -> None:
        self.batch_size = BATCH_SIZE if batch_size is None else whole("batch_size", batch_size, 1)
        self.l1, self.l2 = not_negative("l1", l1), not_negative("l2", l2)
        self.dropout = _dropout(dropout, len(net.sizes) - 2)
        self.max_norm = None if max_norm is None else positive("max_norm", max_norm)
        self.clip_norm = None if clip_norm is None else positive("clip_norm", clip_norm)
        self.shuffle = True if shuffle is None else flag("shuffle", shuffle)
        self.check_finite = flag("check_finite", check_finite)
        self.sparse = None if sparse is None else flag("sparse", sparse)
        self.seed = parse_seed(seed)

    @property
    def order_seed(self) -> int | None:
        """What decides about the order of each epoch; None where it is that of the examples."""
        return self.seed if self.shuffle else None

    def to_dict(self) -> dict[str, Any]:
        """All of it, in types that JSON has."""
        return {name: getattr(self, name) for name in self.__slots__}


def _drawn() -> int:
    """A seed below 2^63 from the system; `secrets` takes 4 ms to import."""
    return int.from_bytes(os.urandom(8), "little") >> 1


def parse_seed(seed: Any) -> int:
    """Take an integer as it is, draw one of a generator, or one of the system's for None.

    Raises
    ------
    ValueError
        A negative integer, or one of 64 bits or more.
    TypeError
        Nothing that `Network` takes as a seed.

    Examples
    --------
    >>> import numpy as np
    >>> parse_seed(7)
    7
    >>> parse_seed(np.random.default_rng(0)) == np.random.default_rng(0).integers(2**63)
    True
    """
    if seed is None:
        return _drawn()
    random = sys.modules.get("numpy.random")  # not imported: then nothing of it is there either
    if random and isinstance(seed, random.Generator | random.BitGenerator | random.SeedSequence):
        return int(random.default_rng(seed).integers(2**63))
    return whole("seed", seed, 0)


def flag(argument: str, value: object) -> bool:
    """Take True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument}: expected True or False, got {type(value).__name__}")
    return bool(value)


def _dropout(value: Any, layers: int) -> list[float]:
    """P of each hidden layer."""
    if is_number(value):
        return [fraction("dropout", value)] * layers
    if isinstance(value, str) or not isinstance(value, Iterable):
        got = type(value).__name__
        raise TypeError(f"dropout: expected a number, or one per hidden layer, got {got}")
    if isinstance(value, memoryview):  # of several axes it cannot be gone through
        value = value.tolist()
    rates = [fraction(f"dropout[{k}]", rate) for k, rate in enumerate(value)]
    if len(rates) != layers:
        raise ValueError(f"dropout: expected {layers}, one per hidden layer, got {len(rates)}")
    return rates


def parse_optimizer(value: Any, learning_rate: Any = None) -> Optimizer:
    """Take an optimizer, or the name of one with its defaults and, where given, a learning rate.

    Raises
    ------
    ValueError
        An unknown name, or a learning rate beside an optimizer, which has its own.
    TypeError
        Neither an optimizer nor a name.
    """
    if isinstance(value, str):
        if value not in OPTIMIZERS:
            raise unknown_name("optimizer", value, OPTIMIZERS, synonyms=OPTIMIZER_SYNONYMS)
        made: Optimizer = OPTIMIZERS[value](*(() if learning_rate is None else (learning_rate,)))
        return made
    if isinstance(value, optimizers.Optimizer) and type(value) is not optimizers.Optimizer:
        if learning_rate is not None:
            expected = "none beside an optimizer, which has its own"
            got = f"{learning_rate!r}; set optimizer.learning_rate"
            raise ValueError(f"learning_rate: expected {expected}, got {got}")
        return value
    got = type(value).__name__
    if isinstance(value, type):
        got = f"the class {value.__name__} itself"
        got += f": {value.__name__}() makes one" if value in OPTIMIZERS.values() else ""
    raise TypeError(f"optimizer: expected a name or an optimizer, got {got}")


def parse_early_stopping(value: object) -> EarlyStopping | None:
    """Take a patience as early stopping with all else by default."""
    if value is None or isinstance(value, EarlyStopping):
        return value
    if is_number(value):
        return EarlyStopping(whole("early_stopping", value, 1))
    got = type(value).__name__
    if value is EarlyStopping:
        got = "the class itself: EarlyStopping() makes one"
    raise TypeError(f"early_stopping: expected a number of epochs or EarlyStopping, got {got}")
