"""Every cost over every output where z, or the gaps between them, are large: against 60 digits."""

import math

import numpy as np
import pytest
from mpmath import exp, log, log1p, mpf, workdps

import bpfast
from bpfast import reference
from tests.helpers.tolerance import RELATIVE, close

DTYPES = ["float32", "float64"]
FUSED = [
    ("sigmoid", "cross_entropy"), ("softmax", "cross_entropy"), ("softmax", "log_likelihood"),
    ("sigmoid", "poisson"), ("softplus", "poisson"), ("softmax", "poisson"),
]  # fmt: skip
LARGE = [0.1, 5.0, 20.0, 300.0, 1e3, 1e5, 1e16, 1e30]
LARGEST = {"float32": [3.3e38], "float64": [8e307, 1.7e308]}


def rows(dtype, widths=(1, 2, 3, 5)):
    """Rows of z of each width: some gaps between them large, some not."""
    for m in (*LARGE, *LARGEST[dtype]):
        of_width = {
            1: ([m], [-m]),
            2: ([m, 0.0], [-m, m]),
            3: ([m, 0.3, -0.5], [m, -m, -m], [m, 0.999 * m, 0.5 * m]),
            5: ([m, 0.25 * m, -m, 0.0, -0.5 * m],),
        }
        yield from (np.array(z, dtype) for width in widths for z in of_width[width])


def targets(width, cost, dtype):
    """Labels, none, all, soft ones that add up to 1 and others that do not."""
    yield from np.eye(width, dtype=dtype)[:2]
    yield np.zeros(width, dtype)
    yield np.ones(width, dtype)
    yield (np.arange(1, width + 1) / (width * (width + 1) / 2)).astype(dtype)
    yield np.linspace(0.9, 0.15, width).astype(dtype)
    if cost != "cross_entropy":
        yield np.linspace(0.5, 7.0, width).astype(dtype)


# What a, 1 − a and their logarithms are, where nothing cancels


def power(v):
    """e^v; 0 where it matters to no sum here."""
    return exp(v) if v > -(10**6) else mpf(0)


def sigmoid(z):
    return 1 / (1 + power(-z)) if z > 0 else power(z) / (1 + power(z))


def softplus(z):
    return max(z, mpf(0)) + log1p(power(-abs(z)))


def softmax(z):
    top = max(z)
    powers = [power(v - top) for v in z]
    return [p / sum(powers) for p in powers]


def log_sum(z):
    """ln Σ e^z, and None for no z."""
    top = max(z, default=None)
    return top and top + log(sum(power(v - top) for v in z))


def without(z, k):
    return z[:k] + z[k + 1 :]


def times(y, value):
    return mpf(0) if y == 0 else y * value


def exact(output, cost, z, y):
    """C_x and ∂C_x/∂z of one example."""
    z, y, n = [mpf(float(v)) for v in z], [mpf(float(v)) for v in y], len(z)
    if output == "softmax":
        a, whole = softmax(z), log_sum(z)
        rest = [sum(without(softmax(z), k)) for k in range(n)]  # 1 − a
        ln_a = [v - whole if v != max(z) else log1p(-r) if r < 0.5 else log(1 - r)
                for v, r in zip(z, rest, strict=True)]  # fmt: skip
        ln_rest = [log1p(-a_k) if a_k < 0.5 else log_sum(without(z, k)) - whole
                   for k, a_k in enumerate(a)]  # fmt: skip
    elif output == "sigmoid":
        a, rest = list(map(sigmoid, z)), [sigmoid(-v) for v in z]
        ln_a, ln_rest = [-softplus(-v) for v in z], [-softplus(v) for v in z]
    else:
        a, slopes = list(map(softplus, z)), list(map(sigmoid, z))
        ln_a = [log(v) if v > 0 else z_k for v, z_k in zip(a, z, strict=True)]
        ratios = [s / v if v > 0 else mpf(1) for s, v in zip(slopes, a, strict=True)]
        c = sum(a) - sum(map(times, y, ln_a))
        return c, [s - y_k * r for s, y_k, r in zip(slopes, y, ratios, strict=True)]
    c = -sum(map(times, y, ln_a))
    if cost == "cross_entropy":
        c -= sum(times(1 - y_k, v) for y_k, v in zip(y, ln_rest, strict=True))
    elif cost == "poisson":
        c += sum(a)
    miss = [(1 - y_k) - r if a_k > 0.5 else a_k - y_k
            for a_k, r, y_k in zip(a, rest, y, strict=True)]  # fmt: skip
    if (output, cost) == ("softmax", "cross_entropy"):
        delta = list(miss)
        for k in range(n):
            shares = softmax(without(z, k)) if n > 1 else []
            for j, share in zip(without(list(range(n)), k), shares, strict=True):
                delta[j] -= share * miss[k]
        return c, delta
    if output == "softmax":
        total = sum(y)
        return c, [(total - y_k) - r * total if a_k > 0.5 else a_k * total - y_k
                   for a_k, r, y_k in zip(a, rest, y, strict=True)]  # fmt: skip
    return c, miss if cost == "cross_entropy" else [m * r for m, r in zip(miss, rest, strict=True)]


