"""One rule for the seeds of `Network`, `fit` and `partial_fit`."""

import copy

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 3)), RNG.random((40, 2))


def new(seed):
    return bpfast.Network([3, 8, 2], seed=seed)


def fit(seed):
    net = new(0)
    net.fit(X, Y, epochs=2, dropout=0.5, validation=0.2, seed=seed)
    return net


def partial_fit(seed):
    net = new(0)
    net.partial_fit(X, Y, dropout=0.5, seed=seed)
    return net


CALLS = [new, fit, partial_fit]
MAKERS = {
    "Generator": np.random.default_rng,
    "BitGenerator": np.random.PCG64,
    "SeedSequence": np.random.SeedSequence,
    "int": int,
    "integer": np.int64,
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", MAKERS)
def test_the_same_seed_gives_the_same_bits_and_another_others(call, kind):
    make = MAKERS[kind]
    first, again, other = call(make(5)).params, call(make(5)).params, call(make(6)).params
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", ["Generator", "BitGenerator"])
def test_a_generator_is_drawn_from(call, kind):
    rng = MAKERS[kind](5)
    assert (call(rng).params != call(rng).params).any()


@pytest.mark.parametrize("call", CALLS)
def test_none_is_different_each_time(call):
    assert (call(None).params != call(None).params).any()


@pytest.mark.parametrize("kind", ["Generator", "BitGenerator", "SeedSequence"])
def test_one_integer_is_drawn_and_stored_in_the_history(kind):
    rng = MAKERS[kind](5)
    drawn = int(np.random.default_rng(copy.deepcopy(rng)).integers(2**63))
    net = fit(rng)
    assert net.history.seed == drawn
    np.testing.assert_array_equal(net.params, fit(drawn).params)
    np.testing.assert_array_equal(partial_fit(MAKERS[kind](5)).params, partial_fit(drawn).params)


def test_a_script_with_one_generator_continues_from_its_checkpoint(tmp_path):
    def script(epochs):
        rng = np.random.default_rng(7)
        net = new(rng)
        how = {"checkpoint": tmp_path / "training.ckpt", "resume": True}
        net.fit(X, Y, epochs=epochs, dropout=0.5, seed=rng, **how)
        return net

    script(2)
    resumed = script(4)
    (tmp_path / "training.ckpt").unlink()
    np.testing.assert_array_equal(resumed.params, script(4).params)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("seed", ["a", 1.5, -1])
def test_invalid_seeds(call, seed):
    with refuses(ValueError if seed == -1 else TypeError, "^seed: "):
        call(seed)


@pytest.mark.parametrize("call", [fit, partial_fit])
def test_the_seed_of_a_training_has_63_bits(call):
    call(2**63 - 1)
    with refuses(ValueError, "^seed: expected an integer below 2"):
        call(2**63)
