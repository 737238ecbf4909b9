"""A program of random calls, which its seed alone decides, and what may come of each call."""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import pickle
import random
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast import optimizers, reference, schedules, testing
from bpfast._core import read_tensors, write_tensors
from tests.fuzz.values import OwnError, Values

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

# What a call may raise, beside TypeError and ValueError that name an argument.
EXPECTED: tuple[type[BaseException], ...] = (
    OwnError, OSError, MemoryError, bpfast.DivergenceError,
)  # fmt: skip
MORE = {
    "History.__getitem__": (KeyError,),
    "History.__getattr__": (AttributeError,),
    "check_gradients": (AssertionError,),
    "Views.__getitem__": (IndexError, TypeError),
    "Trace.__getitem__": (IndexError, TypeError),
    "Views.__setitem__": (IndexError, TypeError),
    "setattr": (AttributeError,),
    "pickle": (pickle.PicklingError, AttributeError, TypeError),
    "__setstate__": (TypeError, ValueError),  # only pickle and copy call it
    "__eq__": (TypeError, ValueError),  # of the other side's own
    "__contains__": (TypeError, ValueError),
}
# An error of ours: what it is about, a colon, and what is wrong.
NAMED = re.compile(r"""^[\w .,/'"\[\](){}<>=-]+: """)
# Python's own, of arguments that are too many, too few, or unknown.
BINDING = re.compile(
    r"argument|cannot be changed|unhashable|not supported between|constructor|not iterable"
)


class Arguments:
    """Arguments by their names: mostly such that a call gets far."""

    def __init__(self, values: Values, net: bpfast.Network) -> None:
        self.values, self.net = values, net
        self.is_ours = False  # what is called does not hand x to SciPy before it has looked
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
            return self.values.spoilt() if self.is_ours else self.values.sparse()
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
        return self.values.choice([*bpfast.ACTIVATIONS, ["relu"], ["tanh", "gelu"], []])

    def for_output(self) -> Any:
        return self.values.choice(bpfast.ACTIVATIONS)

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

    for_directions = for_parameters = for_demons = for_max_iterations = for_epochs
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


MODULES = [bpfast, testing, schedules, optimizers, reference]
# What concerns all that comes later in the process, prints, or has no constructor.
SKIPPED = {"set_num_threads", "num_threads", "show_config", "Views", "DivergenceError"}


@functools.cache
def functions() -> dict[str, Callable[..., Any]]:
    """Functions and classes that the package shows."""
    found: dict[str, Callable[..., Any]] = {
        "read_tensors": read_tensors,
        "write_tensors": write_tensors,
    }
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value) and name not in SKIPPED:
                short = module.__name__.removeprefix("bpfast").removeprefix(".")
                found[f"{short}.{name}" if short else name] = value
    return found


def objects(values: Values, net: bpfast.Network) -> list[Any]:
    """Instances whose methods are called."""
    history = bpfast.History(3)
    history.append({"cost": 1.0, "seconds": 1.0, "learning_rate": 0.1})
    made = [
        net, net, net, net, bpfast.Gradient(net), net.weights, net.trace(np.ones((2, 3))),
        values.optimizer(), values.schedule(), history, bpfast.EarlyStopping(2),
    ]  # fmt: skip
    values.pool += made[4:]
    return made


PROTOCOLS = ["__getitem__", "__setitem__", "__setstate__", "__call__", "__contains__", "__eq__"]


