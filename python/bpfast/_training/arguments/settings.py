"""Checks of the settings of a training."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bpfast import optimizers
from bpfast._training.early_stopping import EarlyStopping
from bpfast._validation.iterables import is_iterable
from bpfast._validation.names import unknown_name
from bpfast._validation.numbers import fraction, is_number, not_negative, positive, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpfast._network import Network
    from bpfast.optimizers import Optimizer

OPTIMIZERS: dict[str, type[Any]] = {
    "sgd": optimizers.SGD,
    "adam": optimizers.Adam,
    "adamw": optimizers.AdamW,
    "rmsprop": optimizers.RMSprop,
    "adagrad": optimizers.Adagrad,
}
# Names of other libraries.
OPTIMIZER_SYNONYMS = {
    "gd": "sgd",
    "gradientdescent": "sgd",
    "momentum": "bpfast.SGD(momentum=0.9)",
    "nesterov": "bpfast.SGD(momentum=0.9, nesterov=True)",
    "nag": "bpfast.SGD(momentum=0.9, nesterov=True)",
    "lbfgs": "bpfast.scipy_minimize",
    "bfgs": "bpfast.scipy_minimize",
}
# Arguments of other libraries.
ARGUMENT_SYNONYMS = {
    "lr": "learning_rate",
    "learningrateinit": "learning_rate",
    "eta": "learning_rate",
    "eta0": "learning_rate",
    "stepsize": "learning_rate",
    "momentum": "optimizer=bpfast.SGD(momentum=0.9)",
    "nesterovsmomentum": "optimizer=bpfast.SGD(momentum=0.9, nesterov=True)",
    "solver": "optimizer",
    "activation": "Network(..., hidden=...)",
    "hiddenlayersizes": "Network([n_in, ..., n_out])",
    "loss": "Network(..., cost=...)",
    "maxiter": "epochs",
    "verbose": "progress",
    "randomstate": "seed",
    "patience": "early_stopping",
    "niternochange": "early_stopping",
    "tol": "early_stopping=bpfast.EarlyStopping(least=...)",
    "alpha": "l2",
    "lmbda": "l2",
    "weightdecay": "l2",
    "validationdata": "validation",
    "validationsplit": "validation",
    "validationfraction": "validation",
}

# A string, because access to np.random imports it, and hashlib with it.
Seed: TypeAlias = (
    "int | np.random.Generator | np.random.BitGenerator | np.random.SeedSequence | None"
)

# The default.
BATCH_SIZE = 32


class Settings:
    """The settings of a training's steps, besides data and optimizer."""

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
        """The seed of the order of each epoch. None if the examples keep their order."""
        return self.seed if self.shuffle else None

    def to_dict(self) -> dict[str, Any]:
        """All settings in JSON types."""
        return {name: getattr(self, name) for name in self.__slots__}


def _drawn() -> int:
    """A seed below 2^63 from the system. Not by `secrets`, whose import takes 4 ms."""
    return int.from_bytes(os.urandom(8), "little") >> 1


def parse_seed(seed: Any) -> int:
    """The integer seed: `seed` itself, drawn from a generator, or from the system for None.

    Raises
    ------
    ValueError
        The integer is negative or has 64 bits or more.
    TypeError
        `seed` has another type.

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
    random = sys.modules.get("numpy.random")  # if it is not imported, seed is none of its types
    if random and isinstance(seed, random.Generator | random.BitGenerator | random.SeedSequence):
        return int(random.default_rng(seed).integers(2**63))
    if random and isinstance(seed, random.RandomState):
        got = "RandomState; numpy.random.default_rng(seed) is such a generator"
        raise TypeError(f"seed: expected an integer or a Generator, got {got}")
    return whole("seed", seed, 0)


def flag(argument: str, value: object) -> bool:
    """Check that `value` is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument}: expected True or False, got {type(value).__name__}")
    return bool(value)


def _dropout(value: Any, layers: int) -> list[float]:
    """The dropout probability of each hidden layer."""
    if is_number(value):
        return [fraction("dropout", value)] * layers
    if isinstance(value, memoryview):  # with several axes it cannot be iterated
        value = value.tolist()
    if isinstance(value, str) or not is_iterable(value):
        got = type(value).__name__
        raise TypeError(f"dropout: expected a number, or one per hidden layer, got {got}")
    rates = [fraction(f"dropout[{k}]", rate) for k, rate in enumerate(value)]
    if len(rates) != layers:
        raise ValueError(f"dropout: expected {layers}, one per hidden layer, got {len(rates)}")
    return rates


def parse_optimizer(value: Any, learning_rate: Any = None) -> Optimizer:
    """The optimizer, or a new one of the given name with its defaults and the given learning rate.

    Raises
    ------
    ValueError
        The name is unknown, or a learning rate is given with an optimizer, which has its own.
    TypeError
        `value` is neither an optimizer nor a name.
    """
    if isinstance(value, str):
        if value not in OPTIMIZERS:
            raise unknown_name("optimizer", value, OPTIMIZERS, synonyms=OPTIMIZER_SYNONYMS)
        made: Optimizer = OPTIMIZERS[value](*(() if learning_rate is None else (learning_rate,)))
        return made
    if isinstance(value, optimizers.Optimizer) and type(value) is not optimizers.Optimizer:
        if learning_rate is not None:
            expected = "no rate together with an optimizer object"
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
