"""`Monitor(every_steps=…)`: the same bits, and trainings that end, continue or repeat."""

from unittest.mock import Mock

import numpy as np
import pytest

import bpfast
from bpfast.inside import Monitor
from tests.helpers.cases.training.step_records import digest
from tests.helpers.child import run
from tests.helpers.processes.simd_levels import FUSED
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(8)
X = RNG.standard_normal((120, 40))
LABELS = RNG.integers(3, size=120)


DIGEST = """
import json
from tests.helpers.cases.training.step_records import digest
print(json.dumps(digest()))
"""


def network(dtype="float64", **options):
    return bpfast.Network(
        [40, 50, 3], hidden="relu", output="softmax", cost="log_likelihood", dtype=dtype, seed=0,
        **options,
    )  # fmt: skip


def train(net, callbacks=(), **options):
    arguments = {
        "epochs": 2, "batch_size": 10, "optimizer": "sgd", "learning_rate": 0.1, "seed": 0
    }  # fmt: skip
    return net.fit(X, LABELS, callbacks=callbacks, **(arguments | options))


def test_the_same_bits_at_any_number_of_threads_and_simd_level():
    expected = digest()
    for threads in (1, 2, 5):
        with bpfast.num_threads(threads):
            assert digest() == expected, threads
    for level in FUSED:
        found = run(DIGEST, BPFAST_SIMD=level, BPFAST_NUM_THREADS="2")
        assert found == expected, level


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sparse": True},
        {"l2": 0.01},
        {"l1": 0.01, "max_norm": 0.9},
        {"clip_norm": 0.1, "dropout": 0.3},
        {"batch_size": 120},
        {"optimizer": "adam", "learning_rate": 0.01},
        {"learning_rate": lambda step: 0.1 * (step % 2)},
        {"sample_weight": RNG.standard_normal(120)},
    ],
)
def test_the_parameters_have_the_bits_that_they_have_without_it(options, dtype):
    plain, watched = network(dtype), network(dtype)
    expected = train(plain, **options)
    monitors = [Monitor(X, LABELS, every_steps=k, cosine=k == 3, warn=False) for k in (1, 3)]
    found = train(watched, monitors, **options)
    assert plain.params.tobytes() == watched.params.tobytes()
    assert found.cost.tobytes() == expected.cost.tobytes()
    # A monitor sees what another one sees, and its own last gradient.
    for name in set(monitors[0]) & set(monitors[1]):
        np.testing.assert_array_equal(monitors[0][name][2::3], monitors[1][name])


def test_two_cosines():
    monitors = [Monitor(X, LABELS, every_steps=k, cosine=True, warn=False) for k in (1, 4, 1)]
    train(network(), monitors)
    np.testing.assert_array_equal(monitors[0].cosine, monitors[2].cosine)
    alone = Monitor(X, LABELS, every_steps=4, cosine=True, warn=False)
    train(network(), alone)
    np.testing.assert_array_equal(monitors[1].cosine, alone.cosine)
    assert np.isnan(alone.cosine).tolist() == [True] + 5 * [False]


def test_a_divergence_takes_back_the_records_of_its_series():
    net, monitor = network(), Monitor(X, LABELS, every_steps=1, cosine=True, warn=False)
    with pytest.raises(bpfast.DivergenceError), np.errstate(all="ignore"):
        train(net, monitor, learning_rate=lambda step: 1e300 if step == 17 else 0.1)
    steps = net.optimizer.steps
    assert monitor.step.tolist() == list(range(1, steps + 1))
    assert all(np.isfinite(monitor[name][1:]).all() for name in monitor)


def test_a_resumed_training_has_the_records_of_an_uninterrupted_one(tmp_path):
    whole = Monitor(X, LABELS, every_steps=5, warn=False)
    train(network(), whole, epochs=4)
    parts = Monitor(X, LABELS, every_steps=5, warn=False)
    path = tmp_path / "checkpoint"
    train(network(), parts, epochs=2, checkpoint=path)
    train(network(), parts, epochs=4, checkpoint=path, resume=True)
    for name in whole:
        np.testing.assert_array_equal(parts[name], whole[name])


def test_several_trainings_are_added():
    net, monitor = network(), Monitor(X, LABELS, every_steps=7, warn=False)
    train(net, monitor)
    train(net, monitor, optimizer=net.optimizer, learning_rate=None)
    assert monitor.step.tolist() == list(range(7, 49, 7))
    assert monitor.epoch.tolist() == [1, 2, 2, 1, 1, 2]
    monitor.record(net, epoch=9)  # the sample
    assert monitor.epoch[-1] == 9
    assert np.isfinite(monitor.signal_to_noise).all()