def call_of(values: Values, net: bpfast.Network) -> tuple[str, Callable[[], Any], str]:
    """A call: the name of what is called, the call, and how it is written."""
    arguments = Arguments(values, net)
    way = values.rng.randrange(10)
    if way < 4:
        name, function = values.choice(sorted(functions().items()))
        return bound(name, function, arguments)
    target = values.choice(objects(values, net))
    kind = type(target).__name__
    if way == 4:
        attributes = [name for name in dir(target) if not name.startswith("_")]
        name, value = values.choice([*attributes, "unknown"]), values.any()
        if name in ("state", "params", "weights", "biases") and values.chance(0.7):
            value = arguments.of(name)
        return "setattr", lambda: setattr(target, name, value), f"{kind}.{name} = {shown(value)}"
    if way == 5:
        copies: list[Callable[[Any], Any]] = [
            copy.copy, copy.deepcopy, repr, str, hash, dir, list, len, pickle.dumps,
            lambda value: pickle.loads(pickle.dumps(value)),
        ]  # fmt: skip
        which = values.rng.randrange(len(copies))
        return "pickle", lambda: copies[which](target), f"copies[{which}]({kind})"
    methods = [
        name
        for name in dir(type(target))
        if (not name.startswith("_") or name in PROTOCOLS)
        and callable(inspect.getattr_static(type(target), name, None))
        and not isinstance(getattr(type(target), name), property)
    ]
    name = values.choice(methods)
    return bound(f"{kind}.{name}", getattr(target, name), arguments)


def bound(
    name: str, function: Callable[..., Any], arguments: Arguments
) -> tuple[str, Callable[[], Any], str]:
    """A call with arguments for most parameters, and sometimes with one too many."""
    values = arguments.values
    arguments.is_ours = not name.startswith("reference.")
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        parameters = []
    given: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            if name == "Network.__call__" and not given:
                given.append(arguments.of("x"))
            elif name.endswith((".__getitem__", ".__setitem__")):
                given.append(arguments.of("index"))
            continue
        if parameter.default is not parameter.empty and values.chance(0.6):
            continue
        value = arguments.of(parameter.name)
        if parameter.kind is parameter.KEYWORD_ONLY or (
            named and parameter.kind is not parameter.POSITIONAL_ONLY
        ):
            named[parameter.name] = value
        elif parameter.default is parameter.empty:
            given.append(value)
        else:
            named[parameter.name] = value
    if values.chance(0.02):
        named[values.choice(["unknown", "lr", "loss", "verbose"])] = values.any()
    if values.chance(0.02):
        given.append(values.any())
    text = ", ".join([*map(shown, given), *(f"{key}={shown(v)}" for key, v in named.items())])
    return name, lambda: function(*given, **named), f"{name}({text})"


def shown(value: Any) -> str:
    """A value in a few words; its own repr may misbehave."""
    kind = type(value).__name__
    try:
        if isinstance(value, np.ndarray):
            return f"{kind}{value.shape} {value.dtype} of strides {value.strides}"
        if type(value) in (list, tuple):
            return f"{kind}({', '.join(shown(v) for v in value[:4] if v is not value)})"
        text = repr(value)
    except BaseException:  # noqa: BLE001
        return kind
    return text if len(text) < 200 else f"{kind} {text[:200]}…"


def complaint(name: str, error: BaseException) -> str | None:
    """What is wrong with an error, if it should not have come out of this call."""
    last = name.rpartition(".")[2]
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is not None and "scipy" in trace.tb_frame.f_code.co_filename:
        return None  # a matrix of SciPy's that cannot be gone through says so
    if isinstance(error, EXPECTED + MORE.get(name, ()) + MORE.get(last, ())):
        return None
    if not isinstance(error, TypeError | ValueError):
        return "an error that no user expects"
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001
        return "an error without a text"
    if NAMED.match(text) or BINDING.search(text):
        return None
    return "an error that names no argument"


def program(seed: int, folder: pathlib.Path, *, loud: bool = False) -> list[str]:
    """Run the program of `seed`: what was wrong with it."""
    rng = random.Random(seed)
    values = Values(rng, folder)
    wrong = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        net = values.network()
        for turn in itertools.count():
            name, call, text = call_of(values, net)
            if loud:
                print(f"{seed}, call {turn}: {text}", flush=True)
            try:
                left = call()
                if hasattr(left, "__next__") and not isinstance(left, str):
                    list(itertools.islice(left, 5))
                values.pool.append(left)
            except BaseException as error:
                said = complaint(name, error)
                if said is not None:
                    wrong.append(f"calls, seed {seed}: {text}\n    {said}: {described(error)}")
                    if loud:
                        raise
            if turn == 2 or rng.random() < 0.3:
                break
    return wrong
    return None


def described(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001
        return type(error).__name__
