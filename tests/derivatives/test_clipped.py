"""Clipped gradients: noise, Poisson sampling with its fixed divisor, and seeds."""

import math

import numpy as np
import pytest

import bpfast
from bpfast import reference
from tests.helpers.cases.sparse import sparse
from tests.helpers.philox import philox
from tests.helpers.refuses import refuses

NOISE, SAMPLING = 2, 3  # the purposes of random numbers in src/base/random.rs


def problem(n=50, dtype="float64"):
    rng = np.random.default_rng(0)
    net = bpfast.Network([4, 6, 3], hidden="tanh", output="identity", dtype=dtype, seed=rng)
    return net, rng.standard_normal((n, 4)).astype(dtype), rng.random((n, 3)).astype(dtype)


def uniform(seed, index, purpose):
    """The number of this index between 0 and 1: two for each call of Philox."""
    words = philox(seed, (index // 2, 0, 0, purpose))
    low, high = words[index % 2 * 2 : index % 2 * 2 + 2]
    return ((low | high << 32) >> 11) / 2**53


def normal(seed, index):
    """By Box and Muller."""
    first = index // 2 * 2
    radius = math.sqrt(-2 * math.log(1 - uniform(seed, first, NOISE)))
    angle = 2 * math.pi * uniform(seed, first + 1, NOISE)
    return radius * (math.sin(angle) if index % 2 else math.cos(angle))


def seeds(seed, count):
    """What `clipped_backprop` draws from a seed."""
    rng = np.random.default_rng(seed)
    return [int(rng.integers(2**63)) for _ in range(count)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_is_that_of_plain_python(dtype):
    net, x, y = problem(dtype=dtype)
    plain = net.clipped_backprop(x, y, 0.5, reduction="sum").flat.astype(float)
    got = net.clipped_backprop(x, y, 0.5, noise_multiplier=3.0, seed=8, reduction="sum").flat
    (seed,) = seeds(8, 1)
    expected = plain + [1.5 * normal(seed, k) for k in range(plain.size)]
    tolerance = {"float32": 1e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
    mean = net.clipped_backprop(x, y, 0.5, noise_multiplier=3.0, seed=8).flat
    np.testing.assert_allclose(mean, got / 50, rtol=2 * tolerance, atol=tolerance)


def test_the_deviation_of_noise():
    net = bpfast.Network([200, 200], output="identity", init="zeros")
    x, y = np.zeros((1, 200)), np.zeros((1, 200))
    noise = net.clipped_backprop(x, y, 2.0, noise_multiplier=0.25, seed=0).flat / 0.5
    count = noise.size
    # Five standard errors of each.
    assert abs(noise.mean()) < 5 / math.sqrt(count)
    assert abs((noise**2).mean() - 1) < 5 * math.sqrt(2 / count)
    assert abs((noise**4).mean() - 3) < 5 * math.sqrt(96 / count)
    within = (np.abs(noise) < 1).mean()
    assert abs(within - math.erf(math.sqrt(0.5))) < 5 * math.sqrt(0.22 / count)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_a_sample_has_a_fixed_divisor(as_sparse):
    net, x, y = problem()
    (seed,) = seeds(3, 1)
    drawn = [k for k in range(50) if uniform(seed, k, SAMPLING) < 0.3]
    assert 0 < len(drawn) < 50
    assert len(drawn) != 0.3 * 50
    given = sparse.csr_array(x) if as_sparse else x
    got = net.clipped_backprop(given, y, 0.5, sampling_rate=0.3, seed=3).flat
    total = net.clipped_backprop(x[drawn], y[drawn], 0.5, reduction="sum").flat
    np.testing.assert_allclose(got, total / 15, rtol=1e-14)  # 0.3 · 50, not those drawn
    other = {"sampling_rate": 0.3, "seed": 3, "expected_batch_size": 10}
    got = net.clipped_backprop(given, y, 0.5, **other).flat
    np.testing.assert_allclose(got, total / 10, rtol=1e-14)


def test_all_are_drawn_at_rate_1():
    net, x, y = problem()
    got = net.clipped_backprop(x, y, 0.5, sampling_rate=1.0, seed=3).flat
    assert got.tobytes() == net.clipped_backprop(x, y, 0.5).flat.tobytes()


def test_how_many_are_drawn():
    """The sum of ones at a bias counts them."""
    net = bpfast.Network([1, 1], output="identity", init="zeros")
    x, y = np.zeros((20_000, 1)), np.full((20_000, 1), -1.0)
    options = {"reduction": "sum", "sampling_rate": 0.1}
    counts = [net.clipped_backprop(x, y, 9.0, seed=k, **options).biases[0][0] for k in range(20)]
    assert len(set(counts)) > 10
    deviation = math.sqrt(0.1 * 0.9 * 20_000)
    assert all(abs(count - 2000) < 5 * deviation for count in counts)
    assert abs(np.mean(counts) - 2000) < 5 * deviation / math.sqrt(20)


def test_an_empty_draw_is_noise_alone():
    net, x, y = problem()
    options = {"sampling_rate": 1e-9, "seed": 5}
    assert not net.clipped_backprop(x, y, 0.5, **options).flat.any()
    # NaN in an example that is not drawn does not show.
    bad = np.full_like(x, np.nan)
    assert not net.clipped_backprop(bad, y, 0.5, **options).flat.any()
    out = bpfast.Gradient(net)
    got = net.clipped_backprop(x, y, 0.5, noise_multiplier=1.0, out=out, **options)
    assert got is out
    _, seed = seeds(5, 2)
    expected = [0.5 * normal(seed, k) / (1e-9 * 50) for k in range(out.flat.size)]
    np.testing.assert_allclose(got.flat, expected, rtol=1e-13)
    labels = bpfast.Network([4, 3], output="softmax", cost="log_likelihood", seed=0)
    assert not labels.clipped_backprop(x, [0] * 50, 0.5, **options).flat.any()


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, lambda x: x.astype("float32")])
@pytest.mark.parametrize("y_shape", [(0, 3), (0,)])
def test_an_empty_sample_of_the_caller_is_noise_alone(form, y_shape):
    """A batch that is drawn with a probability for each example may be empty."""
    net, x, _ = problem()
    x, y = form(x[:0]), np.zeros(y_shape)
    assert not net.clipped_backprop(x, y, 0.5, expected_batch_size=10).flat.any()
    out = bpfast.Gradient(net)
    options = {"noise_multiplier": 1.0, "seed": 5, "expected_batch_size": 10}
    assert net.clipped_backprop(x, y, 0.5, out=out, **options) is out
    (seed,) = seeds(5, 1)
    expected = [0.5 * normal(seed, k) / 10 for k in range(out.flat.size)]
    np.testing.assert_allclose(out.flat, expected, rtol=1e-13)
    assert math.isnan(out.cost)


def test_an_empty_sample_of_labels_and_of_a_cost_of_ones_own():
    labels = bpfast.Network([4, 3], output="softmax", cost="log_likelihood", seed=0)
    assert not labels.clipped_backprop([], [], 0.5, expected_batch_size=10).flat.any()

    def cost(a, y):
        raise AssertionError("there is no example")

    net = bpfast.Network([4, 3], cost=cost, seed=0)
    texts = np.array([], dtype=object)
    assert not net.clipped_backprop(np.zeros((0, 4)), texts, 0.5, expected_batch_size=10).flat.any()
    nothing = [[0.0] * 4] * 3, [[0.0] * 3]
    parameters = labels.weights, labels.biases
    found = reference.clipped_backprop(*parameters, [], [], 0.5, expected_batch_size=10)
    assert found == ([nothing[0]], nothing[1])
    without = reference.clipped_backprop(
        [labels.weights[0]], None, [], [], 1, expected_batch_size=1
    )
    assert without == ([nothing[0]], [None])


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (np.zeros((0, 4)), np.zeros((0, 3)), {}, "x: expected one example or more, got an empty"),
        (np.zeros((0, 4)), [[1, 2, 3]], {"expected_batch_size": 9}, "x: expected one example or"),
        (np.zeros((0, 5)), np.zeros((0, 3)), {"expected_batch_size": 9}, "x: expected"),
        (np.zeros((0, 4)), np.zeros((0, 2)), {"expected_batch_size": 9}, "x: expected"),
        (5, np.zeros((1, 3)), {"expected_batch_size": 9}, "x: expected 2 dimensions"),
        (np.array(5.0), np.zeros((1, 3)), {"expected_batch_size": 9}, "x: expected 2 dimensions"),
    ],
)
def test_other_empty_batches_are_refused(x, y, options, message):
    net, _, _ = problem()
    with refuses(ValueError, f"^{message}"):
        net.clipped_backprop(x, y, 0.5, **options)


