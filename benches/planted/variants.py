"""Twenty more planted faults and eight more healthy networks, which no threshold was chosen for."""

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


def saturated_tanh() -> Setup:
    x, y = digits(300, 100, side=14)
    net = classes([196, 64, 32, 10], 100)
    return Setup(scaled(net, 8, slice(0, 1)), x, y, adam())


def saturated_second_layer() -> Setup:
    x, y = surface(250, 101)
    net = regression([5, 24, 24, 1], 101, "sigmoid", "xavier")
    return Setup(shifted(net, 3, -8.0), x, y, sgd(0.05))


def saturated_softmax() -> Setup:
    x, y = digits(300, 102, side=7)
    net = classes([49, 20, 10], 102, cost="quadratic")
    net.biases[1] = np.where(np.arange(10) == 3, 12.0, 0.0)
    return Setup(net, x, rows_of(y, 10), sgd(0.2))


def dead_by_weights() -> Setup:
    x, y = digits(400, 103, side=14)
    net = classes([196, 50, 10], 103, "relu", "he")
    net.weights[0][:35] = -abs(net.weights[0][:35])
    return Setup(net, x, y, adam())


def grey_levels() -> Setup:
    x, y = digits(300, 104, side=7)
    return Setup(classes([49, 30, 10], 104, "sigmoid", "nielsen"), 16 * x, y, sgd(0.1))


def kilometres() -> Setup:
    x, y = blobs(500, 105, features=4)
    return Setup(classes([4, 16, 16, 3], 105, "relu", "he", dtype="float32"), 50 * x, y, adam())


def two_loud_features() -> Setup:
    x, y = surface(350, 106, features=20)
    scale = np.ones(20)
    scale[[4, 11]] = 80
    return Setup(regression([20, 40, 1], 106), x * scale, y, sgd(0.01))


def kelvin() -> Setup:
    x, y = blobs(400, 107, features=6, classes=2)
    net = bpfast.Network([6, 10, 1], cost="cross_entropy", seed=107)
    return Setup(net, 293 + 3 * x, y, adam(0.01))


def broken_sensor() -> Setup:
    x, y = surface(300, 108, features=9)
    x[:, 5:] = [-3.0, 2.0, 8.0, 1.0]
    return Setup(regression([9, 24, 1], 108), x, y, sgd(0.02))


def quiet_signals() -> Setup:
    x, y = surface(300, 109)
    return Setup(regression([5, 20, 20, 1], 109, "tanh", "xavier"), 1e-2 * x, y, adam())


def contradictions() -> Setup:
    x, y = digits(200, 110, side=14)
    return Setup(
        classes([196, 25, 10], 110, "relu", "he"),
        np.vstack([x, x, x[:60]]),
        np.concatenate([y, (y + 5) % 10, (y[:60] + 1) % 10]),
        sgd(0.1),
    )


def shuffled_targets() -> Setup:
    x, y = surface(400, 111)
    y = y[np.random.default_rng(111).permutation(len(y))]
    return Setup(regression([5, 50, 1], 111, "gelu"), x, y, adam())


def rare_digit() -> Setup:
    x, y = digits(3000, 112, side=7)
    kept = np.append(np.flatnonzero(y != 7), np.flatnonzero(y == 7)[:4])
    return Setup(classes([49, 30, 10], 112), x[kept], y[kept], adam())


def tiny_adam_rate() -> Setup:
    x, y = surface(300, 113)
    return Setup(regression([5, 40, 40, 1], 113), x, y, adam(1e-8))


def tiny_momentum_rate() -> Setup:
    x, y = spirals(300, 114)
    return Setup(classes([2, 24, 2], 114), x, y, sgd(3e-6, momentum=0.9))


def huge_digits_rate() -> Setup:
    x, y = digits(400, 115)
    return Setup(classes([784, 64, 10], 115, "relu", "he"), x, y, sgd(10.0))


def eight_sigmoid_layers() -> Setup:
    x, y = blobs(400, 116, features=20)
    net = classes([20, *[16] * 8, 3], 116, "sigmoid")
    return Setup(net, x, y, adam())


def exploding_tanh_free() -> Setup:
    x, y = digits(300, 117, side=14)
    net = classes([196, 60, 60, 60, 60, 10], 117, "leaky_relu", "he")
    return Setup(scaled(net, 6), x, y, sgd(0.01))


def equal_weights() -> Setup:
    x, y = surface(300, 118)
    net = regression([5, 30, 1], 118, "tanh")
    net.params[:] = 0.1
    return Setup(net, x, y, adam())


