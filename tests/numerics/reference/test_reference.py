"""The reference against numbers worked out by hand, 40-digit arithmetic and its own differences."""

import copy
import math
import random

import numpy as np
import pytest

from bpfast import reference
from tests.helpers.cases.one_neuron import ELEMENTWISE, FUSED, PAIRS, cost_of, prime, sigma

LN2, LN3 = math.log(2), math.log(3)


# A few roundings of numbers of the order of 1.
approx = pytest.approx


def close(expected):
    return approx(expected, rel=1e-15, abs=1e-16)


@pytest.mark.parametrize(
    ("name", "z", "a", "slope"),
    [
        ("identity", -2, -2, 1),
        ("sigmoid", 0, 1 / 2, 1 / 4),
        ("sigmoid", LN3, 3 / 4, 3 / 16),  # 1 / (1 + 1/3); 3/4 · 1/4
        ("sigmoid", -LN3, 1 / 4, 3 / 16),
        ("tanh", LN2, 3 / 5, 16 / 25),  # (2 - 1/2) / (2 + 1/2); 1 - 9/25
        ("tanh", 0, 0, 1),
        ("relu", 3, 3, 1),
        ("relu", -3, 0, 0),
        ("relu", 0, 0, 0),
        ("leaky_relu", 3, 3, 1),
        ("leaky_relu", -3, -0.03, 0.01),
        ("leaky_relu", 0, 0, 0.01),
        ("elu", 3, 3, 1),
        ("elu", -LN2, -1 / 2, 1 / 2),  # e^{-ln 2} - 1; its slope is a + 1
        ("elu", 0, 0, 1),
        ("gelu", 0, 0, 1 / 2),  # Φ(0)
        ("silu", 0, 0, 1 / 2),
        ("silu", LN3, 3 / 4 * LN3, 3 / 4 + 3 / 16 * LN3),  # s + z s (1 - s)
        ("leaky_relu(0.5)", -3, -1.5, 0.5),
        ("leaky_relu(slope=2)", -3, -6, 2),
        ("elu(alpha=4)", -LN2, -2, 2),  # 4 (1/2 - 1); a + 4
        ("selu", 2, 2.101401974710961, 1.0507009873554805),
        ("selu", -LN2, -0.8790496704236884, 0.8790496704236884),  # λ α / 2
        ("selu", 0, 0, 1.7580993408473769),  # λ α, from the left
        ("gelu_tanh", 0, 0, 1 / 2),
        ("mish", 0, 0, 3 / 5),  # tanh(ln 2) = (2 - 1/2) / (2 + 1/2)
        (
            "mish",
            LN3,
            15 / 17 * LN3,
            15 / 17 + 48 / 289 * LN3,
        ),  # t = 15/17, (1 - t²) s = 64/289 · 3/4
        ("hard_sigmoid", 1.5, 3 / 4, 1 / 6),
        ("hard_sigmoid", -3, 0, 0),
        ("hard_sigmoid", 3, 1, 0),
        ("hard_sigmoid", 7, 1, 0),
        ("hard_swish", 1.5, 9 / 8, 1),  # 1.5 · 3/4; (3 + 3) / 6
        ("hard_swish", -1.5, -3 / 8, 0),
        ("hard_swish", -3, 0, 0),
        ("hard_swish", 3, 3, 1),
        ("hard_swish", 7, 7, 1),
        ("sin", math.pi / 6, 1 / 2, math.sqrt(3) / 2),
        ("sin", math.pi, 1.2246467991473532e-16, -1),  # sin(π - π₆₄) = π - π₆₄
        ("softplus", 0, LN2, 1 / 2),
        ("softplus", LN3, 2 * LN2, 3 / 4),  # ln(1 + 3)
        ("softplus", math.log(math.e - 1), 1, 1 - 1 / math.e),
    ],
)
def test_activation(name, z, a, slope):
    assert sigma(name, z) == close(a)
    assert prime(name, z) == close(slope)