# Below these, numbers of the dtype are subnormal, and lose digits.
NORMAL = {"float32": 2.0**-126, "float64": 2.0**-1022}


def agrees(got, expected, dtype, scale):
    """As `close`, for values whose squares overflow or that underflow; infinities are the same."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    infinite = np.isinf(expected)
    if not np.array_equal(got[infinite], expected[infinite]):
        return False
    got, expected = np.where(infinite, 0.0, got), np.where(infinite, 0.0, expected)
    scale = max(scale, NORMAL[dtype] / RELATIVE[dtype])
    size = max(float(np.abs(expected).max()), scale)
    return close(got / size, expected / size, dtype, scale=scale / size)


def finite(value):
    """The nearest float, or infinity."""
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def network(z, output, cost):
    """A network that is its output layer, with z^L = b at x = 0."""
    kinds = {"output": output, "cost": cost, "init": "zeros", "dtype": str(z.dtype)}
    net = bpfast.Network([1, len(z)], **kinds)
    net.biases[0] = z
    return net


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("output", "cost"), FUSED)
def test_against_60_digits(output, cost, dtype):
    for z in rows(dtype, (2, 3, 5) if output == "softmax" else (1, 2, 3)):
        for y in targets(len(z), cost, dtype):
            with workdps(60):
                c, delta = exact(output, cost, z, y)
            # Cross-entropy over softmax subtracts nothing that it does not know to the last digit.
            scale = 0.0 if (output, cost) == ("softmax", "cross_entropy") else max(1.0, y.max())
            c, delta = finite(c), [finite(v) for v in delta]
            net, case = network(z, output, cost), (z, y)
            got = net.errors([[0.0]], [y])[-1][0]
            assert agrees(got, delta, dtype, scale), case
            near_c = pytest.approx(c, rel=RELATIVE[dtype], abs=NORMAL[dtype])
            assert net.cost([[0.0]], [y]) == near_c, case
            assert net.backprop([[0.0]], [y]).cost == net.cost([[0.0]], [y]), case
            kinds = {"output": output, "cost": cost}
            assert bpfast.bp1(z[np.newaxis], [y], **kinds).tobytes() == got.tobytes(), case
            parameters = ([np.zeros((len(z), 1), dtype)], [z])
            x = np.zeros((1, 1), dtype)
            assert bpfast.errors(*parameters, x, [y], **kinds)[-1].tobytes() == got.tobytes(), case
            if dtype == "float64":
                theirs = [[[0.0]] * len(z)], [z.tolist()], [[0.0]], [y.tolist()]
                of_reference = reference.errors(*theirs, **kinds)[-1][0]
                assert agrees(of_reference, delta, dtype, scale), case
                assert reference.cost(*theirs, **kinds) == near_c, case


@pytest.mark.parametrize("dtype", DTYPES)
def test_poisson_over_sigmoid_is_accurate_near_saturation(dtype):
    z = np.array([[5.0, 20.0, 40.0, 80.0]], dtype)
    delta = bpfast.bp1(z, [[3.0] * 4], output="sigmoid", cost="poisson")[0]
    e = np.exp(-z[0].astype(float))
    expected = -(2 + 3 * e) * e / (1 + e) ** 2
    assert delta == pytest.approx(expected, rel=RELATIVE[dtype], abs=0)


@pytest.mark.parametrize("cost", ["quadratic", "huber", "absolute"])
@pytest.mark.parametrize("output", bpfast.ACTIVATIONS)
def test_against_the_reference(output, cost):
    for z in rows("float64", (2, 3) if output == "softmax" else (1, 3)):
        for y in targets(len(z), cost, "float64"):
            net, case, kinds = network(z, output, cost), (z, y), {"output": output, "cost": cost}
            theirs = [[[0.0]] * len(z)], [z.tolist()], [[0.0]], [y.tolist()]
            delta = reference.errors(*theirs, **kinds)[-1][0]
            # σ' comes from a; softmax takes δ of the largest a out of all before anything is added.
            scale = 0.0 if output == "softmax" else 1.0
            assert agrees(net.errors([[0.0]], [y])[-1][0], delta, "float64", scale), case
            c = reference.cost(*theirs, **kinds)
            assert net.cost([[0.0]], [y]) == pytest.approx(c, rel=1e-12, abs=1e-12), case


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cost", ["cross_entropy", "log_likelihood"])
def test_labels_weights_and_batches(cost, dtype):
    """Rows of a batch are what they are alone, times their share; labels are ones and zeros."""
    z = np.array([z for z in rows(dtype, (3,)) if np.abs(z).max() < 1e30])
    n = len(z)
    labels, s = np.arange(n) % 3, 1.0 + np.arange(n) % 5
    net = bpfast.Network([3, 3], output="softmax", cost=cost, init="zeros", dtype=dtype)
    net.weights[0][:] = np.eye(3)
    y = np.eye(3, dtype=dtype)[labels]
    together = net.errors(z, labels, sample_weight=s)[-1]
    assert net.errors(z, y, sample_weight=s)[-1].tobytes() == together.tobytes()
    assert net.cost(z, labels, sample_weight=s) == net.cost(z, y, sample_weight=s)
    alone = [net.errors(z[k : k + 1], labels[k : k + 1])[-1][0] for k in range(n)]
    for k in range(n):
        assert close(together[k], s[k] / s.sum() * alone[k].astype(float), dtype), z[k]
    c = [net.cost(z[k : k + 1], labels[k : k + 1]) for k in range(n)]
    assert net.cost(z, labels, sample_weight=s) == pytest.approx(s @ c / s.sum(), rel=1e-14)


@pytest.mark.parametrize("gap", [0.0, 10.0, 1e3, 1e16, 1e300])
def test_many_outputs(gap):
    z = np.random.default_rng(3).standard_normal(200)
    z[7] += gap
    kinds = {"output": "softmax", "cost": "cross_entropy"}
    for y in (np.eye(200)[7], np.eye(200)[8], np.full(200, 1 / 200)):
        expected = reference.bp1([z.tolist()], [y.tolist()], **kinds)[0]
        assert close(bpfast.bp1([z], [y], **kinds)[0], expected, "float64")


@pytest.mark.parametrize(
    ("z", "y", "delta"),
    [
        ([0.0, -math.inf], [0, 1], [2.0, -2.0]),
        ([0.0, -math.inf], [1, 0], [0.0, 0.0]),
        ([0.0, -math.inf, -math.inf], [1, 0, 0], [0.0, 0.0, 0.0]),
        # The ratio of the two at -inf has no limit.
        ([0.0, -math.inf, -math.inf], [0, 1, 0], [2.0, math.nan, math.nan]),
        ([math.inf, 0.0], [1, 0], [math.nan, math.nan]),  # as softmax itself
    ],
)
def test_infinite_z(z, y, delta):
    kinds = {"output": "softmax", "cost": "cross_entropy"}
    np.testing.assert_allclose(reference.bp1([z], [y], **kinds), [delta], rtol=1e-15)
    np.testing.assert_allclose(bpfast.bp1([z], [y], **kinds), [delta], rtol=1e-15)
    single = np.array([z], np.float32)
    np.testing.assert_allclose(bpfast.bp1(single, [y], **kinds), [delta], rtol=1e-6)
