"""Sizes, names, dtypes, seeds, thread counts and costs that cannot be: the error says what can."""

import re

import numpy as np
import pytest

import bpfast
from tests.helpers.invalid.bad_names import ALLOWED, ALONE, NAMES
from tests.helpers.invalid.entry_points import (
    BIASES,
    CONFIGURES,
    ENTRY_POINTS,
    LOSSES,
    WEIGHTS,
    X,
    Y,
    call,
)
from tests.helpers.refuses import refuses

SIZES = [
    ([], ValueError, "sizes: expected two layers or more, the input and the output, got 0"),
    ([3], ValueError, "sizes: expected two layers or more, the input and the output, got 1"),
    ([3, 0, 2], ValueError, r"sizes\[1\]: expected a positive number of neurons, got 0"),
    ([0, 2], ValueError, r"sizes\[0\]: expected a positive number of neurons, got 0"),
    ([3, -2], ValueError, r"sizes\[1\]: expected a positive number of neurons, got -2"),
    ([3, -(2**70)], ValueError, r"sizes\[1\]: expected a positive number of neurons"),
    ([3, 2.0], TypeError, r"sizes\[1\]: expected an integer, got float"),
    ([3, "2"], TypeError, r"sizes\[1\]: expected an integer, got str"),
    ([3, None], TypeError, r"sizes\[1\]: expected an integer, got NoneType"),
    (np.array([3.0, 2.0]), TypeError, r"sizes\[0\]: expected an integer, got float64"),
    ([[3, 2]], TypeError, r"sizes\[0\]: expected an integer, got list"),
    (np.ones((2, 2), int), TypeError, r"sizes\[0\]: expected an integer, got ndarray"),
    (3, TypeError, "sizes: expected a sequence of integers, got int"),
    (None, TypeError, "sizes: expected a sequence of integers, got NoneType"),
    ("32", TypeError, "sizes: expected a sequence of integers, got str"),
    (b"32", TypeError, "sizes: expected a sequence of integers, got bytes"),
    ([True, 2], TypeError, r"sizes\[0\]: expected an integer, got bool"),
    ({3, 2}, TypeError, "sizes: expected a sequence of integers, got set"),
    (frozenset((3, 2)), TypeError, "sizes: expected a sequence of integers, got frozenset"),
    ({3: 1, 2: 1}, TypeError, "sizes: expected a sequence of integers, got dict"),
]


@pytest.mark.parametrize(("sizes", "kind", "message"), SIZES)
def test_sizes(sizes, kind, message):
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    with refuses(kind, f"^{message}"):
        bpfast.Network(sizes, seed=rng)
    assert rng.bit_generator.state == before


@pytest.mark.parametrize(("config", "kind", "message"), NAMES, ids=str)
def test_names(config, kind, message):
    with refuses(kind, f"^{message}"):
        bpfast.Network([3, 2, 2], **config)
    for entry_point in CONFIGURES:
        with refuses(kind, f"^{message}", *WEIGHTS, *BIASES, X, Y):
            call(entry_point, ENTRY_POINTS[entry_point], **config)
    if "cost" not in config:
        for entry_point in ("forward", "trace"):
            with refuses(kind, f"^{message}"):
                call(entry_point, ENTRY_POINTS[entry_point], **config)
    if "hidden" not in config:
        with refuses(kind, f"^{message}"):
            call("bp1", ENTRY_POINTS["bp1"], **config)


@pytest.mark.parametrize(
    ("argument", "names"), [("output", bpfast.ACTIVATIONS), ("cost", bpfast.COSTS)]
)
def test_an_unknown_name_lists_the_valid_ones(argument, names):
    listed = "valid: " + ", ".join(f"'{name}'" for name in names)
    with refuses(ValueError, re.escape(listed) + "$"):
        bpfast.Network([3, 2], **{argument: "zzz"})


ELSEWHERE = [
    ("cost", "mse", "quadratic"),
    ("cost", "MSELoss", "quadratic"),
    ("cost", "bce", "cross_entropy"),
    ("cost", "binary_crossentropy", "cross_entropy"),
    ("cost", "CrossEntropyLoss", "cross_entropy' or 'log_likelihood"),
    ("cost", "categorical_crossentropy", "log_likelihood"),
    ("cost", "log_loss", "cross_entropy' or 'log_likelihood"),
    ("cost", "nll", "log_likelihood"),
    ("cost", "mae", "absolute"),
    ("cost", "smooth_l1", "huber"),
    ("hidden", "logistic", "sigmoid"),
    ("hidden", "swish", "silu"),
    ("hidden", "LReLU", "leaky_relu"),
    ("output", "linear", "identity"),
    ("output", "none", "identity"),
]


