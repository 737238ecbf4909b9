"""What the reference takes, and the error that it gives for everything else."""

import copy
import math
import re

import numpy as np
import pytest

from bpfast import reference
from tests.helpers.messages import EMPTY_BATCH

NET = {"weights": [[[1, -1], [1, 1]], [[-1, 1]]], "biases": [[0, 1], [1]]}
NET["x"] = [[1, 2], [2, 0]]
KINDS = {"hidden": "relu", "output": "identity"}


def test_any_array_gives_the_same():
    x = np.asfortranarray([[1.0, 2.0], [2.0, 0.0]], dtype=np.float32)
    x.flags.writeable = False
    expected = reference.forward(**NET, **KINDS)
    for same in (x, x.astype(np.longdouble), ((1, 2), (np.int8(2), False)), x.astype(np.uint8)):
        assert reference.forward(**(NET | {"x": same}), **KINDS) == expected
    arrays = {key: map(np.array, NET[key]) for key in ("weights", "biases")}
    result = reference.backprop(**arrays, x=x, y=[[3], [5]], **KINDS)
    assert result == reference.backprop(**NET, y=[[3], [5]], **KINDS)


W, B, X, Y = [[[1, 2, 3]] * 2, [[1, 2]]], [[1, 2], [1]], [[1, 2, 3]] * 4, [[0]] * 4
# fmt: off
WRONG = [
    ({"weights": [W[0], [[1], [2]]]}, ValueError, r"weights[1]: expected shape (1, 2), got (2, 1)"),
    ({"weights": [[1, 2], W[1]]}, ValueError, r"weights[0]: expected shape (2, n_1), got (2,)"),
    ({"weights": [[[], []], W[1]]}, ValueError, r"weights[0]: expected lengths above 0"),
    ({"weights": []}, ValueError, "weights: expected an array for each layer"),
    ({"weights": 3}, TypeError, "weights: expected a sequence of arrays, got int"),
    ({"biases": [[1, 2]]}, ValueError, "biases: expected as many as weights, 2, got 1"),
    ({"x": [[1, 2]]}, ValueError, r"x: expected shape (1, 3), got (1, 2)"),
    ({"x": [1, 2, 3]}, ValueError, r"x: expected shape (n, 3), got (3,)"),
    ({"x": []}, ValueError, EMPTY_BATCH.format("x")),
    ({"x": [[1, 2, 3], [1]]}, ValueError, "x: expected rows of one length, got a ragged sequence"),
    ({"x": [["1", 2, 3]]}, TypeError, "x: expected real numbers, got str"),
    ({"x": [[1j, 2, 3]]}, TypeError, "x: expected real numbers, got complex"),
    ({"x": [[10**400, 2, 3]]}, TypeError, "x: expected real numbers, got an int beyond float"),
    ({"x": np.array(X, dtype=object)}, TypeError, "x: expected real numbers, got dtype object"),
    ({"x": np.array(X, dtype="M8[ns]")}, TypeError, "x: expected real numbers, got dtype datetime"),
    ({"y": [[0]] * 3}, ValueError, r"y: expected shape (4, 1), got (3, 1)"),
    ({"y": [0.0] * 3}, ValueError, r"y: expected shape (4, 1), got (3,)"),
    ({"y": [0] * 5}, ValueError, r"y: expected shape (4, 1), got (5,)"),
    ({"y": [0] * 3, "cost": "cross_entropy"}, ValueError, r"y: expected shape (4,), got (3,)"),
    ({"y": [0, 1, 2, 0], "cost": "cross_entropy"}, ValueError, "y[2]: expected a label"),
    ({"hidden": ["relu"] * 2}, ValueError, "hidden: expected 1 activations, one per hidden layer"),
    ({"hidden": ["softmax"]}, ValueError, "hidden[0]: expected an activation that acts on each"),
    ({"hidden": "rellu"}, ValueError, "hidden: unknown name 'rellu'; did you mean 'relu'? valid:"),
    ({"output": "zzz"}, ValueError, "output: unknown name 'zzz'; valid: 'identity', 'sigmoid'"),
    ({"cost": "Quadratc"}, ValueError, "cost: unknown name 'Quadratc'; did you mean 'quadratic'?"),
    ({"cost": None}, TypeError, "cost: expected a name, got NoneType"),
    ({"cost": "poisson"} | KINDS, ValueError, "output: expected 'sigmoid' or 'softplus'"),
    ({"cost": lambda a, y: 1}, TypeError, "cost(a, y): expected a pair"),
    ({"cost": lambda a, y: (a, a)}, ValueError, "cost(a, y)[0]: expected shape (4,), got (4, 1)"),
    ({"cost": lambda a, y: ([0] * 4, [0])}, ValueError, "cost(a, y)[1]: expected shape (4, 1)"),
    ({"cost": lambda a, y: (a, a), "y": [[1], [1, 2], [1], [1]]}, ValueError,
     "y: expected rows of one length, got a ragged sequence"),
    ({"reduction": "max"}, ValueError, "reduction: unknown name 'max'; valid: 'mean', 'sum'"),
    ({"sample_weight": [1] * 3}, ValueError, "sample_weight: expected shape (4,), got (3,)"),
    ({"sample_weight": [1, 1, -1, 1]}, ValueError, "sample_weight[2]: expected a finite weight, 0"),
    ({"sample_weight": [1, math.nan, 1, 1]}, ValueError,
     "sample_weight[1]: expected a finite weight, 0 or above, got nan"),
    ({"sample_weight": [1, math.nan, 1, 1], "reduction": "sum"}, ValueError,
     "sample_weight[1]: expected a finite weight, got nan"),
    ({"sample_weight": [0] * 4}, ValueError, "sample_weight: expected a weight above 0"),
    ({"sample_weight": [1e308] * 4}, ValueError, "sample_weight: expected a finite sum"),
]
# fmt: on