@pytest.mark.parametrize(
    ("x", "y", "kind", "message"),
    [
        (np.zeros((0, 4), complex), np.zeros((0, 3)), TypeError, "x: expected real numbers"),
        (np.zeros((0, 4)), np.zeros((0, 3), "<U3"), ValueError, "x: expected one example"),
    ],
)
def test_empty_batches_of_no_real_numbers_are_refused(x, y, kind, message):
    net, _, _ = problem()
    with refuses(kind, f"^{message}"):
        net.clipped_backprop(x, y, 0.5, expected_batch_size=9)


def test_seeds():
    net, x, y = problem()
    options = {"noise_multiplier": 1.0, "sampling_rate": 0.5}

    def bits(seed):
        return net.clipped_backprop(x, y, 0.5, seed=seed, **options).flat.tobytes()

    assert bits(1) == bits(1) != bits(2)
    assert bits(np.random.default_rng(1)) == bits(1)
    assert bits([1]) == bits(np.random.SeedSequence([1]))
    assert bits(None) != bits(None)
    generator = np.random.default_rng(1)
    assert bits(generator) != bits(generator)  # differs from call to call


def test_a_seed_is_not_drawn_from_without_need():
    net, x, y = problem()
    generator = np.random.default_rng(1)
    net.clipped_backprop(x, y, 0.5, seed=generator)
    assert generator.random() == np.random.default_rng(1).random()


