"""Twenty planted faults and five healthy networks, on which the thresholds were chosen."""

import numpy as np

import bpfast
from benches.planted.case import (
    Case,
    Setup,
    adam,
    classes,
    regression,
    scaled,
    sgd,
    shifted,
    trained,
)
from benches.planted.problems import blobs, digits, rows_of, signs, spirals, surface, wave


def saturated_by_weights() -> Setup:
    x, y = digits(500, 0)
    net = bpfast.Network([784, 100, 10], cost="cross_entropy", init="nielsen_large", seed=0)
    return Setup(net, x, y, sgd(0.1))


def saturated_by_biases() -> Setup:
    x, y = blobs(300, 1)
    return Setup(shifted(classes([10, 20, 3], 1), 2, 6.0), x, y, sgd(0.1))


def saturated_outputs() -> Setup:
    x, y = blobs(300, 2, classes=4)
    net = bpfast.Network([10, 16, 4], hidden="tanh", init="xavier", seed=2)
    return Setup(shifted(net, 3, 7.0), x, rows_of(y, 4), sgd(0.5))


def dead_relus() -> Setup:
    x, y = surface(400, 3)
    return Setup(shifted(regression([5, 32, 1], 3), 2, -15.0), x, y, adam())


def pixels_to_255() -> Setup:
    x, y = digits(500, 4)
    net = bpfast.Network([784, 30, 10], cost="cross_entropy", seed=4)
    return Setup(net, 255 * x, y, sgd(0.5))


def raw_units() -> Setup:
    x, y = surface(400, 5)
    return Setup(regression([5, 32, 32, 1], 5), 300 * x, y, sgd(0.05))


def one_loud_feature() -> Setup:
    x, y = surface(400, 6, features=12)
    return Setup(regression([12, 30, 1], 6, "tanh", "xavier"), x * [1000, *[1] * 11], y, sgd(0.05))


def years() -> Setup:
    x, y = surface(300, 7)
    return Setup(regression([5, 20, 1], 7), x + 60, y, sgd(0.01))


def constant_columns() -> Setup:
    x, y = digits(400, 8, side=14)
    x[:, 60:] = 1.0
    return Setup(classes([196, 30, 10], 8), x, y, sgd(0.1))


def quiet_features() -> Setup:
    x, y = digits(400, 9, side=14)
    return Setup(classes([196, 40, 10], 9, "sigmoid"), 0.001 * x, y, sgd(0.1))


def opposite_labels() -> Setup:
    x, y = blobs(200, 10, features=6, classes=2)
    net = bpfast.Network([6, 12, 1], hidden="tanh", cost="cross_entropy", init="xavier", seed=10)
    return Setup(net, np.vstack([x, x]), np.append(y, 1 - y), adam(0.01))


def random_labels() -> Setup:
    x, _ = digits(500, 11, side=14)
    y = np.random.default_rng(11).integers(0, 10, 500)
    return Setup(classes([196, 30, 10], 11, "relu", "he"), x, y, adam())


def rare_class() -> Setup:
    x, y = blobs(1000, 12, classes=2)
    kept = np.append(np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:12])
    return Setup(classes([10, 20, 2], 12), x[kept], y[kept], sgd(0.1))


def tiny_rate() -> Setup:
    x, y = digits(500, 13)
    return Setup(classes([784, 30, 10], 13), x, y, sgd(1e-5))


def huge_rate() -> Setup:
    x, y = surface(300, 14)
    return Setup(regression([5, 30, 1], 14, "tanh", "xavier"), x, y, sgd(20.0))


def huge_adam_rate() -> Setup:
    x, y = digits(500, 15, side=14)
    return Setup(classes([196, 50, 10], 15, "relu", "he"), x, y, adam(1.0))


def five_sigmoid_layers() -> Setup:
    x, y = digits(500, 16)
    net = bpfast.Network([784, 30, 30, 30, 30, 30, 10], cost="cross_entropy", seed=16)
    return Setup(net, x, y, sgd(0.1))


def exploding_weights() -> Setup:
    x, y = surface(300, 17)
    return Setup(scaled(regression([5, 40, 40, 40, 1], 17), 20), x, y, sgd(0.01))


def zeros() -> Setup:
    x, y = signs(300, 18)
    net = bpfast.Network([2, 16, 2], output="softmax", cost="log_likelihood", init="zeros")
    return Setup(net, x, y, sgd(0.5))


def dollars() -> Setup:
    x, y = surface(400, 19)
    return Setup(regression([5, 32, 1], 19), x, 2e5 + 5e4 * y, adam())


PLANTED = [
    Case(
        "hidden layer saturated by weights, digits",
        "saturated_hidden",
        saturated_by_weights,
        "weights",
    ),
    Case("hidden layer saturated by biases", "saturated_hidden", saturated_by_biases, "biases"),
    Case("saturated outputs, quadratic cost", "saturated_output", saturated_outputs),
    Case("dead relus", "dead_neurons", dead_relus, "biases"),
    Case("pixels from 0 to 255, digits", "unscaled_features", pixels_to_255),
    Case("features in raw units, relu", "unscaled_features", raw_units),
    Case("one feature 1000 times as large", "uneven_features", one_loud_feature),
    Case("features with a large mean", "uncentred_features", years),
    Case("constant features, digits", "constant_features", constant_columns),
    Case("quiet inputs, digits", "quiet_inputs", quiet_features),
    Case("every example again with the opposite label", "contradicting_examples", opposite_labels),
    Case("random labels, digits", "unrelated_targets", random_labels),
    Case("class of 2 %", "class_imbalance", rare_class),
    Case("rate too small, digits", "small_step", tiny_rate),
    Case("rate too large", "large_step", huge_rate),
    Case("Adam's rate too large, digits", "large_step", huge_adam_rate),
    Case("five sigmoid layers, digits", "vanishing_gradient", five_sigmoid_layers),
    Case("exploding initial weights, relu", "large_weights", exploding_weights),
    Case("initial weights of zero", "symmetric_neurons", zeros),
    Case("targets of 200,000", "target_scale", dollars),
]


def nielsen() -> Setup:
    x, y = digits(500, 20)
    return Setup(bpfast.Network([784, 30, 10], seed=20), x, rows_of(y, 10), sgd(3.0))


def nielsen_trained() -> Setup:
    x, y = digits(1000, 21)
    net = bpfast.Network([784, 30, 10], cost="cross_entropy", seed=21)
    return trained(Setup(net, x, y), epochs=10, optimizer=bpfast.SGD(0.5), batch_size=10)


def relu_regression() -> Setup:
    x, y = surface(500, 22)
    return Setup(regression([5, 64, 64, 1], 22), x, y, adam())


def tanh_spirals() -> Setup:
    x, y = spirals(400, 23)
    return Setup(classes([2, 32, 2], 23), x, y, adam(0.01))


def tanh_wave() -> Setup:
    x, y = wave(60, 24)
    return Setup(regression([1, 20, 1], 24, "tanh", "nielsen"), x, y, sgd(0.1, momentum=0.9))


HEALTHY = [
    Case("784-30-10 of the book, digits", "", nielsen),
    Case("784-30-10 with cross-entropy, trained", "", nielsen_trained),
    Case("relu regression, Adam", "", relu_regression),
    Case("spirals, tanh and softmax", "", tanh_spirals),
    Case("a wave, 60 examples", "", tanh_wave),
]
