"""Dropout: the masks are those of Philox, and the gradient goes through them."""

import numpy as np
import pytest

import bpfast
from tests.helpers.philox import mask, philox
from tests.helpers.plain_training import Rule, train
from tests.helpers.tolerance import close

RNG = np.random.default_rng(0)


def test_philox_gives_the_published_numbers():
    """Of Random123, the authors' implementation."""
    assert philox(0, (0,) * 4) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    key, counter = 0x299F31D0A4093822, (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert philox(key, counter) == (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)


def through_masks(rates, seed):
    """Cost and gradient of each step in NumPy: tanh, softmax and the log-likelihood."""
    steps = iter(range(1000))

    def gradient(net, x, y, weights):
        step, n = next(steps), len(x)
        s = np.ones(n) if weights is None else weights
        w, b = [np.float64(v) for v in net.weights], [np.float64(v) for v in net.biases]
        a, masks = [np.float64(x)], []
        for layer, rate in enumerate(rates):
            full = np.tanh(a[-1] @ w[layer].T + b[layer])
            masks.append(mask(seed, step, layer, rate, full.shape) if rate else np.ones(full.shape))
            a.append(full * masks[-1])
        z = a[-1] @ w[-1].T + b[-1]
        output = np.exp(z - z.max(axis=1, keepdims=True))
        output /= output.sum(axis=1, keepdims=True)
        delta = (output - np.eye(output.shape[1])[y]) * (s / n)[:, None]
        cost = -(s * np.log(output[np.arange(n), y])).sum() / n
        g = bpfast.Network(net.sizes, init="zeros")
        for layer in reversed(range(len(w))):
            g.weights[layer] = delta.T @ a[layer]
            g.biases[layer] = delta.sum(axis=0)
            if layer:
                m = masks[layer - 1]
                full = np.divide(a[layer], m, out=np.zeros_like(m), where=m > 0)
                delta = (delta @ w[layer]) * m * (1 - full**2)
        return cost, g.params

    return gradient


# Layers in row-major and in column-major order, and batches of one chunk and of several.
SHAPES = [
    ([6, 5, 3], 60, 8),
    ([4, 50, 33, 2], 40, 40),
    ([3, 7, 1, 9, 2], 50, 16),
    ([2, 3, 2], 600, 600),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("sizes", "n", "batch_size"), SHAPES)
@pytest.mark.parametrize("how", [{}, {"clip_norm": 0.2, "l2": 0.1}])
def test_agrees_with_numpy(sizes, n, batch_size, how, dtype):
    config = {"hidden": "tanh", "output": "softmax", "cost": "log_likelihood", "dtype": dtype}
    net, twin = (bpfast.Network(sizes, seed=1, **config) for _ in range(2))
    x, y = RNG.standard_normal((n, sizes[0])).astype(dtype), RNG.integers(0, sizes[-1], n)
    rates = [0.5, 0.0, 0.25, 0.1][: len(sizes) - 2]
    weights = RNG.random(n)
    every = {"epochs": 2, "batch_size": batch_size, "seed": 11, **how}
    history = net.fit(
        x, y, optimizer=bpfast.Adam(0.01), dropout=rates, sample_weight=weights, **every
    )
    gradient = through_masks(rates, 11)
    costs = train(twin, x, y, Rule("Adam", 0.01), weights=weights, gradient=gradient, **every)
    assert close(net.params, twin.params, dtype)
    # Adam divides by √v, which magnifies the rounding of the first steps.
    np.testing.assert_allclose(history.cost, costs, rtol=1e-4 if dtype == "float32" else 1e-11)


def test_one_number_is_for_every_hidden_layer():
    x, y = RNG.standard_normal((30, 4)), RNG.random((30, 2))
    nets = [bpfast.Network([4, 6, 5, 2], seed=0) for _ in range(3)]
    for net, rate in zip(nets, (0.3, [0.3, 0.3], np.array([0.3, 0.3])), strict=True):
        net.fit(x, y, epochs=2, dropout=rate, seed=2)
    assert len({net.params.tobytes() for net in nets}) == 1


def test_dropout_affects_only_the_steps():
    """forward, cost and validation use all neurons."""
    net = bpfast.Network([4, 6, 2], seed=0)
    x, y = RNG.standard_normal((30, 4)), RNG.random((30, 2))
    history = net.fit(x, y, epochs=1, dropout=0.5, validation=(x, y), seed=0)
    assert history.validation_cost[0] == net.cost(x, y)


def test_a_rate_of_zero_changes_nothing():
    x, y = RNG.standard_normal((30, 4)), RNG.random((30, 2))
    nets = [bpfast.Network([4, 6, 2], seed=0) for _ in range(2)]
    for net, rate in zip(nets, (0.0, [0.0]), strict=True):
        net.fit(x, y, epochs=2, dropout=rate, seed=2)
    assert nets[0].params.tobytes() == nets[1].params.tobytes()


def test_partial_fit_has_new_masks_in_each_step():
    net = bpfast.Network([4, 40, 2], seed=0)
    x, y = RNG.standard_normal((30, 4)), RNG.random((30, 2))
    first = net.copy()
    changes = []
    for _ in range(2):
        net.params = first.params
        net.partial_fit(x, y, optimizer=net.optimizer or bpfast.SGD(0.1), dropout=0.5, seed=3)
        changes.append((net.params - first.params).tobytes())
    assert changes[0] != changes[1]
