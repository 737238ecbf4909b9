"""A y far beyond what the outputs can be is worth a warning, once, where a training begins."""

import warnings

import numpy as np
import pytest

import bpfast

RNG = np.random.default_rng(0)
X = RNG.standard_normal((20, 3))
UNIT = RNG.random((20, 1))
SIGNS = np.where(UNIT > 0.5, 1.0, -1.0)
FAR = {
    "sigmoid": ("from 0 to 1", [10 * UNIT, UNIT - 2, 1.6 * (UNIT > 0.5), 3 * (UNIT > 0.5)]),
    "tanh": ("from -1 to 1", [10 * UNIT, UNIT - 3, 2 * SIGNS]),
}
NEAR = {
    "sigmoid": [UNIT, UNIT > 0.5, 1.4 * UNIT, UNIT - 0.4],
    "tanh": [SIGNS, 1.4 * SIGNS, UNIT],
    "identity": [100 * UNIT],
    "relu": [-UNIT],
}


def net_of(output, cost="quadratic"):
    return bpfast.Network([3, 4, 1], output=output, cost=cost, seed=0)


@pytest.mark.parametrize("cost", ["quadratic", "huber", "absolute"])
@pytest.mark.parametrize("output", FAR)
def test_a_y_far_outside_the_range_warns(output, cost):
    bounds, cases = FAR[output]
    message = f"^y: expected numbers {bounds}, as the {output} outputs are, got some that they nev"
    for y in cases:
        for given in (y, y.astype("f4"), y.tolist()):
            for options in ({}, {"validation": 0.5, "seed": 0}, {"validation": (X, y)}):
                with pytest.warns(UserWarning, match=f"{message}.*; a regression has") as caught:
                    net_of(output, cost).fit(X, given, epochs=3, **options)
                assert [warning.filename for warning in caught] == [__file__]
        with pytest.warns(UserWarning, match=message) as caught:
            bpfast.scipy_minimize(net_of(output, cost), X, y, max_iterations=2)
        assert [warning.filename for warning in caught] == [__file__]


def test_two_softmax_outputs():
    net = bpfast.Network([3, 2], output="softmax", cost="quadratic", seed=0)
    with pytest.warns(
        UserWarning, match="^y: expected numbers from 0 to 1, as the softmax outputs"
    ):
        net.fit(X, np.column_stack([UNIT, 5 * UNIT]), epochs=1)


def test_signs_as_classes_of_sigmoid():
    said = r"; classes are 0 and 1 there, y = \(y \+ 1\) / 2, or -1 and 1 with output='tanh'$"
    with pytest.warns(UserWarning, match=said):
        net_of("sigmoid").fit(X, SIGNS, epochs=1)
    net_of("sigmoid").fit(X, (SIGNS + 1) / 2, epochs=1)
    net_of("tanh").fit(X, SIGNS, epochs=1)


@pytest.mark.parametrize("output", NEAR)
def test_a_y_near_the_range_does_not_warn(output):
    """Warnings are errors here."""
    for y in NEAR[output]:
        net_of(output).fit(X, y, epochs=1)


def test_ignored_values_may_be_anything():
    y = np.where(np.arange(len(UNIT))[:, None] == 1, -999.0, UNIT)
    weight = np.where(np.arange(len(UNIT)) == 1, 0.0, 1.0)
    net_of("sigmoid").fit(X, y, sample_weight=weight, epochs=1)
    with pytest.warns(UserWarning, match="^y: expected"):
        net_of("sigmoid").fit(X, y, sample_weight=1 - weight, epochs=1)


def test_repeated_calls_do_not_warn(tmp_path):
    net, y = net_of("sigmoid"), 10 * UNIT
    net.cost(X, y)
    net.backprop(X, y)
    net.partial_fit(X, y)
    net.fit([(X, y)], epochs=1)
    mapped = np.memmap(tmp_path / "x", np.float64, "w+", shape=X.shape)
    mapped[:] = X
    net.fit(mapped, y, epochs=1)
    own = bpfast.Network([3, 1], cost=lambda a, y: ((a[:, 0] - y) ** 2, 2 * (a - y[:, None])))
    own.fit(X, y[:, 0], epochs=1)


def test_the_warning_is_shown_once_for_a_call_in_a_loop():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for scale in (10, 20, 30):
            net_of("sigmoid").fit(X, scale * UNIT, epochs=1)
    assert len(caught) == 1


def test_a_warning_turned_into_an_error_is_raised_before_the_first_step():
    net = net_of("sigmoid")
    before = net.params.tobytes()
    with pytest.raises(UserWarning, match=r"^y: expected"):
        net.fit(X, 10 * UNIT)
    assert (net.params.tobytes(), net.history) == (before, None)
    net.fit(X, UNIT, epochs=1)
