"""Faults of each kind in many sizes, activations, data and strengths, and many healthy networks."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bpfast
from benches.planted.case import Case, Setup, adam, classes, regression, scaled, sgd, shifted
from benches.planted.problems import blobs, digits, rows_of, signs, spirals, surface, wave

N = 300
DATA: dict[str, tuple[Callable[[], tuple[NDArray[Any], NDArray[Any]]], int]] = {
    "digits": (partial(digits, N, 1, side=14), 10),
    "blobs": (partial(blobs, N, 2, features=8), 3),
    "spirals": (partial(spirals, N, 4), 2),
    "signs": (partial(signs, N, 5), 2),
}
STARTS = (("sigmoid", "nielsen"), ("tanh", "xavier"), ("relu", "he"))


def planted() -> Iterator[Case]:
    """Every fault on every data set."""
    for data, (read, k) in DATA.items():
        x, y = read()
        for case in (*_inputs(x, y, k), *_starts(x, y, k), *_targets(x, y, k), *_rates(x, y, k)):
            kind, what, setup = case
            yield Case(f"{data}, {what}", kind, partial(_same, setup))
    x, y = surface(N, 3)
    for scale, hidden in product((1e2, 1e5, 1e-3), ("tanh", "relu")):
        net = regression([x.shape[1], 30, 1], 1, hidden)
        yield Case(f"surface, y times {scale:g}", "target_scale", partial(Setup, net, x, y * scale))


def healthy() -> Iterator[Case]:
    """Networks at their start, after two epochs and after twenty."""
    hidden = (*STARTS, ("gelu", "he"), ("elu", "he"), ("silu", "xavier"))
    for (data, (read, k)), (name, init), middle, epochs in product(
        DATA.items(), hidden, ([30], [64, 32]), (0, 2, 20)
    ):
        x, y = read()
        net = classes([x.shape[1], *middle, k], 5, name, init)
        yield Case(
            f"{data}, {name} {middle}, {epochs} epochs", "", partial(_fit, net, x, y, epochs)
        )
    for read, (name, init), epochs in product((surface, wave), hidden, (0, 2, 20)):
        x, y = read(N, 7)
        net = regression([x.shape[1], 30, 1], 5, name, init)
        title = f"{read.__name__}, {name}, {epochs} epochs"
        yield Case(title, "", partial(_fit, net, x, y, epochs))


Found = Iterator[tuple[str, str, Setup]]


def _same(setup: Setup) -> Setup:
    return setup


def _fit(net: bpfast.Network, x: NDArray[Any], y: NDArray[Any], epochs: int) -> Setup:
    if epochs:
        net.fit(x, y, epochs=epochs, seed=0)
    return Setup(net, x, y, {} if epochs else adam())


def _inputs(x: NDArray[Any], y: NDArray[Any], k: int) -> Found:
    d = x.shape[1]
    for (hidden, init), size in product(STARTS, (10, 255, 1e4, 1e-3, 1e-4)):
        kind = "unscaled_features" if size > 1 else "quiet_inputs"
        setup = Setup(classes([d, 30, k], 1, hidden, init), x * size, y, sgd(0.1))
        yield kind, f"{hidden}, x times {size:g}", setup
    for offset in (10, 2000):
        yield "uncentred_features", f"x + {offset}", Setup(classes([d, 30, k], 1), x + offset, y)
    if d > 2:
        loud = int(np.argmax(x.std(axis=0)))
        for size in (100, 1e4):
            scale = np.where(np.arange(d) == loud, size, 1)
            net = classes([d, 30, k], 1, "relu", "he")
            yield "uneven_features", f"one feature times {size:g}", Setup(net, x * scale, y)
        for value, share in product((0.5, 1.0, 5.0), (0.5, 0.9)):
            constant = np.where(np.arange(d) < share * d, value, x)
            setup = Setup(classes([d, 30, k], 1), constant, y, sgd(0.1))
            yield "constant_features", f"{share:.0%} of the features {value}", setup


def _starts(x: NDArray[Any], y: NDArray[Any], k: int) -> Found:
    d = x.shape[1]
    for hidden, bias in product(("sigmoid", "tanh"), (6, -8, 20)):
        net = shifted(classes([d, 30, k], 1, hidden), 2, bias)
        yield "saturated_hidden", f"{hidden}, biases {bias}", Setup(net, x, y, sgd(0.1))
    for hidden, factor in product(("sigmoid", "tanh"), (40, 200)):
        net = scaled(classes([d, 30, k], 1, hidden), factor, slice(0, 1))
        yield "saturated_hidden", f"{hidden}, weights times {factor}", Setup(net, x, y, sgd(0.1))
    for layers, width, init in product((5, 8), (10, 30), ("nielsen", "xavier")):
        net = classes([d, *[width] * layers, k], 1, "sigmoid", init)
        yield "vanishing_gradient", f"{layers} layers of {width}, {init}", Setup(net, x, y)
    for layer in (2, 3):
        net = shifted(classes([d, 30, 30, k], 1, "relu", "he"), layer, -20)
        yield "dead_neurons", f"biases of layer {layer} -20", Setup(net, x, y, sgd(0.1))
    for factor in (10, 50):
        net = scaled(classes([d, 40, 40, 40, k], 1, "relu", "he"), factor)
        yield "large_weights", f"relu, weights times {factor}", Setup(net, x, y, sgd(0.1))
    for part in (0.001, 0.01):
        net = scaled(classes([d, 30, 30, k], 1), part)
        yield "small_weights", f"weights times {part}", Setup(net, x, y, sgd(0.1))
    for value in (0.0, 0.1, 1.0):
        net = classes([d, 30, k], 1)
        net.params[:] = value
        yield "symmetric_neurons", f"all parameters {value}", Setup(net, x, y, sgd(0.1))
    for bias in (10, -10, 30):
        net = bpfast.Network([d, 20, k], hidden="tanh", init="xavier", seed=1)
        setup = Setup(shifted(net, 3, bias), x, rows_of(y, k), sgd(0.1))
        yield "saturated_output", f"output biases {bias}", setup


def _targets(x: NDArray[Any], y: NDArray[Any], k: int) -> Found:
    d = x.shape[1]
    for part in (1.0, 0.6):
        again = slice(0, int(part * N))
        twice = np.vstack([x, x[again]]), np.append(y, (y[again] + 1) % k)
        yield "contradicting_examples", f"{part:.0%} again", Setup(classes([d, 30, k], 1), *twice)
    for seed in (101, 102, 103):
        random = np.random.default_rng(seed).permutation(y)
        setup = Setup(classes([d, 30, k], 1, "relu", "he"), x, random, adam())
        yield "unrelated_targets", f"y shuffled, seed {seed}", setup
    if k == 2:
        for count in (2, 5, 10):
            kept = np.append(np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:count])
            setup = Setup(classes([d, 30, k], 1), x[kept], y[kept])
            yield "class_imbalance", f"{count} of class 1", setup
    rows = rows_of(y, k)
    for what, output, values in (
        ("0 and 255", "sigmoid", 255 * rows),
        ("-1 and 1", "sigmoid", 2 * rows - 1),
        ("0 and 10", "tanh", 10 * rows),
    ):
        net = bpfast.Network([d, 20, k], output=output, seed=1)
        yield "target_range", f"{output}, y of {what}", Setup(net, x, values, sgd(0.1))


def _rates(x: NDArray[Any], y: NDArray[Any], k: int) -> Found:
    d = x.shape[1]
    for rate in (1e-4, 1e-5, 1e-7, 20.0, 100.0, 1000.0):
        kind = "small_step" if rate < 1 else "large_step"
        yield kind, f"SGD, {rate:g}", Setup(classes([d, 30, k], 1), x, y, sgd(rate))
    for rate in (1e-6, 1e-7, 1.0, 10.0):
        kind = "small_step" if rate < 0.1 else "large_step"
        net = classes([d, 30, k], 1, "relu", "he")
        yield kind, f"Adam, {rate:g}", Setup(net, x, y, adam(rate))
