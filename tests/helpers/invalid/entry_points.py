"""Every function and method that takes arrays, with arguments that they accept."""

from typing import Any

import numpy as np

import bpfast

RNG = np.random.default_rng(0)
# Sizes 3-2-2, four examples.
WEIGHTS = [RNG.normal(size=(2, 3)), RNG.normal(size=(2, 2))]
BIASES = [RNG.normal(size=2), RNG.normal(size=2)]
X, Y, S = RNG.normal(size=(4, 3)), RNG.uniform(size=(4, 2)), np.array([1.0, 2.0, 0.0, 3.0])
Z = RNG.normal(size=(4, 2))
PARTS = {"weights": WEIGHTS, "biases": BIASES}
LOSS = {"x": X, "y": Y, "sample_weight": S}


def functions(parts, loss, delta, bp2):
    """The functions with arguments: the parameters, the batch, a δ for it, and what bp2 takes."""
    x = {"x": loss["x"]}
    return {
        "forward": parts | x,
        "trace": parts | x,
        "cost": parts | loss,
        "errors": parts | loss,
        "backprop": parts | loss,
        "bp1": {"z": delta, "y": loss["y"], "sample_weight": loss["sample_weight"]},
        "bp2": bp2,
        "bp3": {"delta": delta},
        "bp4": {"delta": delta, "a": loss["x"]},
    }


FUNCTIONS = functions(PARTS, LOSS, Z, {"delta": Z, "weights": WEIGHTS[0], "z": X})
METHODS = {
    "Network.forward": {"x": X},
    "Network.__call__": {"x": X},
    "Network.trace": {"x": X},
    "Network.cost": LOSS,
    "Network.errors": LOSS,
    "Network.backprop": LOSS,
    "Network.from_parameters": PARTS,
    "Network.params": {"params": RNG.normal(size=14)},
    "Network.weights": {"weights": WEIGHTS},
    "Network.biases": {"biases": BIASES},
}
ENTRY_POINTS: dict[str, Any] = {**FUNCTIONS, **METHODS}
# Each array that can be given at each door; of a list of arrays, the last.
ARRAYS = [
    (entry_point, f"{name}[{len(value) - 1}]" if isinstance(value, list) else name)
    for entry_point, arguments in ENTRY_POINTS.items()
    for name, value in arguments.items()
]
CONFIGURES = ["cost", "errors", "backprop", "Network.from_parameters"]


def call(entry_point, arguments, **keywords):
    """Call an entry point; a method is called on `keywords["net"]`, or on a new network."""
    net = keywords.pop("net", None)
    owner, _, name = entry_point.rpartition(".")
    if not owner or name == "from_parameters":
        return getattr(bpfast.Network if owner else bpfast, name)(**arguments, **keywords)
    if net is None:
        net = bpfast.Network.from_parameters(WEIGHTS, BIASES, **keywords)
    if name in arguments:
        return setattr(net, name, arguments[name])
    return getattr(net, name)(**arguments)


def replaced(arguments, name, value):
    """`arguments` with another value for `name`, which may be an entry as in "weights[1]"."""
    name, _, index = name.partition("[")
    if index:
        whole = list(arguments[name])
        whole[int(index[:-1])] = value
        value = whole
    return arguments | {name: value}


def good(entry_point, name):
    name, _, index = name.partition("[")
    return (
        ENTRY_POINTS[entry_point][name][int(index[:-1])]
        if index
        else ENTRY_POINTS[entry_point][name]
    )


LOSSES = [
    entry_point
    for entry_point, arguments in ENTRY_POINTS.items()
    if arguments.keys() >= LOSS.keys()
]
TAKE_X = [entry_point for entry_point, arguments in ENTRY_POINTS.items() if "x" in arguments]
TAKE_PARTS = [
    entry_point
    for entry_point, arguments in ENTRY_POINTS.items()
    if arguments.keys() >= PARTS.keys()
]
TAKE_S = [*LOSSES, "bp1"]
SOFTMAX = {"output": "softmax", "cost": "log_likelihood"}
ONE = {"output": "sigmoid", "cost": "cross_entropy"}
