"""The reference raises the same exception as bpfast for the same bad call."""

import numpy as np
import pytest

import bpfast
from bpfast import reference
from tests.helpers.invalid import bad_arrays, bad_costs, bad_names
from tests.helpers.invalid.entry_points import (
    ARRAYS,
    BIASES,
    FUNCTIONS,
    ONE,
    SOFTMAX,
    WEIGHTS,
    X,
    Y,
    Z,
    good,
    replaced,
)

LOSSES = ["cost", "errors", "backprop"]


def raised(module, function, arguments, keywords):
    try:
        getattr(module, function)(**arguments, **keywords)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return error
    return None


def check(function, arguments, **keywords):
    """Both raise, and the same type; returns both messages."""
    ours = raised(bpfast, function, arguments, keywords)
    theirs = raised(reference, function, arguments, keywords)
    assert ours is not None, f"reference: {theirs!r}"
    assert type(ours) is type(theirs), f"{ours!r}, reference: {theirs!r}"
    return str(ours), str(theirs)


def argument(message):
    """What a message is about: "weights" of "weights[1]: expected …"."""
    return message.partition(":")[0].partition("[")[0].partition("(")[0]


FUNCTION_ARRAYS = [(entry_point, name) for entry_point, name in ARRAYS if entry_point in FUNCTIONS]


@pytest.mark.parametrize("kind", bad_arrays.NO_NUMBERS)
@pytest.mark.parametrize(("function", "name"), FUNCTION_ARRAYS)
def test_invalid_numbers(function, name, kind):
    if kind == "None" and (name == "sample_weight" or name.startswith("biases[")):
        pytest.skip("None is how to leave them out")
    spoil, _ = bad_arrays.NO_NUMBERS[kind]
    value = spoil(good(function, name))
    bad = replaced(FUNCTIONS[function], name, value)
    ours, theirs = check(function, bad)
    assert argument(ours) == argument(theirs)


@pytest.mark.parametrize("spoil", range(len(bad_arrays.WRONG_RANKS)))
@pytest.mark.parametrize(("function", "name"), FUNCTION_ARRAYS)
def test_a_wrong_rank(function, name, spoil):
    value = bad_arrays.WRONG_RANKS[spoil](good(function, name))
    check(function, replaced(FUNCTIONS[function], name, value))


@pytest.mark.parametrize(
    ("function", "name", "value"),
    [case[:3] for case in bad_arrays.CASES if case[0] in FUNCTIONS],
)
def test_arrays_that_do_not_match(function, name, value):
    check(function, replaced(FUNCTIONS[function], name, value))


@pytest.mark.parametrize(("config", "labels"), [case[:2] for case in bad_arrays.LABELS])
@pytest.mark.parametrize("function", [*LOSSES, "bp1"])
def test_labels(function, config, labels):
    check(function, FUNCTIONS[function] | {"y": labels}, **config)


NOTHING = [
    {"x": np.zeros((0, 3))},
    {"x": np.zeros((0, 3)), "y": np.zeros((0, 2))},
    {"x": np.zeros((3, 0))},
    {"y": np.zeros((0, 2))},
    {"y": np.zeros((0, 5))},
    {"y": np.zeros((4, 0))},
    {"y": np.zeros((0, 0))},
    {"y": np.zeros(0)},
    {"y": np.zeros(0, int)},
    {"y": []},
    {"y": [[]]},
    {"sample_weight": []},
]


@pytest.mark.parametrize("given", NOTHING, ids=lambda given: str(list(given.values())))
@pytest.mark.parametrize("config", [{}, {"output": "softmax", "cost": "log_likelihood"}], ids=str)
@pytest.mark.parametrize("function", LOSSES)
def test_nothing(function, config, given):
    """An array without numbers has a shape nevertheless."""
    ours, theirs = check(function, FUNCTIONS[function] | given, **config)
    assert ours == theirs


@pytest.mark.parametrize(
    ("function", "name", "value"),
    [
        (function, name, np.zeros(shape))
        for function in ("bp1", "bp2", "bp3", "bp4")
        for name in {"bp1": "zy", "bp2": ["delta", "weights", "z"], "bp3": ["delta"]}.get(
            function, ["delta", "a"]
        )
        for shape in ((0, 2), (0, 3), (2, 0), (0, 0), 0)
    ],
)
def test_nothing_in_an_equation(function, name, value):
    ours, theirs = check(function, FUNCTIONS[function] | {name: value})
    assert argument(ours) == argument(theirs) == name