def test_an_exception_keeps_the_records_of_completed_steps():
    calls = []

    def cost(a, y):
        calls.append(0)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

    net = bpfast.Network([40, 5, 1], output="identity", cost=cost, seed=0)
    monitor = Monitor(X, LABELS[:, np.newaxis], every_steps=1, warn=False)
    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, LABELS[:, np.newaxis], batch_size=10, callbacks=monitor, optimizer="sgd", seed=0)
    assert monitor.step.tolist() == list(range(1, net.optimizer.steps + 1))
    assert len(monitor) > 3


def test_the_curvature_is_that_of_the_sample_after_the_step():
    monitor = Monitor(X, LABELS, every_steps=12, sample=120, curvature=True, warn=False)
    seen, net = [], network()
    train(net, [monitor, lambda net, _: seen.append(net.copy())])
    assert monitor.names[-2:] == ("signal_to_noise", "curvature")
    for then, found in zip(seen, monitor.curvature, strict=True):
        other = Monitor(X, LABELS, sample=120, curvature=True)
        other.record(then)
        assert found == pytest.approx(other.curvature[0], rel=1e-6)


def test_another_network_is_refused_before_the_first_step():
    monitor = Monitor(X[:, :7], LABELS, every_steps=1)
    net = network()
    before = net.params.copy()
    with refuses(ValueError, r"^Monitor: x: expected shape \(120, 40\), got \(120, 7\)$"):
        train(net, monitor)
    assert (net.params == before).all()


@pytest.mark.filterwarnings("ignore:y. expected targets of about 1")
@pytest.mark.parametrize("every_steps", [None, 1])
@pytest.mark.filterwarnings("ignore:y. expected targets of about 1")
def test_small_gradients_of_float32_do_not_vanish(every_steps):
    # ∂C_x/∂w = δ x with δ = a - y: of some 1e-24, whose square float32 cannot hold.
    x, y = np.array([[1e-12], [3e-12]]), np.array([[1e-12], [2e-12]])
    net = bpfast.Network([1, 1], output="identity", dtype="float32", init="zeros")
    monitor = Monitor(x, y, every_steps=every_steps, warn=False)
    net.fit(x, y, epochs=1, batch_size=2, optimizer="sgd", learning_rate=1e-5, callbacks=monitor)
    # An epoch is measured after its step, which changes δ by 1e-5 of it.
    assert monitor.speed_2[0] == pytest.approx(1e-12 * np.sqrt(5 / 2), rel=1e-3)
    assert monitor.gradient_norm[0] == pytest.approx(1.5e-12, rel=1e-3)
    assert monitor.signal_to_noise[0] == pytest.approx(3, rel=1e-3)
    tiny = Monitor(x * 1e-11, y * 1e-11, every_steps=every_steps, warn=False)
    net.params = np.zeros(2)
    net.fit(x * 1e-11, y * 1e-11, epochs=1, optimizer="sgd", learning_rate=1e-5, callbacks=tiny)
    assert tiny.gradient_norm[0] == pytest.approx(1.5e-23, rel=1e-3)
    assert tiny.signal_to_noise[0] == pytest.approx(3, rel=1e-3)


@pytest.mark.filterwarnings("ignore:y. expected targets of about 1")
def test_norms_of_float64_neither_overflow_nor_underflow():
    for size in (1e-200, 1e200):
        net = bpfast.Network([1, 1], output="identity", init="zeros")
        x, y = np.array([[0.0], [0.0]]), np.array([[size], [3 * size]])
        monitor = Monitor(x, y, every_steps=1, warn=False)
        with np.errstate(all="ignore"):
            net.fit(
                x, y, epochs=1, optimizer="sgd", learning_rate=0.5, callbacks=monitor,
                check_finite=False,
            )  # fmt: skip
        assert monitor.speed_2[0] == pytest.approx(np.sqrt(5) * size, rel=1e-12)
        assert monitor.gradient_norm[0] == pytest.approx(2 * size, rel=1e-12)
        assert monitor.update_norm[0] == pytest.approx(size, rel=1e-12)
        assert monitor.signal_to_noise[0] == pytest.approx(2, rel=1e-9)


def test_a_mock_is_a_callback_like_any_other():
    """It has every attribute, those of a monitor too."""
    callback = Mock()
    train(network(), callback)
    assert callback.call_count == 2
