"""Bad arrays and bad names get the error that says so, at every door, and change nothing."""

import re

import numpy as np
import pytest

import bpfast
from tests.helpers.invalid.bad_arrays import CASES, FLAT, LABELS, NO_NUMBERS, WRONG_RANKS
from tests.helpers.invalid.entry_points import (
    ARRAYS,
    BIASES,
    ENTRY_POINTS,
    LOSSES,
    TAKE_PARTS,
    WEIGHTS,
    X,
    Z,
    call,
    good,
    replaced,
)
from tests.helpers.refuses import refuses


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_the_changed_matrix_is_valid_before_the_change(entry_point):
    call(entry_point, ENTRY_POINTS[entry_point])


def is_optional_bias(entry_point, name):
    """Whether None for one b^l makes a network without it."""
    return name.startswith("biases[") and entry_point != "Network.biases"


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize(("entry_point", "name"), ARRAYS)
def test_non_numbers_are_type_errors(entry_point, name, kind):
    if kind == "None" and (name == "sample_weight" or is_optional_bias(entry_point, name)):
        pytest.skip("None is how to leave them out")
    spoil, message = NO_NUMBERS[kind]
    net = bpfast.Network.from_parameters(WEIGHTS, BIASES)
    bad = replaced(ENTRY_POINTS[entry_point], name, spoil(good(entry_point, name)))
    with refuses(TypeError, f"^{re.escape(name)}: {message}", net, *bad.values()):
        call(entry_point, bad, net=net)


@pytest.mark.parametrize("spoil", WRONG_RANKS)
@pytest.mark.parametrize(("entry_point", "name"), ARRAYS)
def test_a_wrong_rank_is_a_value_error(entry_point, name, spoil):
    net = bpfast.Network.from_parameters(WEIGHTS, BIASES)
    bad = replaced(ENTRY_POINTS[entry_point], name, spoil(good(entry_point, name)))
    with refuses(ValueError, f"^{re.escape(name)}: ", net, *bad.values()):
        call(entry_point, bad, net=net)


@pytest.mark.parametrize(("entry_point", "name", "value", "message"), CASES)
def test_wrong_shapes_are_value_errors(entry_point, name, value, message):
    net = bpfast.Network.from_parameters(WEIGHTS, BIASES)
    bad = replaced(ENTRY_POINTS[entry_point], name, value)
    with refuses(ValueError, f"^({message})$", net, *bad.values()):
        call(entry_point, bad, net=net)


@pytest.mark.parametrize("entry_point", [*LOSSES, "bp1"])
def test_the_sum_with_all_zero_weights_is_zero(entry_point):
    found = call(
        entry_point, ENTRY_POINTS[entry_point] | {"sample_weight": [0] * 4, "reduction": "sum"}
    )
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


@pytest.mark.parametrize(("name", "value"), [("weights", 3), ("biases", 2), ("weights", None)])
@pytest.mark.parametrize("entry_point", TAKE_PARTS)
def test_parameters_are_lists_of_arrays(entry_point, name, value):
    with refuses(TypeError, f"^{name}: expected a (list|sequence) of arrays"):
        call(entry_point, ENTRY_POINTS[entry_point] | {name: value})


@pytest.mark.parametrize(("config", "labels", "kind", "message"), LABELS)
@pytest.mark.parametrize("entry_point", [*LOSSES, "bp1"])
def test_labels(entry_point, config, labels, kind, message):
    with refuses(kind, f"^{message}", labels, X, *WEIGHTS, *BIASES):
        call(entry_point, ENTRY_POINTS[entry_point] | {"y": labels}, **config)


@pytest.mark.parametrize(("outputs", "config", "y", "said"), FLAT)
def test_outputs_of_one_axis(outputs, config, y, said):
    parts = {"weights": [WEIGHTS[0][:outputs]], "biases": [BIASES[0][:outputs]]}
    message = f"^{re.escape(f'y: expected shape (4, {outputs}){said}')}"
    message += "$" if "got" in said else ""
    net = bpfast.Network.from_parameters(**parts, **config)
    for entry_point in (*LOSSES, "bp1"):
        given = {"z": Z[:, :outputs]} if entry_point == "bp1" else {"x": X}
        if "." not in entry_point and entry_point != "bp1":
            given |= parts
        with refuses(ValueError, message):
            call(entry_point, given | {"y": y}, net=net, **config)
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
