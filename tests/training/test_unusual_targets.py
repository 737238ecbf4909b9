"""Warnings, where a training begins, of a y out of reach, without a class or of another scale."""

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
    "relu": ("of 0 or above", [-3 + 0 * UNIT, -UNIT, -0.01 * UNIT]),
    "softplus": ("of 0 or above", [-3 + 0 * UNIT, UNIT - 0.5]),
    "elu": ("of -1 or above", [UNIT - 3]),
    "gelu": ("of -0.17 or above", [UNIT - 1]),
    "silu": ("of -0.28 or above", [UNIT - 1]),
}
NEAR = {
    "sigmoid": [UNIT, UNIT > 0.5, 1.4 * UNIT, UNIT - 0.4],
    "tanh": [SIGNS, 1.4 * SIGNS, UNIT],
    "identity": [100 * UNIT, -100 * UNIT, 0 * UNIT, 0.1 * UNIT],
    "relu": [100 * UNIT, UNIT - 0.05, 0 * UNIT],
    "softplus": [UNIT, 10 * UNIT],
    "elu": [UNIT - 1],
    "leaky_relu": [-UNIT],
}


def net_of(output, cost="quadratic"):
    return bpfast.Network([3, 4, 1], output=output, cost=cost, seed=0)


@pytest.mark.parametrize("cost", ["quadratic", "huber", "absolute"])
@pytest.mark.parametrize("output", FAR)
def test_a_y_far_outside_the_range_warns(output, cost):
    bounds, cases = FAR[output]
    message = f"^y: expected numbers {bounds}, as the {output} outputs are, got some far outside"
    for y in cases:
        for given in (y, y.astype("f4"), y.tolist()):
            for options in ({}, {"validation": 0.5, "seed": 0}, {"validation": (X, y)}):
                with pytest.warns(UserWarning, match=f"{message}; use output='identity'") as caught:
                    net_of(output, cost).fit(X, given, epochs=3, **options)
                assert [warning.filename for warning in caught] == [__file__]
        for given in (y, y[:, 0], y[:, 0].tolist()):
            with pytest.warns(UserWarning, match=message) as caught:
                bpfast.scipy_minimize(net_of(output, cost), X, given, max_iterations=2)
            assert [warning.filename for warning in caught] == [__file__]
            if cost == "quadratic":
                with pytest.warns(UserWarning, match=message) as caught:
                    bpfast.least_squares(net_of(output), X, given, max_iterations=2)
                assert [warning.filename for warning in caught] == [__file__]
        for given in (y, y[:, 0]):
            weights = np.ones(len(y))
            for weighting in ({}, {"sample_weight": weights}):
                with pytest.warns(UserWarning, match=message) as caught:
                    bpfast.distributed.fit(net_of(output, cost), X, given, epochs=1, **weighting)
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


@pytest.mark.parametrize("scale", [1e-200, 1e-5, 1e3])
@pytest.mark.parametrize("output", ["identity", "relu"])
def test_targets_of_another_scale(output, scale):
    how = {"identity": r"\(y - y.mean\(axis=0\)\) / y.std", "relu": r"y / np.abs\(y\).max"}[output]
    said = rf"^y: expected targets of about 1, .* train with {how}\(axis=0\), and scale"
    two = np.column_stack([UNIT, scale * UNIT])
    for y in (scale * UNIT, scale * UNIT.ravel(), two):
        net = bpfast.Network([3, 4, y.size // len(X)], output=output, seed=0)
        with pytest.warns(UserWarning, match=said) as caught:
            net.fit(X, y, epochs=1, learning_rate=1e-9)
        assert [warning.filename for warning in caught] == [__file__]
    standardised = (UNIT - UNIT.mean()) / UNIT.std()
    bpfast.Network([3, 4, 1], output="identity", seed=0).fit(X, standardised, epochs=1)


def test_the_scale_of_counts_is_their_own():
    """Poisson takes the logarithm into account; a sigmoid output has its range."""
    net = bpfast.Network([3, 4, 1], output="softplus", cost="poisson", seed=0)
    net.fit(X, np.floor(1000 * UNIT), epochs=1)


def test_rows_without_a_class():
    net = bpfast.Network([3, 4, 3], output="softmax", cost="log_likelihood", seed=0)
    y = np.eye(3)[np.arange(20) % 3]
    net.fit(X, y, epochs=1)
    y[7] = 0
    with pytest.warns(UserWarning, match="^y: expected a class in each row, got rows of zeros"):
        net.fit(X, y, epochs=1)
    net.fit(X, y, epochs=1, sample_weight=np.arange(20) != 7)


def test_a_cost_that_grows_and_stays_finite():
    net = bpfast.Network([3, 4, 1], output="identity", seed=0)
    said = r"^cost: has grown to more than 1,000,000 times that of the first step; try a lower"
    with pytest.warns(UserWarning, match=said) as caught:
        history = net.fit(X, UNIT, epochs=60, optimizer="sgd", learning_rate=3.0, seed=0)
    assert [warning.filename for warning in caught] == [__file__]
    assert np.isfinite(history.cost).all()
    assert history.cost[-1] > 1e6 * history.cost[0]


def test_the_growth_counts_from_the_first_step():
    """All of it may happen in the first epoch."""
    net = bpfast.Network([3, 4, 1], output="identity", seed=0)
    before = net.cost(X, UNIT)
    with pytest.warns(UserWarning, match="^cost: has grown"):
        history = net.fit(
            X, UNIT, epochs=1, batch_size=1, optimizer="sgd", learning_rate=10.0, seed=0
        )
    assert 1e6 * before < history.cost[0] < np.inf


@pytest.mark.parametrize("output", ["softplus", "relu", "elu"])
def test_the_scale_of_targets_of_outputs_with_a_lower_bound(output):
    """Those of mean 0 would be out of their range."""
    x = np.random.default_rng(0).standard_normal((100, 3))
    y = np.exp(7 + 0.5 * x[:, :1])
    net = bpfast.Network([3, 4, 1], hidden="tanh", output=output, init="xavier", seed=0)
    hint = r"train with y / np.abs\(y\).max\(axis=0\), and scale"
    with pytest.warns(UserWarning, match=hint):
        net.fit(x, y, epochs=1)
    net.fit(x, y / np.abs(y).max(axis=0), epochs=1)  # warnings are errors
