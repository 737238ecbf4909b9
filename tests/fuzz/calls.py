"""A program of random calls, which its seed alone decides, and what may come of each call."""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import pickle
import random
import re
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from bpfast import optimizers, reference, schedules, testing
from bpfast._core import read_tensors, write_tensors
from tests.fuzz.arguments import Arguments
from tests.fuzz.values import UserError, Values

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

# What a call may raise, beside TypeError and ValueError that name an argument.
EXPECTED: tuple[type[BaseException], ...] = (
    UserError, OSError, MemoryError, bpfast.DivergenceError,
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
# An error of bpfast: the argument, a colon, the problem.
NAMED = re.compile(r"""^[\w .,/'"\[\](){}<>=-]+: """)
# Python's own, of arguments that are too many, too few, or unknown.
BINDING = re.compile(
    r"argument|cannot be changed|unhashable|not supported between|constructor|not iterable"
)


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
    """A call: the name of the function, the call, and its source."""
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
    """What is wrong with an error that this call should not raise, if anything."""
    last = name.rpartition(".")[2]
    frames = traceback.walk_tb(error.__traceback__)
    if any("scipy" in frame.f_code.co_filename for frame, _ in frames):
        return None  # a matrix of SciPy's that cannot be gone through says so
    if isinstance(error, NotImplementedError) and "sub-views" in str(error):
        return None  # a memoryview of two axes says the same
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
