"""Bad arrays and bad names get the error that says so, at every door, and change nothing."""

import re
from typing import Any

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
# Sizes 3-2-2, four examples.
WEIGHTS = [RNG.normal(size=(2, 3)), RNG.normal(size=(2, 2))]
BIASES = [RNG.normal(size=2), RNG.normal(size=2)]
X, Y, S = RNG.normal(size=(4, 3)), RNG.uniform(size=(4, 2)), np.array([1.0, 2.0, 0.0, 3.0])
Z = RNG.normal(size=(4, 2))
PARTS = {"weights": WEIGHTS, "biases": BIASES}
LOSS = {"x": X, "y": Y, "sample_weight": S}

FUNCTIONS = {
    "forward": PARTS | {"x": X},
    "trace": PARTS | {"x": X},
    "cost": PARTS | LOSS,
    "errors": PARTS | LOSS,
    "backprop": PARTS | LOSS,
    "bp1": {"z": Z, "y": Y, "sample_weight": S},
    "bp2": {"delta": Z, "weights": WEIGHTS[0], "z": X},
    "bp3": {"delta": Z},
    "bp4": {"delta": Z, "a": X},
}
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
DOORS: dict[str, Any] = {**FUNCTIONS, **METHODS}
# Each array that can be given at each door; of a list of arrays, the last.
ARRAYS = [
    (door, f"{name}[{len(value) - 1}]" if isinstance(value, list) else name)
    for door, arguments in DOORS.items()
    for name, value in arguments.items()
]
CONFIGURES = ["cost", "errors", "backprop", "Network.from_parameters"]


def call(door, arguments, **keywords):
    """Call a door of bpfast; a method is called on `keywords["net"]`, or on a network anew."""
    net = keywords.pop("net", None)
    owner, _, name = door.rpartition(".")
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


def good(door, name):
    name, _, index = name.partition("[")
    return DOORS[door][name][int(index[:-1])] if index else DOORS[door][name]


@pytest.mark.parametrize("door", DOORS)
def test_what_is_spoilt_below_is_good(door):
    call(door, DOORS[door])


