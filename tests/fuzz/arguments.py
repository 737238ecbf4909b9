"""Random arguments by the names of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast import schedules

# Names with a parameter, some of which are refused.
PARAMETERS = ["leaky_relu(0.3)", "elu(alpha=2)", "leaky_relu(slope=1e300)", "elu(", "tanh(1)"]

if TYPE_CHECKING:
    from tests.fuzz.values import Values


class Arguments:
    """Arguments by their names: mostly such that a call gets far."""

    def __init__(self, values: Values, net: bpfast.Network) -> None:
        self.values, self.net = values, net
        self.is_ours = False  # the call does not pass x to SciPy before checking it
        self.n = values.choice([1, 2, 3, 5, 17, 70])

    def of(self, name: str) -> Any:
        values = self.values
        if values.chance(0.15):
            return values.any()
        make = getattr(self, f"for_{name}", None)
        return make() if make is not None else values.any()

    def batch(self, width: int) -> Any:
        values = self.values
        shape = (self.n, width)
        if values.chance(0.1):
            shape = values.choice([(self.n,), (self.n, width + 1), (self.n + 1, width), (0, width)])
        return values.array(shape, values.choice(["f4", "f8", "f8", "i8", ">f8", "f2", "?"]))

    def for_x(self) -> Any:
        if self.values.chance(0.15):
            return self.values.inconsistent_sparse() if self.is_ours else self.values.sparse()
        return self.batch(self.net.sizes[0])

    def for_y(self) -> Any:
        if self.values.chance(0.3):
            return self.values.array((self.n,), self.values.choice(["i8", "u1", "i4", "?"]))
        return self.batch(self.net.sizes[-1])

    def for_z(self) -> Any:
        return self.batch(self.net.sizes[-1])

    for_delta = for_z

    def for_a(self) -> Any:
        return self.batch(self.net.sizes[-2])

    def for_weights(self) -> Any:
        choice = self.values.rng.randrange(4)
        weights = self.net.weights if choice else self.net.weights[-1]
        return [w.copy() for w in weights] if choice == 1 else weights

    def for_biases(self) -> Any:
        return self.net.biases if self.values.chance(0.8) else [b.copy() for b in self.net.biases]

    def for_out(self) -> Any:
        net, n = self.net, self.n
        return self.values.choice(
            [
                lambda: None,
                lambda: bpfast.Gradient(net),
                lambda: np.empty((n, net.sizes[-1]), net.dtype),
                lambda: net.params[: n * net.sizes[-1]].reshape(-1, net.sizes[-1]),
                lambda: net.weights[-1],
                lambda: np.empty(net.weights[-1].shape),
                lambda: self.values.array((n, net.sizes[-1])),
            ]
        )()

    def for_sample_weight(self) -> Any:
        if self.values.chance(0.4):
            return None
        return abs(np.array(self.values.array((self.n,), "f8"), dtype=object)).tolist()

    def for_params(self) -> Any:
        if self.values.chance(0.5):
            return self.values.choice([self.net.params, [self.net.params], self.net.params.copy()])
        return self.values.array((self.values.choice([3, 5]),), self.values.choice(["f4", "f8"]))

    for_gradient = for_params

    def for_net(self) -> Any:
        return self.net

    for_other = for_net

    def for_sizes(self) -> Any:
        return self.values.sizes()

    def for_hidden(self) -> Any:
        return self.values.choice(
            [*bpfast.ACTIVATIONS, *PARAMETERS, ["relu"], ["tanh", "gelu"], []]
        )

    def for_output(self) -> Any:
        return self.values.choice([*bpfast.ACTIVATIONS, *PARAMETERS])

    for_activation = for_output

    def for_cost(self) -> Any:
        return self.values.choice([*bpfast.COSTS, self.values.cost()])

    def for_dtype(self) -> Any:
        return self.values.choice([None, "f4", "f8", np.float32, "float64", "i8"])

    def for_init(self) -> Any:
        return self.values.choice([*bpfast.INITIALISATIONS])

    def for_reduction(self) -> Any:
        return self.values.choice(["mean", "sum"])

    def for_path(self) -> Any:
        return self.values.path()

    for_checkpoint = for_path

    def for_resume(self) -> Any:
        return self.values.choice([None, None, True, False, self.for_path()])

    def for_epochs(self) -> Any:
        given = self.values.any() if self.values.chance(0.2) else self.values.choice([0, 1, 2, 3])
        try:  # a large number is no error, but takes its time
            return 2 if int(given) > 5 else given
        except BaseException:  # noqa: BLE001
            return given

    for_directions = for_parameters = for_weighted_inputs = for_max_iterations = for_epochs
    for_k = for_every = for_epochs
    for_count = for_epochs

    def for_batch_size(self) -> Any:
        return self.values.choice([None, 1, 2, 8, 32, self.n])

    def for_optimizer(self) -> Any:
        return self.values.choice(["adam", "sgd", self.values.optimizer()])

    def for_learning_rate(self) -> Any:
        rate = self.values.rate()
        return rate() if callable(rate) and not isinstance(rate, schedules.Schedule) else rate

    for_rate = for_start = for_final = for_smallest = for_factor = for_learning_rate
    for_schedule = for_learning_rate

    def for_validation(self) -> Any:
        return self.values.choice([None, 0.2, 0.5, (self.for_x(), self.for_y())])

    def for_metrics(self) -> Any:
        names = ["accuracy", "r2", "mean_squared_error", (), {"own": lambda net, x, y: 1.0}]
        return self.values.choice([*names, {"own": self.values.cost()}])

    def for_callbacks(self) -> Any:
        wrong = self.values.any(2)
        return self.values.choice([(), lambda net, history: wrong, [lambda net, history: True]])

    def for_class_weight(self) -> Any:
        return self.values.choice([None, "balanced", {0: 1.0, 1: 2.0}, {0: self.values.number()}])

    def for_early_stopping(self) -> Any:
        return self.values.choice([None, 1, 2, bpfast.EarlyStopping(1)])

    def for_state(self) -> Any:
        made = self.values.choice([
            self.values.optimizer, self.values.schedule, bpfast.History,
            lambda: bpfast.EarlyStopping(2),
        ])().state  # fmt: skip
        if isinstance(made, dict) and made and self.values.chance(0.5):
            made[self.values.choice(list(made))] = self.values.any()
        return made

    def for_config(self) -> Any:
        made = self.values.choice([self.values.optimizer, self.values.schedule])().config
        if made and self.values.chance(0.5):
            made[self.values.choice(list(made))] = self.values.any()
        return made

    def for_row(self) -> Any:
        row = {"cost": 1.0, "seconds": 1.0, "learning_rate": 0.1}
        if self.values.chance(0.5):
            row[self.values.choice([*row, "own", "epoch"])] = self.values.any()
        return row

    def for_tensors(self) -> Any:
        names = ["weights.0", "b", "__metadata__"]
        return {name: self.values.array() for name in names[: self.values.rng.randrange(4)]}

    def for_metadata(self) -> Any:
        return {"format": "bpfast.network", "format_version": "1"}

    def for_seed(self) -> Any:
        return self.values.choice([0, 1, None, 2**60, np.random.default_rng(0)])

    for_l1 = for_l2 = for_dropout = for_rtol = for_learning_rate

    def for_progress(self) -> Any:
        return False