def minus_one_and_one() -> Setup:
    x, y = signs(400, 119)
    net = bpfast.Network([2, 20, 1], hidden="tanh", seed=119)
    return Setup(net, x, (2.0 * y - 1)[:, np.newaxis], sgd(0.5))


PLANTED = [
    Case("tanh layer saturated by weights, digits", "saturated_hidden", saturated_tanh, "weights"),
    Case(
        "second sigmoid layer saturated by biases",
        "saturated_hidden",
        saturated_second_layer,
        "biases",
    ),
    Case("saturated softmax, quadratic cost, digits", "saturated_output", saturated_softmax),
    Case("relus dead by negative weights, digits", "dead_neurons", dead_by_weights, "weights"),
    Case("pixels from 0 to 16, digits", "unscaled_features", grey_levels),
    Case("features of deviation 50, float32", "unscaled_features", kilometres),
    Case("two of 20 features 80 times as large", "uneven_features", two_loud_features),
    Case("temperatures in kelvin", "uncentred_features", kelvin),
    Case("four of nine features constant", "constant_features", broken_sensor),
    Case("features of a hundredth", "quiet_inputs", quiet_signals),
    Case("digits twice with different labels", "contradicting_examples", contradictions),
    Case("targets in another order than x", "unrelated_targets", shuffled_targets),
    Case("a digit with 4 of 2700 examples", "class_imbalance", rare_digit),
    Case("Adam's rate too small", "small_step", tiny_adam_rate),
    Case("rate too small with momentum", "small_step", tiny_momentum_rate),
    Case("rate too large, digits", "large_step", huge_digits_rate),
    Case("eight sigmoid layers", "vanishing_gradient", eight_sigmoid_layers),
    Case("exploding initial weights, leaky relu, digits", "large_weights", exploding_tanh_free),
    Case("all parameters 0.1", "symmetric_neurons", equal_weights),
    Case("targets of -1 and 1 for a sigmoid", "target_range", minus_one_and_one),
]


def digits_relu() -> Setup:
    x, y = digits(600, 120)
    return Setup(classes([784, 128, 64, 10], 120, "relu", "he"), x, y, adam())


def digits_relu_trained() -> Setup:
    x, y = digits(600, 121, side=14)
    net = classes([196, 40, 10], 121, "relu", "he")
    return trained(Setup(net, x, y), epochs=3, optimizer="adam")


def book_trained() -> Setup:
    x, y = digits(1000, 122)
    setup = Setup(bpfast.Network([784, 30, 10], seed=122), x, rows_of(y, 10))
    return trained(setup, epochs=3, optimizer=bpfast.SGD(3.0), batch_size=10)


def autoencoder() -> Setup:
    x, _ = digits(400, 123, side=7)
    net = bpfast.Network([49, 16, 49], hidden="tanh", init="xavier", seed=123)
    return Setup(net, x, x, adam())


def float32_regression() -> Setup:
    x, y = surface(300, 124, features=8)
    net = regression([8, 64, 64, 2], 124, "gelu", dtype="float32")
    return Setup(net, x, np.hstack([y, -y]), sgd(0.05, momentum=0.9))


def signs_half_trained() -> Setup:
    x, y = signs(500, 125)
    setup = Setup(classes([2, 16, 2], 125), x, y)
    return trained(setup, epochs=2, optimizer="adam", learning_rate=0.01)


def counts() -> Setup:
    rng = np.random.default_rng(126)
    x = rng.standard_normal((400, 6))
    y = rng.poisson(np.exp(0.5 * x[:, :1]))
    net = bpfast.Network(
        [6, 20, 1], hidden="tanh", output="softplus", cost="poisson", init="xavier", seed=126
    )
    return Setup(net, x, y, adam())


def fitted_wave() -> Setup:
    x, y = wave(100, 127)
    setup = Setup(regression([1, 30, 1], 127, "tanh", "nielsen"), x, y)
    return trained(setup, epochs=30, optimizer="adam", learning_rate=0.01)


HEALTHY = [
    Case("784-128-64-10 relu, digits", "", digits_relu),
    Case("196-40-10 relu after 3 epochs, digits", "", digits_relu_trained),
    Case("784-30-10 of the book after 3 epochs, digits", "", book_trained),
    Case("an autoencoder of small digits", "", autoencoder),
    Case("gelu regression with two outputs, float32", "", float32_regression),
    Case("XOR of signs after 2 epochs", "", signs_half_trained),
    Case("counts, softplus and poisson", "", counts),
    Case("a wave, after 30 epochs", "", fitted_wave),
]