NO_NUMBERS = {
    "object": (lambda a: a.astype(object), "expected real numbers, got dtype object"),
    "str": (lambda a: a.astype(str), "expected real numbers, got dtype <U"),
    "bytes": (lambda a: a.astype("S9"), r"expected real numbers, got dtype \|S9"),
    "complex": (lambda a: a * 1j, "expected real numbers, got dtype complex128"),
    "datetime": (lambda a: a.astype("M8[s]"), "expected real numbers, got dtype datetime64"),
    "timedelta": (lambda a: a.astype("m8[s]"), "expected real numbers, got dtype timedelta64"),
    "structured": (lambda a: a.astype([("f", "f8")]), "expected real numbers, got dtype .*f8"),
    "void": (lambda a: a.view("V8"), r"expected real numbers, got dtype \|V8"),
    "None": (lambda a: None, "expected real numbers"),
    "text": (lambda a: "text", "expected real numbers"),
    "numbers as text": (lambda a: a.astype(str).tolist(), "expected real numbers"),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize(("door", "name"), ARRAYS)
def test_what_is_no_number_is_a_type_error(door, name, kind):
    if (name, kind) == ("sample_weight", "None"):
        pytest.skip("no weights is how to leave them out")
    spoil, message = NO_NUMBERS[kind]
    net = bpfast.Network.from_parameters(WEIGHTS, BIASES)
    bad = replaced(DOORS[door], name, spoil(good(door, name)))
    with refuses(TypeError, f"^{re.escape(name)}: {message}", net, *bad.values()):
        call(door, bad, net=net)


WRONG_RANKS = [
    lambda a: a[..., None],
    lambda a: a[0],
    lambda a: 1.0,
    lambda a: [],
    lambda a: [[]],
    lambda a: [[[1.0]], [1.0]],  # ragged
    lambda a: [*a[:-1].tolist(), []],  # ragged
]


@pytest.mark.parametrize("spoil", WRONG_RANKS)
@pytest.mark.parametrize(("door", "name"), ARRAYS)
def test_a_wrong_rank_is_a_value_error(door, name, spoil):
    net = bpfast.Network.from_parameters(WEIGHTS, BIASES)
    bad = replaced(DOORS[door], name, spoil(good(door, name)))
    with refuses(ValueError, f"^{re.escape(name)}: ", net, *bad.values()):
        call(door, bad, net=net)


def shape(name, expected, got):
    return re.escape(f"{name}: expected shape {expected}, got {got}")


LOSSES = [door for door, arguments in DOORS.items() if arguments.keys() >= LOSS.keys()]
TAKE_X = [door for door, arguments in DOORS.items() if "x" in arguments]
TAKE_PARTS = [door for door, arguments in DOORS.items() if arguments.keys() >= PARTS.keys()]
TAKE_S = [*LOSSES, "bp1"]
WEIGHT = "expected a finite weight, 0 or above"
ZERO = "expected a weight above 0 for at least one example, got all zero"
SHAPES = [
    (TAKE_X, "x", np.ones((0, 3)), "x: expected one example or more, got an empty batch"),
    (TAKE_X, "x", np.ones((4, 2)), shape("x", "(4, 3)", "(4, 2)")),
    (TAKE_X, "x", X.T, shape("x", "(3, 3)", "(3, 4)")),
    (LOSSES, "y", Y[:3], shape("y", "(4, 2)", "(3, 2)")),
    (LOSSES, "y", Y[:1], shape("y", "(4, 2)", "(1, 2)")),
    (LOSSES, "y", Y[:, :1], shape("y", "(4, 2)", "(4, 1)")),
    (LOSSES, "y", Y[:, 0], shape("y", "(4, 2)", "(4,)")),
    (LOSSES, "y", Y[:, 0].astype("f4"), shape("y", "(4, 2)", "(4,)")),
    (LOSSES, "y", Y[:3].astype(int), shape("y", "(4, 2)", "(3, 2)")),
    (TAKE_S, "sample_weight", S[:3], shape("sample_weight", "(4,)", "(3,)")),
    (TAKE_S, "sample_weight", [1, 1, -1, 1], rf"sample_weight\[2\]: {WEIGHT}, got -1"),
    (TAKE_S, "sample_weight", [1, np.nan, 1, 1], rf"sample_weight\[1\]: {WEIGHT}, got nan"),
    (TAKE_S, "sample_weight", [1, 1, 1, np.inf], rf"sample_weight\[3\]: {WEIGHT}, got inf"),
    (TAKE_S, "sample_weight", [1e308] * 4, "sample_weight: expected a finite sum.*"),
    (TAKE_S, "sample_weight", [0] * 4, rf"sample_weight: {ZERO}"),
    (TAKE_PARTS, "weights[1]", np.ones((2, 3)), shape("weights[1]", "(2, 2)", "(2, 3)")),
    (TAKE_PARTS, "weights[0]", np.ones((0, 3)), r"(?:weights|biases)\[0\]: expected .*"),
    (TAKE_PARTS, "weights[0]", np.ones((2, 0)), r"weights\[0\]: expected .*"),
    (TAKE_PARTS, "biases[0]", np.ones(3), shape("biases[0]", "(2,)", "(3,)")),
    (TAKE_PARTS, "biases", BIASES[:1], "biases: expected .*2.*, got 1"),
    (TAKE_PARTS, "weights", [], "weights: expected .*"),
    (["Network.params"], "params", np.ones(13), shape("params", "(14,)", "(13,)")),
    (["Network.weights"], "weights", WEIGHTS[:1], "weights: expected 2 arrays, got 1"),
    (["Network.weights"], "weights[1]", np.ones((2, 3)), shape("weights[1]", "(2, 2)", "(2, 3)")),
    (["Network.biases"], "biases[1]", np.ones(3), shape("biases[1]", "(2,)", "(3,)")),
    (["bp1"], "z", np.ones((0, 2)), "z: expected .*"),
    (["bp1"], "y", Y[:3], shape("y", "(4, 2)", "(3, 2)")),
    (["bp2"], "delta", np.ones((0, 2)), "delta: expected .*"),
    (["bp2"], "weights", np.ones((3, 3)), shape("weights", "(2, 3)", "(3, 3)")),
    (["bp2"], "z", np.ones((4, 2)), shape("z", "(4, 3)", "(4, 2)")),
    (["bp3"], "delta", np.ones((0, 2)), "delta: expected .*"),
    (["bp4"], "a", np.ones((3, 3)), shape("a", "(4, 3)", "(3, 3)")),
]
CASES = [(door, *rest) for doors, *rest in SHAPES for door in doors]


@pytest.mark.parametrize(("door", "name", "value", "message"), CASES)
def test_what_does_not_fit_is_a_value_error(door, name, value, message):
    net = bpfast.Network.from_parameters(WEIGHTS, BIASES)
    bad = replaced(DOORS[door], name, value)
    with refuses(ValueError, f"^({message})$", net, *bad.values()):
        call(door, bad, net=net)


@pytest.mark.parametrize("door", [*LOSSES, "bp1"])
def test_all_zero_weights_add_up_to_nothing(door):
    found = call(door, DOORS[door] | {"sample_weight": [0] * 4, "reduction": "sum"})
    if isinstance(found, bpfast.Gradient):
        found = (found.cost, found.flat)
    assert not any(np.any(part) for part in flat([found]))


def flat(parts):
    """Arrays and numbers in nested lists, one after the other."""
    for part in parts:
        if isinstance(part, list | tuple):
            yield from flat(part)
        else:
            yield part


@pytest.mark.parametrize(("name", "value"), [("weights", 3), ("biases", None), ("weights", 1.5)])
@pytest.mark.parametrize("door", TAKE_PARTS)
def test_parameters_are_lists_of_arrays(door, name, value):
    with refuses(TypeError, f"^{name}: expected a (list|sequence) of arrays"):
        call(door, DOORS[door] | {name: value})


SOFTMAX = {"output": "softmax", "cost": "log_likelihood"}
ONE = {"output": "sigmoid", "cost": "cross_entropy"}


def label(x, got):
    return re.escape(f"y[{x}]: expected a label from 0 to 1, got {got}")


NO_LABELS = re.escape(
    "y: expected shape (4, 2) (class labels go with 'cross_entropy' and 'log_likelihood'), got "
)
LABELS = [
    (SOFTMAX, [0, 1, -1, 0], ValueError, label(2, -1)),
    (SOFTMAX, [0, 1, 0, 2], ValueError, label(3, 2)),
    (
        SOFTMAX,
        np.array([0, 2**64 - 1, 0, 1], np.uint64),
        ValueError,
        label(1, 18446744073709551615),
    ),
    (SOFTMAX, np.array([-(2**63), 0, 0, 1]), ValueError, label(0, -9223372036854775808)),
    (SOFTMAX, [0, 1, 0], ValueError, shape("y", "(4,)", "(3,)")),
    (
        SOFTMAX,
        np.array([0, 1, 0, 1], object),
        TypeError,
        "y: expected real numbers, got dtype object",
    ),
    (SOFTMAX, [[0], [1], [0], [1]], ValueError, shape("y", "(4, 2)", "(4, 1)")),
    (ONE, [0, 1, 0, 2], ValueError, label(3, 2)),
    ({}, [0, 1, 0, 1], ValueError, NO_LABELS),
    ({"cost": "huber"}, [True, False, True, False], ValueError, NO_LABELS),
]


@pytest.mark.parametrize(("config", "labels", "kind", "message"), LABELS)
@pytest.mark.parametrize("door", [*LOSSES, "bp1"])
def test_labels(door, config, labels, kind, message):
    with refuses(kind, f"^{message}", labels, X, *WEIGHTS, *BIASES):
        call(door, DOORS[door] | {"y": labels}, **config)


FLAT = [
    # outputs, config, y of one axis or a column, what is said behind the shape that is expected
    (1, {}, [0.5, 1.0, 0.0, 1.0], ", got (4,); reshape with y[:, None]"),
    (1, {}, [0, 1, 0, 1], ", got (4,); reshape with y[:, None]"),
    (1, ONE, [0.0, 1.0, 0.0, 1.0], ", got (4,); reshape with y[:, None]"),
    (1, {}, [0.5, 1.0, 0.0], ", got (3,)"),
    (2, SOFTMAX, [0.0, 1.0, 0.0, 1.0], ", got (4,); labels must be integers: y.astype(int)"),
    (2, ONE, np.array([0, 1, 0, 1], "f4"), ", got (4,); labels must be integers: y.astype(int)"),
    (2, SOFTMAX, [[0], [1], [0], [1]], ", got (4, 1); labels have one axis: y.ravel()"),
    (2, ONE, np.array([[0], [1], [0], [1]], "u1"), ", got (4, 1); labels have one axis: y.ravel()"),
    (2, {}, [[0], [1], [0], [1]], ", got (4, 1)"),
    (2, SOFTMAX, [0.0, 1.0, 0.0, 0.5], ", got (4,)"),
    (2, SOFTMAX, [0.0, 1.0, 0.0, np.nan], ", got (4,)"),
    (2, SOFTMAX, [0.0, 1.0, 0.0], ", got (3,)"),
    (2, {}, [0.0, 1.0, 0.0, 1.0], " (class labels go with 'cross_entropy' and 'log_likelihood'), "),
    (2, {}, [0.0, 1.0, 0.0, 0.5], ", got (4,)"),
]


@pytest.mark.parametrize(("outputs", "config", "y", "said"), FLAT)
def test_outputs_of_one_axis(outputs, config, y, said):
    parts = {"weights": [WEIGHTS[0][:outputs]], "biases": [BIASES[0][:outputs]]}
    message = f"^{re.escape(f'y: expected shape (4, {outputs}){said}')}"
    message += "$" if "got" in said else ""
    net = bpfast.Network.from_parameters(**parts, **config)
    for door in (*LOSSES, "bp1"):
        given = {"z": Z[:, :outputs]} if door == "bp1" else {"x": X}
        if "." not in door and door != "bp1":
            given |= parts
        with refuses(ValueError, message):
            call(door, given | {"y": y}, net=net, **config)
    for method in (net.fit, net.partial_fit) if len(y) == len(X) else ():
        with refuses(ValueError, message, net):
            method(X, y)


def test_one_output_takes_labels_0_and_1():
    net = bpfast.Network([1, 1], cost="cross_entropy", seed=0)
    assert net.cost([[1], [2]], [0, 1]) == net.cost([[1], [2]], [[0], [1]])
    with refuses(ValueError, r"^y\[1\]: expected a label from 0 to 1, got 2$", net):
        net.cost([[1], [2]], [0, 2])


def test_views_refuse_what_they_do_not_have():
    net = bpfast.Network.from_parameters(WEIGHTS, BIASES)
    for index in (2, -3, 2**70):
        with refuses(IndexError, "", net):
            net.weights[index]
        with refuses(IndexError, "", net):
            net.weights[index] = WEIGHTS[0]
    for index in ("0", 0.0, None, (0, 0)):
        with refuses(TypeError, "", net):
            net.weights[index]
    with refuses(TypeError, "", net):
        net.weights[0:1] = WEIGHTS[:1]
    with refuses(TypeError, "", net):
        del net.weights[0]
    with refuses(AttributeError, "", net):
        del net.params