@pytest.mark.parametrize(("wrong", "kind", "message"), WRONG, ids=[case[2][:60] for case in WRONG])
def test_bad_input(wrong, kind, message):
    arguments = {"weights": W, "biases": B, "x": X, "y": Y} | wrong
    before = copy.deepcopy((W, B, X, Y))
    for function in (reference.cost, reference.errors, reference.backprop):
        with pytest.raises(kind) as caught:
            function(**arguments)
        assert str(caught.value).startswith(message)
    assert before == (W, B, X, Y)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("bp1", ([1], [[1]]), "z: expected shape (n, n_L), got (1,)"),
        ("bp2", ([[1, 2]], [[1]], [[1]]), "weights: expected shape (2, 1), got (1, 1)"),
        ("bp2", ([[1]], [[1]], [[1, 2]]), "z: expected shape (1, 1), got (1, 2)"),
        ("bp3", ([],), EMPTY_BATCH.format("delta")),
        ("bp4", ([[1]], [[1], [2]]), "a: expected shape (1, 1), got (2, 1)"),
    ],
)
def test_bad_input_of_one_equation(name, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        getattr(reference, name)(*arguments)


def test_softmax_is_only_for_the_output():
    with pytest.raises(ValueError, match="activation: expected an activation that acts on each"):
        reference.bp2([[1]], [[1]], [[1]], activation="softmax")


def test_a_custom_cost_gets_targets_that_cannot_be_copied():
    """As what the engine gives it: what y holds is between the user and the cost."""
    y = [memoryview(b"a"), memoryview(b"b")]

    def cost(a, y):
        return [[0.5, 0.25][y == b"b"] for y in y], [[0.0] for _ in a]

    assert reference.cost([[[1.0]]], [[0.0]], [[1.0], [2.0]], y, cost=cost, reduction="sum") == 0.75


def test_lists_are_no_deeper_than_arrays():
    endless = []
    endless.append(endless)
    with pytest.raises(ValueError, match=r"^x: expected at most 64 dimensions, got lists nested"):
        reference.forward(**(NET | {"x": endless}), **KINDS)
