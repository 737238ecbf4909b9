"""Arrays that are refused, and with which words."""

import re

import numpy as np

from tests.helpers.invalid.entry_points import (
    BIASES,
    LOSSES,
    ONE,
    SOFTMAX,
    TAKE_PARTS,
    TAKE_S,
    TAKE_X,
    WEIGHTS,
    S,
    X,
    Y,
)
from tests.helpers.messages import EMPTY_BATCH

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
WRONG_RANKS = [
    lambda a: a[..., None],
    lambda a: a[0],
    lambda a: 1.0,
    lambda a: [],
    lambda a: [[]],
    lambda a: [[[1.0]], [1.0]],  # ragged
    lambda a: [*a[:-1].tolist(), []],  # ragged
]


def shape(name, expected, got):
    return re.escape(f"{name}: expected shape {expected}, got {got}")


WEIGHT = "expected a finite weight, 0 or above"
SUM = "; reduction='sum' takes any sign"
ZERO = "expected a weight above 0 for at least one example, got all zero"
SHAPES = [
    (TAKE_X, "x", np.ones((0, 3)), EMPTY_BATCH.format("x")),
    (TAKE_X, "x", np.ones((4, 2)), shape("x", "(4, 3)", "(4, 2)")),
    (TAKE_X, "x", X.T, shape("x", "(3, 3)", "(3, 4)") + "; examples are rows: x.T"),
    (LOSSES, "y", Y[:3], shape("y", "(4, 2)", "(3, 2)")),
    (LOSSES, "y", Y[:1], shape("y", "(4, 2)", "(1, 2)")),
    (LOSSES, "y", Y[:, :1], shape("y", "(4, 2)", "(4, 1)")),
    (LOSSES, "y", Y[:, 0], shape("y", "(4, 2)", "(4,)")),
    (LOSSES, "y", Y[:, 0].astype("f4"), shape("y", "(4, 2)", "(4,)")),
    (LOSSES, "y", Y[:3].astype(int), shape("y", "(4, 2)", "(3, 2)")),
    (TAKE_S, "sample_weight", S[:3], shape("sample_weight", "(4,)", "(3,)")),
    (TAKE_S, "sample_weight", [1, 1, -1, 1], rf"sample_weight\[2\]: {WEIGHT}, got -1{SUM}"),
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
CASES = [(entry_point, *rest) for entry_points, *rest in SHAPES for entry_point in entry_points]


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
    (SOFTMAX, [0.0, 1.0, 0.0], ValueError, shape("y", "(4,)", "(3,)")),
    (SOFTMAX, [0.0, 1.0, 2.0, 0.0], ValueError, label(2, 2)),
    (SOFTMAX, [0.0, 1.0, 0.0, 0.5], ValueError, label(3, 0.5)),
    (SOFTMAX, np.array([0, 1, -1, np.nan], "f4"), ValueError, label(2, -1)),
    (SOFTMAX, [0.0, 1.0, 0.0, np.nan], ValueError, label(3, "nan")),
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
FLAT = [
    # outputs, config, y of one axis or a column, the message after the expected shape
    (1, {}, [0.5, 1.0, 0.0], ", got (3,)"),
    (1, ONE, [0.5, 1.0, 0.0], ", got (3,)"),
    (1, {}, [0, 1, 0], ", got (3,)"),
    (2, SOFTMAX, [[0], [1], [0], [1]], ", got (4, 1); labels have one axis: y.ravel()"),
    (2, ONE, np.array([[0], [1], [0], [1]], "u1"), ", got (4, 1); labels have one axis: y.ravel()"),
    (2, SOFTMAX, [[0.0], [1.0], [0.0], [1.0]], ", got (4, 1); labels have one axis: y.ravel()"),
    (2, SOFTMAX, [[0.0], [1.0], [0.0], [0.5]], ", got (4, 1)"),
    (2, {}, [[0], [1], [0], [1]], ", got (4, 1)"),
    (2, {}, [0.0, 1.0, 0.0, 1.0], " (class labels go with 'cross_entropy' and 'log_likelihood'), "),
    (2, {}, [0.0, 1.0, 0.0, 0.5], ", got (4,)"),
]