@pytest.mark.parametrize(("outputs", "config", "y"), [case[:3] for case in bad_arrays.FLAT])
def test_outputs_of_one_axis(outputs, config, y):
    parts = {
        "weights": [WEIGHTS[0][:outputs]],
        "biases": [BIASES[0][:outputs]],
    }
    for function in (*LOSSES, "bp1"):
        given = {"z": Z[:, :outputs]} if function == "bp1" else parts | {"x": X}
        ours, theirs = check(function, given | {"y": y}, **config)
        assert ours == theirs


@pytest.mark.parametrize("y", [[], np.empty(0), np.empty(0, int), np.empty(0, bool)], ids=repr)
@pytest.mark.parametrize("config", [{}, ONE, SOFTMAX], ids=str)
def test_no_target(config, y):
    for function in (*LOSSES, "bp1"):
        ours, theirs = check(function, FUNCTIONS[function] | {"y": y}, **config)
        assert ours == theirs


@pytest.mark.parametrize("config", [case[0] for case in bad_names.NAMES], ids=str)
def test_names(config):
    for function in LOSSES:
        ours, theirs = check(function, FUNCTIONS[function], **config)
        assert argument(ours) == argument(theirs)
    if "hidden" not in config:
        check("bp1", FUNCTIONS["bp1"], **config)
    if "cost" not in config:
        check("forward", FUNCTIONS["forward"], **config)


@pytest.mark.parametrize("function", [*LOSSES, "forward", "trace"])
def test_softmax_of_one_output(function):
    parts = {
        "weights": [WEIGHTS[0][:1]],
        "biases": [BIASES[0][:1]],
        "x": X,
    }
    y = {"y": Y[:, :1]} if function in LOSSES else {}
    ours, theirs = check(function, parts | y, output="softmax")
    assert ours == theirs


@pytest.mark.parametrize("hidden", ["softmax", "zzz", None, ["tanh"]])
def test_hidden_where_there_is_no_hidden_layer(hidden):
    parts = {
        "weights": WEIGHTS[:1],
        "biases": BIASES[:1],
        "x": X,
    }
    check("forward", parts, hidden=hidden)


@pytest.mark.parametrize("reduction", ["average", None, 1, np.ones((2, 2))])
@pytest.mark.parametrize("function", [*LOSSES, "bp1"])
def test_reductions(function, reduction):
    check(function, FUNCTIONS[function] | {"reduction": reduction})


@pytest.mark.parametrize("activation", ["softmax", "zzz", None, 1])
def test_activations_of_bp2(activation):
    check("bp2", FUNCTIONS["bp2"], activation=activation)


@pytest.mark.parametrize("name", bpfast.COSTS)
@pytest.mark.parametrize("output", bpfast.ACTIVATIONS)
def test_outputs_of_a_cost(output, name):
    for function in [*LOSSES, "bp1"]:
        if output not in bad_names.ALLOWED.get(name, set(bpfast.ACTIVATIONS)):
            check(function, FUNCTIONS[function], output=output, cost=name)
        else:
            arguments = FUNCTIONS[function]
            getattr(reference, function)(**arguments, output=output, cost=name)


@pytest.mark.parametrize("case", range(len(bad_costs.WRONG)))
@pytest.mark.parametrize("function", [*LOSSES, "bp1"])
def test_invalid_results_of_a_callable_cost(function, case):
    def cost(a, y):
        return bad_costs.WRONG[case][0](np.asarray(a), np.asarray(y))

    check(function, FUNCTIONS[function], cost=cost)


RAGGED = [["a"], ["b", "c"], ["d"], ["e"]]


@pytest.mark.parametrize("y", [1.0, [[0]] * 3, [0.0] * 4, [0, 1, 2, 3], [["a"]] * 4, RAGGED])
@pytest.mark.parametrize("function", [*LOSSES, "bp1"])
def test_the_y_of_a_callable(function, y):
    keywords = {"cost": lambda a, y: (np.zeros(4), np.zeros((4, 2)))}
    arguments = FUNCTIONS[function] | {"y": y}
    ours, theirs = (raised(module, function, arguments, keywords) for module in (bpfast, reference))
    assert type(ours) is type(theirs), f"{ours!r}, reference: {theirs!r}"