def test_global_random_state_is_left_alone():
    net, x, y = problem()
    np.random.seed(0)  # noqa: NPY002
    net.clipped_backprop(x, y, 0.5, noise_multiplier=1.0, sampling_rate=0.5)
    after = np.random.random()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    assert after == np.random.random()  # noqa: NPY002


def test_the_influence_of_one_example_is_bounded():
    """What DP-SGD rests on: another example changes the sum by c at most."""
    net, x, y = problem()
    whole = net.clipped_backprop(x, y, 0.5, reduction="sum").flat
    for k in range(50):
        others = np.arange(50) != k
        without = net.clipped_backprop(x[others], y[others], 0.5, reduction="sum").flat
        assert np.linalg.norm(whole - without) <= 0.5 * (1 + 1e-12)


def test_gradients_shorter_than_the_norm_are_not_changed():
    net, x, y = problem()
    norms = net.per_example_norms(x, y)
    got = net.clipped_backprop(x, y, norms.max(), reduction="sum").flat
    assert got.tobytes() == net.backprop(x, y, reduction="sum").flat.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-300, 1e-45, 1e-39, 1e39, 1e300])
def test_divisors_that_float32_has_not(size, dtype):
    """0 or infinity in float32, where the quotient is in range, 0 or infinite."""
    net = bpfast.Network([1, 1], output="identity", init="zeros", dtype=dtype)
    x, y = [[0.0], [0.0]], [[3.0], [-1.0]]
    for y_scale in (1e-38, 1.0, 1e38):
        targets = np.array(y, dtype) * np.array(y_scale, dtype)
        total = net.clipped_backprop(x, targets, math.inf, reduction="sum").flat.astype(float)
        with np.errstate(all="raise"):
            got = net.clipped_backprop(x, targets, math.inf, expected_batch_size=size).flat
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(got, (total / size).astype(dtype))
    drawn = net.clipped_backprop(x, y, math.inf, sampling_rate=1e-300, seed=0).flat
    assert np.isfinite(drawn).all()


def test_a_gradient_that_is_not_finite_makes_the_sum_nan():
    net = bpfast.Network([1, 1], output="identity", init="zeros")
    x = y = [[1e200], [1.0]]  # ∂C/∂w overflows in the first example
    assert np.isinf(net.per_example_gradients(x, y).flat[0, 0])
    assert np.isnan(net.clipped_backprop(x, y, 1.0).flat).all()
    nabla_w, nabla_b = reference.clipped_backprop([[[0.0]]], [[0.0]], x, y, 1.0, output="identity")
    assert math.isnan(nabla_w[0][0][0])
    assert math.isnan(nabla_b[0][0])


def test_an_error_of_a_sample_names_the_row_of_the_batch():
    net = bpfast.Network([4, 3, 2], output="softmax", cost="log_likelihood", seed=0)
    x, y = np.ones((50, 4)), np.zeros(50, dtype=int)
    y[30] = 7
    messages = set()
    for seed in range(20):
        try:
            net.clipped_backprop(x, y, 1.0, sampling_rate=0.1, seed=seed)
        except ValueError as error:
            messages.add(str(error))
    assert messages == {"y[30]: expected a label from 0 to 1, got 7"}