# a^L is 1/4 and 3/4 for softmax of (0, ln 3), and 3/4 for sigmoid of ln 3.
@pytest.mark.parametrize(
    ("output", "cost", "z", "y", "c", "delta"),
    [
        # ½ (¼ + 9); r
        ("identity", "quadratic", [1, 2], [0.5, 5], 37 / 8, [0.5, -3]),
        # ½ (3/4 - 1)²; -¼ · 3/16
        ("sigmoid", "quadratic", [LN3], [1], 1 / 32, [-3 / 64]),
        # g = (-3/4, 3/4), Σ a g = 3/8; ¼ (-3/4 - 3/8), ¾ (3/4 - 3/8)
        ("softmax", "quadratic", [0, LN3], [1, 0], 9 / 16, [-9 / 32, 9 / 32]),
        # ½ · ¼ + (3 - ½); |r| ≤ 1 gives r, else its sign
        ("identity", "huber", [1, 2], [0.5, 5], 21 / 8, [0.5, -1]),
        ("identity", "huber", [1, 3], [0, 4], 1, [1, -1]),
        ("identity", "absolute", [1, 2, 7], [0.5, 5, 7], 3.5, [1, -1, 0]),
        # -ln 3/4; a - y
        ("sigmoid", "cross_entropy", [LN3], [1], 2 * LN2 - LN3, [-1 / 4]),
        ("sigmoid", "cross_entropy", [LN3], [0], 2 * LN2, [3 / 4]),
        ("sigmoid", "cross_entropy", [0], [0.3], LN2, [0.2]),
        # -ln a_1 - ln(1 - a_2), both of 1/4; with two outputs, δ_1 = (a_1 - y_1) - (a_2 - y_2)
        ("softmax", "cross_entropy", [0, LN3], [1, 0], 4 * LN2, [-3 / 2, 3 / 2]),
        # -ln 1/4; a Σ y - y
        ("softmax", "log_likelihood", [0, LN3], [1, 0], 2 * LN2, [-3 / 4, 3 / 4]),
        ("softmax", "log_likelihood", [0, LN3], [2, 0], 4 * LN2, [-3 / 2, 3 / 2]),
        # 3/4 - 2 ln 3/4; (3/4 - 2) ¼
        ("sigmoid", "poisson", [LN3], [2], 3 / 4 + 4 * LN2 - 2 * LN3, [-5 / 16]),
        # a = 1: 1 - 3 ln 1; (1 - 3) σ'
        ("softplus", "poisson", [math.log(math.e - 1)], [3], 1, [2 / math.e - 2]),
        # 1 - 2 ln 1/4
        ("softmax", "poisson", [0, LN3], [2, 0], 1 + 4 * LN2, [-3 / 2, 3 / 2]),
    ],
)
def test_cost_and_bp1(output, cost, z, y, c, delta):
    assert cost_of([z], [y], output=output, cost=cost) == close(c)
    assert reference.bp1([z], [y], output=output, cost=cost) == [close(delta)]


def test_bp2():
    # δW = (1 · 1 + 2 · 3, 1 · 2 + 2 · 4) = (7, 10); σ'(0) = 1/4, σ'(ln 3) = 3/16
    assert reference.bp2([[1, 2]], [[1, 2], [3, 4]], [[0, LN3]]) == [close([7 / 4, 15 / 8])]


def test_bp3():
    assert reference.bp3([[1, 2], [3, 5], [-1, 0]]) == [3, 7]


def test_bp4():
    # δ_1 = (1, 3) with a_1 = (1, 2): 1 + 6; with a_2 = (0, 1): 3. δ_2 = (2, 5): 2 + 10; 5.
    assert reference.bp4([[1, 2], [3, 5]], [[1, 0], [2, 1]]) == [[7, 3], [12, 5]]


# x = (1, 2): z^2 = (1 - 2 + 0, 1 + 2 + 1) = (-1, 4), a^2 = (0, 4), z^3 = a^3 = 0 + 4 + 1.
# x = (2, 0): z^2 = (2, 2 + 1) = a^2, z^3 = a^3 = -2 + 3 + 1.
NET = {"weights": [[[1, -1], [1, 1]], [[-1, 1]]], "biases": [[0, 1], [1]]}


NET["x"] = [[1, 2], [2, 0]]


KINDS = {"hidden": "relu", "output": "identity"}


def test_trace():
    t = reference.trace(**NET, **KINDS)
    assert t == ([[[-1, 4], [2, 3]], [[5], [2]]], [[[1, 2], [2, 0]], [[0, 4], [2, 3]], [[5], [2]]])
    assert t.z[-1] == t.a[-1] == reference.forward(**NET, **KINDS)


def test_errors():
    # r = 2 and -3, halved by the mean; δ^3 W^3 = (-1, 1) and (3/2, -3/2); relu' = (0, 1) and (1, 1)
    d = reference.errors(**NET, y=[[3], [5]], **KINDS)
    assert d == [[[0, 1], [1.5, -1.5]], [[1], [-1.5]]]


def test_backprop():
    c, nabla_w, nabla_b = reference.backprop(**NET, y=[[3], [5]], **KINDS)
    assert c == (4 / 2 + 9 / 2) / 2
    # W^2: δ_1 = (0, 3/2) on x = (1, 2), (2, 0): 3, 0. δ_2 = (1, -3/2): 1 - 3, 2.
    # W^3: 1 · (0, 4) - 3/2 · (2, 3)
    assert nabla_w == [[[3, 0], [-2, 2]], [[-3, -0.5]]]
    assert nabla_b == [[1.5, -0.5], [-0.5]]


