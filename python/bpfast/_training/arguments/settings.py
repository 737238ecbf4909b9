"""Checks of the settings of a training."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from bpfast._training.stopping.early_stopping import EarlyStopping
from bpfast._validation.iterables import is_iterable
from bpfast._validation.numbers import flag, fraction, integer, is_number, not_negative, positive
from bpfast._validation.seed import parse_seed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpfast._network import Network
    from bpfast._validation.seed import Seed

# Arguments of other libraries.
ARGUMENT_SYNONYMS = {
    "lr": "learning_rate",
    "learningrateinit": "learning_rate",
    "eta": "learning_rate",
    "eta0": "learning_rate",
    "stepsize": "learning_rate",
    "scheduler": "learning_rate=bpfast.schedules.Cosine(...)",
    "lrscheduler": "learning_rate=bpfast.schedules.Cosine(...)",
    "lrschedule": "learning_rate=bpfast.schedules.Cosine(...)",
    "schedule": "learning_rate=bpfast.schedules.Cosine(...)",
    "decay": "learning_rate=bpfast.schedules.Step(...)",
    "momentum": "optimizer=bpfast.SGD(momentum=0.9)",
    "nesterovsmomentum": "optimizer=bpfast.SGD(momentum=0.9, nesterov=True)",
    "nesterov": "optimizer=bpfast.SGD(momentum=0.9, nesterov=True)",
    "solver": "optimizer",
    "activation": "Network(..., hidden=...)",
    "hiddenlayersizes": "Network([n_in, ..., n_out])",
    "loss": "Network(..., cost=...)",
    "maxiter": "epochs",
    "verbose": "progress",
    "randomstate": "seed",
    "patience": "early_stopping",
    "niternochange": "early_stopping",
    "mindelta": "early_stopping=bpfast.EarlyStopping(min_delta=...)",
    "tol": "early_stopping=bpfast.EarlyStopping(min_delta=...)",
    "alpha": "l2",
    "lmbda": "l2",
    "weightdecay": "l2",
    "validationdata": "validation",
    "validationsplit": "validation",
    "validationfraction": "validation",
    "testdata": "validation",
    "testsize": "validation",
    "valdata": "validation",
    "xval": "validation=(x, y)",
    "xtest": "validation=(x, y)",
    "evalset": "validation=(x, y)",
    "monitor": "early_stopping=bpfast.EarlyStopping(monitor=...)",
    "classweights": "class_weight",
    "weights": "sample_weight",
    "njobs": "bpfast.set_num_threads(...)",
    "threads": "bpfast.set_num_threads(...)",
    "numthreads": "bpfast.set_num_threads(...)",
    "minibatchsize": "batch_size",
    "dropoutrate": "dropout",
    "maxgradnorm": "clip_norm",
    "clipnorm": "clip_norm",
    "gradientclipval": "clip_norm",
}

# Those of functions that take networks: without the arguments that a Network is made with.
FUNCTION_SYNONYMS = {
    key: value for key, value in ARGUMENT_SYNONYMS.items() if "Network" not in value
}

DEFAULT_BATCH_SIZE = 32


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
        self.batch_size = (
            DEFAULT_BATCH_SIZE if batch_size is None else integer("batch_size", batch_size, 1)
        )
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


def _dropout(value: Any, layers: int) -> list[float]:
    """The dropout probability of each hidden layer."""
    if is_number(value):
        return [fraction("dropout", value)] * layers
    if isinstance(value, memoryview):  # with several axes it cannot be iterated
        value = value.tolist()
    if isinstance(value, str | Mapping | AbstractSet) or not is_iterable(value):
        got = type(value).__name__
        raise TypeError(f"dropout: expected a number, or one per hidden layer, got {got}")
    rates = [fraction(f"dropout[{k}]", rate) for k, rate in enumerate(value)]
    if len(rates) != layers:
        raise ValueError(f"dropout: expected {layers}, one per hidden layer, got {len(rates)}")
    return rates


def parse_early_stopping(value: object) -> EarlyStopping | None:
    """Take a patience as early stopping with all else by default."""
    if value is None or isinstance(value, EarlyStopping):
        return value
    if is_number(value):
        return EarlyStopping(integer("early_stopping", value, 1))
    got = type(value).__name__
    if value is EarlyStopping:
        got = "the class itself: EarlyStopping() makes one"
    raise TypeError(f"early_stopping: expected a number of epochs or EarlyStopping, got {got}")