@pytest.mark.parametrize(("argument", "name", "meant"), ELSEWHERE)
def test_names_of_other_libraries_suggest_ours(argument, name, meant):
    with refuses(
        ValueError, f"^{argument}: unknown name '{name}'; did you mean '{meant}'\\? valid"
    ):
        bpfast.Network([3, 2, 2], **{argument: name})


def test_unknown_costs_of_other_libraries_suggest_nothing():
    with refuses(ValueError, "^cost: unknown name 'hinge'; valid: "):
        bpfast.Network([3, 2], cost="hinge")


def test_an_argument_that_a_network_does_not_have():
    for name in ("layers", "hidden_layer_sizes"):
        with refuses(TypeError, f"^Network: unknown argument '{name}'; did you mean 'sizes'\\?$"):
            bpfast.Network(**{name: [3, 2]})
    with refuses(TypeError, "^sizes: expected a sequence of integers, got NoneType$"):
        bpfast.Network()
    for name, meant in (("loss", "cost"), ("activation", "hidden"), ("random_state", "seed")):
        with refuses(TypeError, f"^Network: unknown argument '{name}'; did you mean '{meant}'\\?$"):
            bpfast.Network([3, 2], **{name: "mse"})
    with refuses(
        TypeError, "^Network: unknown argument 'depth'; valid: 'sizes', 'hidden', 'output'"
    ):
        bpfast.Network([3, 2], depth=3)
    for arguments in ((3, 2, 1), ([3, 2, 1], "relu")):
        message = f"^Network: expected all but sizes by name, as in hidden=…, got {len(arguments)}"
        with refuses(TypeError, message):
            bpfast.Network(*arguments)


def test_an_unknown_hidden_activation_lists_the_valid_ones():
    listed = ", ".join(f"'{name}'" for name in bpfast.ACTIVATIONS if name != "softmax")
    for hidden in ("zzz", ["zzz"]):
        with refuses(ValueError, rf"^hidden(\[0\])?: unknown name 'zzz'; valid: {listed}$"):
            bpfast.Network([3, 2, 1], hidden=hidden)
    with refuses(ValueError, f"^activation: unknown name 'zzz'; valid: {listed}$"):
        call("bp2", ENTRY_POINTS["bp2"], activation="zzz")


def test_softmax_is_only_for_the_output():
    with refuses(ValueError, rf"^hidden\[1\]: {ALONE}"):
        bpfast.Network([3, 2, 2, 1], hidden=["tanh", "softmax"])
    with refuses(ValueError, f"^activation: {ALONE}"):
        call("bp2", ENTRY_POINTS["bp2"], activation="softmax")
    with refuses(ValueError, "^activation: unknown name 'rellu'; did you mean 'relu'"):
        call("bp2", ENTRY_POINTS["bp2"], activation="rellu")
    with refuses(TypeError, "^activation: expected a name, got NoneType"):
        call("bp2", ENTRY_POINTS["bp2"], activation=None)


def test_softmax_of_one_output_is_always_1():
    said = "'sigmoid' .*'cross_entropy'.* for one neuron, got 'softmax', which is always 1 there$"
    message = f"^output: expected {said}"
    parts = {"weights": [WEIGHTS[0][:1]], "biases": [BIASES[0][:1]]}
    for cost in ("log_likelihood", "quadratic", "cross_entropy", lambda a, y: (a, y)):
        config = {"output": "softmax", "cost": cost}
        with refuses(ValueError, message):
            bpfast.Network([3, 1], **config)
        for entry_point in CONFIGURES:
            x_and_y = {} if entry_point.startswith("Network") else {"x": X, "y": Y[:, :1]}
            with refuses(ValueError, message, X, Y):
                call(entry_point, parts | x_and_y, **config)
    for entry_point in ("forward", "trace"):
        with refuses(ValueError, message):
            call(entry_point, parts | {"x": X}, output="softmax")
    assert (bpfast.bp1(X[:, :1], Y[:, :1], output="softmax") == 0).all()  # what BP1 gives, it gives


@pytest.mark.parametrize("cost", bpfast.COSTS)
@pytest.mark.parametrize("output", bpfast.ACTIVATIONS)
def test_costs_refuse_outputs_outside_their_domain(output, cost):
    config = {"output": output, "cost": cost}
    allowed = ALLOWED.get(cost, set(bpfast.ACTIVATIONS))
    for entry_point in [*CONFIGURES, "bp1"]:
        if output in allowed:
            call(entry_point, ENTRY_POINTS[entry_point], **config)
            continue
        message = f"^output: expected (.*) with cost '{cost}', got '{output}'$"
        with pytest.raises(ValueError, match=message) as caught:
            call(entry_point, ENTRY_POINTS[entry_point], **config)
        (names,) = re.findall(message, str(caught.value))
        assert set(re.findall(r"'(\w+)'", names)) == allowed