def test_sum_and_sample_weight():
    y = [[3], [5]]
    c, nabla_w, nabla_b = reference.backprop(**NET, y=y, **KINDS, reduction="sum")
    assert (c, nabla_w, nabla_b) == (6.5, [[[6, 0], [-4, 4]], [[-6, -1]]], [[3, -1], [-1]])
    # (1 · 2 + 3 · 9/2) / 4; δ^3 = 1 · 2 / 4 and 3 · (-3) / 4
    weighted = {"y": y, "sample_weight": [1, 3]} | KINDS
    assert reference.cost(**NET, **weighted) == 15.5 / 4
    assert reference.errors(**NET, **weighted)[-1] == [[0.5], [-2.25]]
    assert reference.cost(**NET, **weighted, reduction="sum") == 15.5
    assert reference.errors(**NET, **weighted, reduction="sum")[-1] == [[2], [-9]]
    # A weight of 0 is an example that is not there.
    left_out = reference.backprop(**NET, y=y, **KINDS, sample_weight=[0, 7])
    alone = reference.backprop(**(NET | {"x": [[2, 0]]}), y=[[5]], **KINDS)
    assert left_out == alone


@pytest.mark.parametrize(("output", "cost"), [p for p in FUSED if p[1] != "poisson"])
def test_labels_are_one_hot_rows(output, cost):
    z, rows = [[0, 1, 2], [2, 0, -1]], [[0, 0, 1], [1, 0, 0]]
    kinds = {"output": output, "cost": cost}
    for labels in ([2, 0], np.array([2, 0], dtype=np.uint8)):
        assert reference.bp1(z, labels, **kinds) == reference.bp1(z, rows, **kinds)
        assert cost_of(z, labels, **kinds) == cost_of(z, rows, **kinds)


def test_labels_of_one_output_equal_targets():
    kinds = {"output": "sigmoid", "cost": "cross_entropy"}
    for labels in ([0, 1], [False, True]):
        assert reference.bp1([[0], [LN3]], labels, **kinds) == [close([0.25]), close([-0.125])]


def test_cost_callable():
    seen = []

    def cubic(a, y):
        seen.append(copy.deepcopy((a, y)))
        pairs = [list(zip(*rows, strict=True)) for rows in zip(a, y, strict=True)]
        costs = [sum((p - q) ** 3 / 3 for p, q in row) for row in pairs]
        nabla_a = [[(p - q) ** 2 for p, q in row] for row in pairs]
        a[0][0] = y[0][0] = math.nan  # it was given copies
        return np.array(costs), nabla_a

    z, y = [[1, 2], [3, 4]], [[0, 0], [1, 1]]
    delta = reference.bp1(z, y, output="identity", cost=cubic, sample_weight=[1, 3])
    assert delta == [[1 / 4, 4 / 4], [3 * 4 / 4, 3 * 9 / 4]]
    assert seen == [(z, y)]
    assert cost_of(z, y, output="identity", cost=cubic) == close((3 + 35 / 3) / 2)
    # Jacobian product: a = (1/4, 3/4), g = a²; Σ a g = 28/64; δ_1 = ¼ (1/16 - 28/64)
    [delta] = reference.bp1([[0, LN3]], [[0, 0]], output="softmax", cost=cubic)
    assert delta == close([-3 / 32, 3 / 32])


def test_exceptions_of_a_callable_cost_propagate():
    with pytest.raises(ZeroDivisionError):
        reference.bp1([[1]], [[1]], cost=lambda a, y: 1 / 0)


def differences(f, params):
    """∂f/∂p of each parameter; two central differences, so that the error is of order h⁴."""

    def central(i, h):
        return (f([*params[:i], params[i] + h, *params[i + 1 :]])
                - f([*params[:i], params[i] - h, *params[i + 1 :]])) / (2 * h)  # fmt: skip

    return [(4 * central(i, 5e-4) - central(i, 1e-3)) / 3 for i in range(len(params))]


def flat(weights, biases):
    return [v for w in weights for row in w for v in row] + [v for b in biases for v in b]


@pytest.mark.parametrize("hidden", ELEMENTWISE)
@pytest.mark.parametrize(("output", "cost"), PAIRS)
def test_backprop_agrees_with_differences_of_the_cost(hidden, output, cost):
    rng = random.Random(2)

    def uniform(rows, columns, low=-1.5):
        return [[rng.uniform(low, 1.5) for _ in range(columns)] for _ in range(rows)]

    def build(params):
        values = iter(params)
        take = lambda rows, columns: [[next(values) for _ in range(columns)] for _ in range(rows)]  # noqa: E731
        return {"weights": [take(3, 2), take(2, 3)], "biases": [take(1, 3)[0], take(1, 2)[0]]}

    params = uniform(1, 17)[0]
    batch = {"x": uniform(3, 2), "y": uniform(3, 2, low=0.1), "sample_weight": [1, 2.5, 0.25]}
    batch |= {"hidden": hidden, "output": output, "cost": cost}
    slopes = differences(lambda p: reference.cost(**build(p), **batch), params)
    c, nabla_w, nabla_b = reference.backprop(**build(params), **batch)
    # h⁴ = 1e-12 times the fifth derivative, and 1e-16 / h of rounding.
    assert flat(nabla_w, nabla_b) == approx(slopes, rel=1e-9, abs=1e-9)
    assert c == reference.cost(**build(params), **batch)
    assert [reference.bp3(d) for d in reference.errors(**build(params), **batch)] == nabla_b
