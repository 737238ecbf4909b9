"""The first parameters: their variances, and that a seed repeats them."""

import numpy as np
import pytest

import bpfast
from bpfast.testing import check_gradients
from tests.helpers.refuses import refuses

SIZES = [400, 300, 200]
# The variance of n draws from a normal distribution is off by sqrt(2 / n) of itself, their mean by
# sqrt(variance / n): one standard deviation each. Five of them are wrong once in a million times.
DEVIATIONS = 5

# The variances of weights and biases, from the numbers of neurons.
VARIANCES = {
    "nielsen": (lambda n_in, n_out: 1 / n_in, 1.0),
    "nielsen_large": (lambda n_in, n_out: 1.0, 1.0),
    "xavier": (lambda n_in, n_out: 2 / (n_in + n_out), 0.0),
    "he": (lambda n_in, n_out: 2 / n_in, 0.0),
    "lecun": (lambda n_in, n_out: 1 / n_in, 0.0),
    "zeros": (lambda n_in, n_out: 0.0, 0.0),
}


def check(draws, variance):
    mean_off = DEVIATIONS * np.sqrt(variance / draws.size)
    variance_off = DEVIATIONS * variance * np.sqrt(2 / draws.size)
    assert abs(draws.mean()) <= mean_off
    assert abs(draws.var() - variance) <= variance_off


def test_every_initialisation_is_tested():
    assert set(bpfast.INITIALISATIONS) == set(VARIANCES)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("init", VARIANCES)
def test_mean_and_variance(init, dtype):
    of_weights, of_biases = VARIANCES[init]
    net = bpfast.Network(SIZES, init=init, dtype=dtype, seed=1)
    for w, b in zip(net.weights, net.biases, strict=True):
        n_out, n_in = w.shape
        check(w.astype(float), of_weights(n_in, n_out))
        check(b.astype(float), of_biases)
        if of_biases == 0:
            assert not b.any()


@pytest.mark.parametrize("init", ["nielsen", "nielsen_large", "xavier", "he"])
def test_the_draws_are_normal(init):
    # A normal distribution has 68.27 % of its draws within one standard deviation, 95.45 % within
    # two and 99.73 % within three; a uniform one 57.7 % and 100 %.
    (draws, *_) = bpfast.Network(SIZES, init=init, seed=2).weights
    for k, share in [(1, 0.682689), (2, 0.954500), (3, 0.997300)]:
        off = DEVIATIONS * np.sqrt(share * (1 - share) / draws.size)
        assert abs((np.abs(draws) < k * draws.std()).mean() - share) < off
    # Neighbours, in a row or a column or in the next layer, know nothing of each other.
    for one, other in [(draws[:, 1:], draws[:, :-1]), (draws[1:], draws[:-1])]:
        correlation = np.corrcoef(one.ravel(), other.ravel())[0, 1]
        assert abs(correlation) < DEVIATIONS / np.sqrt(one.size)


def test_nielsen_is_the_default_initialisation():
    assert bpfast.Network(SIZES, seed=0).params.tobytes() == (
        bpfast.Network(SIZES, init="nielsen", seed=0).params.tobytes()
    )


def params(seed, **config):
    return bpfast.Network([5, 4, 3], seed=seed, **config).params


SEEDS = [0, 7, 2**100, [1, 2, 3], np.int64(7), np.random.SeedSequence(5)]


@pytest.mark.parametrize("seed", SEEDS, ids=str)
@pytest.mark.parametrize("init", ["nielsen", "nielsen_large", "xavier", "he"])
def test_a_seed_repeats(init, seed):
    assert params(seed, init=init).tobytes() == params(seed, init=init).tobytes()
    assert params(seed, init=init).tobytes() != params(8, init=init).tobytes()


def test_valid_seeds():
    expected = params(7).tobytes()
    generators = [np.random.default_rng(7), np.random.Generator(np.random.PCG64(7))]
    for same in (*generators, np.random.PCG64(7), np.random.SeedSequence(7), np.uint8(7)):
        assert params(same).tobytes() == expected


class Endless:
    """A sequence of sequences of sequences."""

    def __len__(self):
        return 1

    def __iter__(self):
        return iter([Endless()])


def endless_seeds():
    own, array = [1], np.array([None, 1])
    own.append(own)
    array[0] = array
    return own, array, Endless(), [3, [own]]


def test_a_seed_that_contains_itself():
    """NumPy recurses without end, and the process with it."""
    x, y = np.ones((2, 5)), np.ones((2, 3))
    net = bpfast.Network([5, 3], seed=0)
    deep = "^seed: expected lists nested at most 32 deep, got deeper ones$"
    for seed in endless_seeds():
        with refuses(ValueError, deep):
            params(seed)
        with refuses(ValueError, deep):
            check_gradients(net, x, y, seed=seed)


def test_lists_of_seeds():
    assert params([[1, 2], 3]).tobytes() == params([1, 2, 3]).tobytes()
    assert params([[1, 2], [1, 2]]).tobytes() == params([1, 2] * 2).tobytes()


def test_without_a_seed_networks_differ():
    assert params(None).tobytes() != params(None).tobytes()


def test_no_global_random_state():
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    params(None)
    params(0)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


def test_a_generator_continues():
    rng = np.random.default_rng(3)
    first, second = params(rng), params(rng)
    assert first.tobytes() == params(3).tobytes()
    assert second.tobytes() != first.tobytes()
    rng = np.random.default_rng(3)
    params(rng, init="zeros")
    assert params(rng).tobytes() == first.tobytes()


@pytest.mark.parametrize("init", VARIANCES)
def test_float32_starts_from_the_rounded_float64(init):
    doubles = params(4, init=init, dtype="float64")
    singles = params(4, init=init, dtype="float32")
    assert singles.dtype == np.float32
    assert singles.tobytes() == doubles.astype(np.float32).tobytes()


@pytest.mark.parametrize("init", VARIANCES)
def test_the_order_of_the_draws(init):
    # For each layer W^l, row by row, then b^l; nothing is drawn for zeros.
    of_weights, of_biases = VARIANCES[init]
    net = bpfast.Network([5, 4, 3], init=init, seed=6)
    rng = np.random.default_rng(6)
    for w, b in zip(net.weights, net.biases, strict=True):
        n_out, n_in = w.shape
        for view, variance in ((w, of_weights(n_in, n_out)), (b, of_biases)):
            expected = np.zeros(view.shape)
            if variance:
                expected = rng.standard_normal(view.shape) * np.sqrt(variance)
            np.testing.assert_allclose(view, expected, rtol=4e-16)  # one rounding of the root


def test_the_order_of_the_draws_is_documented():
    text = " ".join(bpfast.Network.__doc__.split())
    assert "row by row" in text or "in the order" in text
    for name in bpfast.INITIALISATIONS:
        assert f'"{name}"' in text


def test_neither_activations_nor_cost_change_the_draws():
    config = {"hidden": "relu", "output": "softmax", "cost": "log_likelihood"}
    assert params(0, **config).tobytes() == params(0).tobytes()


def test_a_seed_without_axes():
    """As in `fit`."""
    expected = bpfast.Network([3, 2], seed=5)
    assert (bpfast.Network([3, 2], seed=np.array(5)).params == expected.params).all()
    with refuses(TypeError, "^seed: expected an integer, got MaskedArray$"):
        bpfast.Network([3, 2], seed=np.ma.array(5, mask=True))