OTHERS = [
    ({"dtype": int}, TypeError, "dtype: expected float32 or float64, got int64"),
    ({"dtype": "f2"}, TypeError, "dtype: expected float32 or float64, got float16"),
    ({"dtype": complex}, TypeError, "dtype: expected float32 or float64, got complex128"),
    ({"dtype": object}, TypeError, "dtype: expected float32 or float64, got object"),
    ({"dtype": ">f8"}, TypeError, "dtype: expected float32 or float64, got >f8"),
    ({"dtype": "nonsense"}, TypeError, "dtype: .*nonsense"),
    (
        {"init": "heu"},
        ValueError,
        "init: unknown name 'heu'; did you mean 'he'\\? valid: 'nielsen'",
    ),
    ({"init": None}, TypeError, "init: expected a name, got NoneType"),
    ({"seed": -1}, ValueError, "seed: expected non-negative integer"),
    ({"seed": 1.5}, TypeError, "seed: "),
    ({"seed": "abc"}, TypeError, "seed: "),
    ({"seed": True}, TypeError, "seed: expected an integer or what default_rng accepts, got bool$"),
    ({"seed": [1, True]}, TypeError, "seed: expected an integer or .*, got bool in a list$"),
    ({"seed": np.array([True])}, TypeError, "seed: .* or .*, got an array of bool$"),
    ({"seed": object()}, TypeError, "seed: "),
]


@pytest.mark.parametrize(("config", "kind", "message"), OTHERS, ids=[case[2] for case in OTHERS])
def test_dtype_init_and_seed(config, kind, message):
    with refuses(kind, f"^{message}"):
        bpfast.Network([3, 2], **config)
    if "dtype" in config:
        net = bpfast.Network([3, 2], seed=0)
        with refuses(kind, f"^{message}", net):
            net.astype(config["dtype"])
        with refuses(kind, f"^{message}", *WEIGHTS, *BIASES):
            bpfast.Network.from_parameters(WEIGHTS, BIASES, **config)


@pytest.mark.parametrize(
    ("reduction", "kind", "message"),
    [
        ("average", ValueError, "unknown name 'average'; valid: 'mean', 'sum'"),
        ("Mean", ValueError, "unknown name 'Mean'; did you mean 'mean'\\? valid: 'mean', 'sum'"),
        (None, TypeError, "expected a name, got NoneType"),
        (1, TypeError, "expected a name, got int"),
    ],
)
@pytest.mark.parametrize("entry_point", [*LOSSES, "bp1"])
def test_reduction(entry_point, reduction, kind, message):
    with refuses(kind, f"^reduction: {message}", X, Y):
        call(entry_point, ENTRY_POINTS[entry_point] | {"reduction": reduction})


@pytest.mark.parametrize(
    ("k", "kind", "message"),
    [
        (0, ValueError, "k: expected 1 to 1024 threads, got 0"),
        (-1, ValueError, "k: expected 1 to 1024 threads, got -1"),
        (1025, ValueError, "k: expected 1 to 1024 threads, got 1025"),
        (2**70, ValueError, "k: expected 1 to 1024 threads"),
        (True, TypeError, "k: expected an integer, got bool"),
        (-(2**70), ValueError, "k: expected 1 to 1024 threads"),
        (2.0, TypeError, "k: expected an integer, got float"),
        ("2", TypeError, "k: expected an integer, got str"),
        ([2], TypeError, "k: expected an integer, got list"),
    ],
)
def test_threads(k, kind, message):
    before = bpfast.get_num_threads()
    for setter in (bpfast.set_num_threads, bpfast.num_threads):
        with refuses(kind, f"^{message}"):
            setter(k)
        assert bpfast.get_num_threads() == before
    with refuses(TypeError, "^k: expected an integer, got NoneType"):
        bpfast.num_threads(None)


@pytest.mark.parametrize("net", [None, 3, [3, 2], bpfast.Network])
def test_a_gradient_is_of_a_network(net):
    with refuses(TypeError, "^net: expected a Network, got "):
        bpfast.Gradient(net)


def test_every_suggested_argument_exists():
    for maker, name in (
        (bpfast.SGD, "rho"),
        (bpfast.SGD, "betas"),
        (bpfast.Adagrad, "rho"),
        (bpfast.Network([3, 2]).partial_fit, "verbose"),
        (bpfast.Network([3, 2]).partial_fit, "patience"),
    ):
        with refuses(TypeError, f"unknown argument '{name}'; valid: '"):
            maker(**{name: 1})
    with refuses(TypeError, "unknown argument 'betas'; did you mean beta1 and beta2\\?$"):
        bpfast.Adam(betas=(0.9, 0.99))
