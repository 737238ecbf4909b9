"""Every argument of fit and partial_fit that is wrong is refused before a step is done."""

import inspect
import re

import numpy as np
import pytest

import bpfast
from tests.helpers.messages import EMPTY_BATCH, READ_ONLY
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
N = 12
X, Y, S = RNG.standard_normal((N, 3)), RNG.random((N, 2)), RNG.random(N)
NAN, INF = float("nan"), float("inf")


def shape(name, expected, got):
    return re.escape(f"{name}: expected shape {expected}, got {got}")


# For each argument: a value, the kind of error, what it says.
BOTH = [
    ("batch_size", 0, ValueError, "batch_size: expected a positive integer, got 0"),
    ("batch_size", 2.0, TypeError, "batch_size: expected an integer, got float"),
    ("batch_size", True, TypeError, "batch_size: expected an integer, got bool"),
    ("batch_size", 2**63, ValueError, "batch_size: expected an integer below 2.63"),
    ("optimizer", "adamm", ValueError, r"optimizer: unknown name 'adamm'; did you mean 'adam'\? v"),
    ("optimizer", "zzz", ValueError, "optimizer: unknown name 'zzz'; valid: 'sgd', 'adam'"),
    ("optimizer", 0.1, TypeError, "optimizer: expected a name or an optimizer, got float"),
    ("optimizer", bpfast.Adam, TypeError,
     r"optimizer: expected .*, got the class Adam itself: Adam\(\) makes one$"),
    ("optimizer", dict, TypeError, "optimizer: expected .*, got the class dict itself$"),
    ("optimizer", "momentum", ValueError, r".*; did you mean bpfast.SGD\(momentum=0.9\)\? valid"),
    ("optimizer", "L-BFGS", ValueError, r".*; did you mean bpfast.scipy_minimize\? valid: 'sgd'"),
    ("learning_rate", 0, ValueError, "learning_rate: expected a positive number, got 0"),
    ("learning_rate", "a", TypeError, "learning_rate: expected a number or a callable .*, got str"),
    ("l1", -1, ValueError, "l1: expected a finite number, 0 or above, got -1"),
    ("l1", "1", TypeError, "l1: expected a number, got str"),
    ("l2", INF, ValueError, "l2: expected a finite number, 0 or above, got inf"),
    ("l2", None, TypeError, "l2: expected a number, got NoneType"),
    ("dropout", 1.0, ValueError, "dropout: expected a number from 0 and below 1, got 1"),
    ("dropout", -0.1, ValueError, "dropout: expected a number from 0 and below 1, got -0.1"),
    ("dropout", [0.5, NAN], ValueError, r"dropout\[1\]: expected a number from 0 .*, got nan"),
    ("dropout", [0.5], ValueError, "dropout: expected 2, one per hidden layer, got 1"),
    ("dropout", ["a", 0], TypeError, r"dropout\[0\]: expected a number, got str"),
    ("dropout", "half", TypeError, "dropout: expected a number, or one per hidden layer, got str"),
    ("dropout", None, TypeError, "dropout: expected a number, or one per .*, got NoneType"),
    ("max_norm", 0, ValueError, "max_norm: expected a positive number, got 0"),
    ("max_norm", "1", TypeError, "max_norm: expected a number, got str"),
    ("clip_norm", -1, ValueError, "clip_norm: expected a positive number, got -1"),
    ("clip_norm", NAN, ValueError, "clip_norm: expected a positive number, got nan"),
    ("clip_norm", [1], TypeError, "clip_norm: expected a number, got list"),
    ("class_weight", "even", ValueError, "class_weight: expected 'balanced' or a dict, got 'even'"),
    ("class_weight", [1, 2], TypeError, "class_weight: expected 'balanced' or a dict, got list"),
    ("class_weight", {2: 1}, ValueError, "class_weight: expected classes from 0 to 1, got 2"),
    ("class_weight", {-1: 1}, ValueError, "class_weight: expected an integer, 0 or above, got -1"),
    ("class_weight", {"a": 1}, TypeError, "class_weight: expected an integer, got str"),
    ("class_weight", {0: -1}, ValueError, r"class_weight\[0\]: expected a finite number, 0 or abo"),
    ("class_weight", {0: "a"}, TypeError, r"class_weight\[0\]: expected a number, got str"),
    ("sample_weight", S[1:], ValueError, shape("sample_weight", "(12,)", "(11,)")),
    ("sample_weight", 1.0, ValueError, shape("sample_weight", "(12,)", "()")),
    ("sample_weight", S.astype(str), TypeError, "sample_weight: expected real numbers, got dtype"),
    ("sample_weight", [[1], [1, 2]], ValueError, "sample_weight: "),
    ("sample_weight", -S, ValueError, r"sample_weight\[0\]: expected a finite weight, 0 or above"),
    ("sample_weight", [1] * 11 + [NAN], ValueError, r"sample_weight\[11\]: .*, got nan"),
    ("sample_weight", [1e308] * N, ValueError, "sample_weight: expected a finite sum"),
    ("seed", -1, ValueError, "seed: expected an integer, 0 or above, got -1"),
    ("seed", 0.5, TypeError, "seed: expected an integer, got float"),
    ("check_finite", 1, TypeError, "check_finite: expected True or False, got int"),
    ("x", X[:, 1:], ValueError, shape("x", "(12, 3)", "(12, 2)")),
    ("x", X[0], ValueError, r"x: expected 2 dimensions, got shape \(3,\)"),
    ("x", 1.0, ValueError, r"x: expected 2 dimensions, got shape \(\)"),
    ("x", X[:0], ValueError, EMPTY_BATCH.format("x")),
    ("x", X * 1j, TypeError, "x: expected real numbers, got dtype complex128"),
    ("x", X.astype(object), TypeError, "x: expected real numbers, got dtype object"),
    ("x", [[1], [2, 3]], ValueError, "x: "),
    ("y", Y[1:], ValueError, shape("y", "(12, 2)", "(11, 2)")),
    ("y", Y[:, :1], ValueError, shape("y", "(12, 2)", "(12, 1)")),
    ("y", Y[:, 0], ValueError, shape("y", "(12, 2)", "(12,)")),
    ("y", 1.0, ValueError, shape("y", "(12,)", "()")),
    ("y", [0, 1] * 6, ValueError, r"y: expected shape \(12, 2\) \(class labels go with"),
    ("y", Y.astype(str), TypeError, "y: expected real numbers, got dtype <U"),
    ("y", [[1], [2, 3]], ValueError, "y: "),
]  # fmt: skip
FIT = [
    ("epochs", 0, ValueError, "epochs: expected a positive integer, got 0"),
    ("epochs", 1.5, TypeError, "epochs: expected an integer, got float"),
    ("batch_size", "all", TypeError, "batch_size: expected an integer, got str"),
    ("optimizer", None, TypeError, "optimizer: expected a name or an optimizer, got NoneType"),
    ("shuffle", 1, TypeError, "shuffle: expected True or False, got int"),
    ("sparse", "yes", TypeError, "sparse: expected True or False, got str"),
    ("validation", 0.0, ValueError, "validation: expected a fraction above 0 .*, got 0 of 12"),
    ("validation", 1.0, ValueError, "validation: expected a fraction .*, got 1 of 12"),
    ("validation", 0.01, ValueError, "validation: expected a fraction .*, got 0.01 of 12"),
    ("validation", NAN, ValueError, "validation: expected a fraction .*, got nan of 12"),
    ("validation", True, TypeError, r"validation: expected \(x, y\), .* or a fraction, got bool"),
    ("validation", X, TypeError, r"validation: expected \(x, y\), .*, got ndarray"),
    ("validation", (X,), TypeError, r"validation: expected \(x, y\), .*, got tuple of 1"),
    ("validation", (X[:, 1:], Y), ValueError, "validation: " + shape("x", "(12, 3)", "(12, 2)")),
    ("validation", (X, Y[1:]), ValueError, "validation: " + shape("y", "(12, 2)", "(11, 2)")),
    ("validation", (X, Y[:, 1:]), ValueError, "validation: " + shape("y", "(12, 2)", "(12, 1)")),
    ("validation", (X, Y, -S), ValueError, r"validation: sample_weight\[0\]: expected a finite"),
    ("validation", (X * [1, NAN, 1], Y), ValueError, r"validation: x\[0\]: expected finite .*nan"),
    ("validation", (X, Y * INF), ValueError, r"validation: y\[0\]: expected finite numbers, got i"),
    ("validation", ("abc", Y), TypeError, "validation: x: expected real numbers, got dtype <U3"),
    ("metrics", "acuracy", ValueError, r"metrics\[0\]: unknown name 'acuracy'; did you mean 'acc"),
    ("metrics", {"m": "acuracy"}, ValueError, r"metrics\['m'\]: unknown name 'acuracy'; did you"),
    ("metrics", {"m": 3}, TypeError, r"metrics\['m'\]: expected a name or a callable, got int"),
    ("metrics", {3: max}, TypeError, r"metrics: expected columns that are text, got int"),
    ("metrics", {"": max}, ValueError, r"metrics: expected columns with a name, got ''"),
    ("metrics", {"cost": max}, ValueError, r"metrics\['cost'\]: expected a name that no column"),
    ("metrics", "acc", ValueError, r"metrics\[0\]: unknown name 'acc'; did you mean 'accuracy'\?"),
    ("metrics", "MSE", ValueError, ".* 'MSE'; did you mean 'mean_squared_error'"),
    ("metrics", "precision", ValueError, r"metrics\[0\]: unknown name 'precision'; valid: 'accur"),
    ("metrics", ["accuracy", 3], TypeError, r"metrics\[1\]: expected a name or a callable, got i"),
    ("metrics", ["r2", "r2"], ValueError, r"metrics\[1\]: expected a name of its own, got 'r2' on"),
    ("metrics", 3, TypeError, "metrics: expected names or callables, got int"),
    ("early_stopping", 0, ValueError, "early_stopping: expected a positive integer, got 0"),
    ("early_stopping", 1.5, TypeError, "early_stopping: expected an integer, got float"),
    ("early_stopping", "yes", TypeError, "early_stopping: expected a number of epochs or Early"),
    ("early_stopping", bpfast.EarlyStopping(1, "validation_cost"), ValueError,
     "early_stopping: .*columns cost, .*, got 'vali.*'; validation_cost comes with the argument v"),
    ("early_stopping", bpfast.EarlyStopping, TypeError,
     r".*, got the class itself: EarlyStopping\(\) makes one$"),
    ("callbacks", 3, TypeError, "callbacks: expected a callable or several, got int"),
    ("callbacks", [print, 3], TypeError, r"callbacks\[1\]: expected a callable, got int"),
    ("progress", "bar", TypeError, "progress: expected True or False, got str"),
    ("seed", 2**63, ValueError, "seed: expected an integer below 2.63"),
    ("y", None, TypeError, "y: expected with x of type ndarray; without y, x is an iterable of b"),
]  # fmt: skip
PARTIAL = [
    ("epochs", 1, TypeError, "partial_fit: unknown argument 'epochs'; valid: 'x', 'y', 'batch_s"),
]
CASES = [("fit", *rest) for rest in BOTH + FIT] + [
    ("partial_fit", *rest) for rest in BOTH + PARTIAL
]


@pytest.fixture
def net():
    return bpfast.Network([3, 4, 5, 2], seed=0)


@pytest.mark.parametrize(("method", "name", "value", "kind", "message"), CASES)
def test_what_is_refused(net, method, name, value, kind, message):
    before = (net.history, net.optimizer)
    arguments = {"x": X, "y": Y} | {name: value}
    with refuses(kind, f"^{message}", net, X, Y, S):
        getattr(net, method)(**arguments)
    assert (net.history, net.optimizer) == before
    net.partial_fit(X, Y)  # and nothing is left behind


def test_every_argument_has_a_bad_one():
    for method, cases in (("fit", BOTH + FIT), ("partial_fit", BOTH + PARTIAL)):
        every = set(inspect.signature(getattr(bpfast.Network, method)).parameters) - {"self"}
        elsewhere = {"checkpoint", "every", "resume"}  # test_checkpoint.py
        assert every - {name for name, *_ in cases} <= elsewhere


ELSEWHERE = [
    ("lr", "'learning_rate'"),
    ("learning_rate_init", "'learning_rate'"),
    ("batchsize", "'batch_size'"),
    ("mini_batch_size", "'batch_size'"),
    ("random_state", "'seed'"),
    ("lmbda", "'l2'"),
]
OF_FIT = [
    ("max_iter", "'epochs'"),
    ("n_iter_no_change", "'early_stopping'"),
    ("tol", r"early_stopping=bpfast.EarlyStopping\(least=...\)"),
    ("activation", r"Network\(..., hidden=...\)"),
    ("hidden_layer_sizes", r"Network\(\[n_in, ..., n_out\]\)"),
    ("nesterovs_momentum", r"optimizer=bpfast.SGD\(momentum=0.9, nesterov=True\)"),
]


@pytest.mark.parametrize(("name", "meant"), OF_FIT)
def test_an_argument_of_scikit_learn(net, name, meant):
    with refuses(TypeError, rf"^fit: unknown argument '{name}'; did you mean {meant}\?$", net):
        net.fit(X, Y, **{name: 1})


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("name", "meant"), ELSEWHERE)
def test_an_argument_of_other_libraries(net, method, name, meant):
    before = net.history
    with refuses(TypeError, rf"^{method}: unknown argument '{name}'; did you mean {meant}\?$", net):
        getattr(net, method)(X, Y, **{name: 0.1})
    assert net.history is before


def test_an_argument_by_position(net):
    message = "^fit: expected all but x, y by name, as in epochs=…, got 4 by position$"
    with refuses(TypeError, message, net):
        net.fit(X, Y, 10, 32)
    with refuses(TypeError, "^fit.*missing 1 required positional argument: 'x'$", net):
        net.fit()


def test_a_column_of_other_libraries_to_stop_early_by(net):
    for monitor, mode, meant in (
        ("val_loss", "min", "validation_cost"),
        ("val_cost", "min", "validation_cost"),
        ("val_accuracy", "max", "validation_accuracy"),
        ("loss", "min", "cost"),
    ):
        stop = bpfast.EarlyStopping(3, monitor, mode)
        with refuses(ValueError, f"^early_stopping: .*, got '{monitor}'; did you mean '{meant}'"):
            stop.column(["cost", "seconds", "validation_cost", "validation_accuracy"])
        if meant != "cost":
            needed = "the argument validation"
            if meant == "validation_accuracy":
                needed = "metrics='accuracy' and validation"
            message = f"got '{monitor}'; {meant} comes with {needed}$"
            with refuses(ValueError, message, net):
                net.fit(X, Y, early_stopping=stop)
    message = "^mode: expected .*, as 'val_loss' does not tell, got None; did you mean 'validation"
    with refuses(ValueError, message):
        bpfast.EarlyStopping(3, "val_loss")
    # A column may be called so.
    net.fit(X, Y, metrics={"val_x": "r2"}, early_stopping=bpfast.EarlyStopping(3, "val_x", "max"))


def test_a_metric_needs_a_name_of_its_own(net):
    def validation_cost(a, y):
        return 0.0

    def cost(a, y):
        return 0.0

    for metric in (cost, validation_cost):
        message = rf"^metrics\[0\]: expected a name that no column has, got '{metric.__name__}'$"
        with refuses(ValueError, message, net):
            net.fit(X, Y, metrics=metric)


@pytest.mark.parametrize("name", [name for name in dir(bpfast.History) if name[0] != "_"])
def test_a_metric_hides_behind_no_attribute_of_a_history(net, name):
    def metric(a, y):
        return 0.0

    metric.__name__ = name
    for metrics, argument in (({name: "r2"}, repr(name)), (metric, 0)):
        message = f"metrics[{argument}]: expected a name that no attribute of History has, got "
        with refuses(ValueError, f"^{re.escape(message)}'{name}'$", net):
            net.fit(X, Y, metrics=metrics)


def test_labels_are_those_of_the_network():
    net = bpfast.Network([3, 2], output="softmax", cost="log_likelihood", seed=0)
    with refuses(ValueError, r"^y\[3\]: expected a label from 0 to 1, got 2$", net):
        net.fit(X, [0, 1, 0, 2] * 3)
    with refuses(ValueError, r"^validation: y\[0\]: expected a label from 0 to 1, got -1$", net):
        net.fit(X, [0] * N, validation=(X, [-1] * N))
    with refuses(
        ValueError, "^class_weight: expected labels or outputs for classes as y, got", net
    ):
        net.fit(X, Y[:, 0], class_weight="balanced")


def test_an_iterable_brings_its_own(net):
    batches = [(X, Y)]
    for name, value in (("class_weight", "balanced"), ("sample_weight", S)):
        with refuses(ValueError, f"^{name}: expected as the third part of each batch", net):
            net.fit(batches, **{name: value})
    with refuses(
        ValueError, r"^validation: expected \(x, y\) where x is an iterable, got a f", net
    ):
        net.fit(batches, validation=0.5)
    arrays = (("batch_size", 32), ("shuffle", True), ("sparse", True))
    for x in (batches, iter(batches), lambda: batches):
        for name, value in arrays:
            message = f"^{name}: expected with arrays alone, got {value} beside an iterable"
            with refuses(ValueError, message, net):
                net.fit(x, **{name: value})
        twin = net.copy()
        twin.fit(x, epochs=1, shuffle=False, sparse=False)  # which says what is done anyway
    for x in ("text", 3, X):
        with refuses(TypeError, "^y: expected with x of type", net):
            net.fit(x)


def test_an_iterable_of_batches_has_y_in_it(net):
    def batches():
        yield X, Y

    class Loader:
        def __iter__(self):
            return batches()

    for x in (batches(), batches, Loader(), [(X, Y)], ((X, Y, S),), iter([(X, Y)])):
        got = f"with x of type {type(x).__name__}, whose batches are"
        with refuses(TypeError, rf"^y: expected none {got} \(x, y\) themselves$", net):
            net.fit(x, Y)
    with refuses(TypeError, "^x: expected real numbers, got generator$", net):
        net.partial_fit(batches(), Y)
    for x in (X.tolist(), list(X), tuple(map(tuple, X)), [list(row) for row in X]):
        twin = net.copy()
        twin.fit(x, Y, epochs=1, seed=0)
        assert twin.history is not None


def test_an_optimizer_serves_one_network(net):
    optimizer = bpfast.Adam()
    net.fit(X, Y, epochs=1, optimizer=optimizer)
    other = bpfast.Network([3, 4, 5, 2], seed=0)
    state = repr(optimizer.state)
    message = (
        "^optimizer: expected one with steps of this network alone, got one that has done 1 of"
    )
    for method in ("fit", "partial_fit"):
        with refuses(ValueError, message, net, other):
            getattr(other, method)(X, Y, optimizer=optimizer)
    assert repr(optimizer.state) == state
    other.fit(X, Y, epochs=1, optimizer=optimizer.__copy__())
    optimizer.reset()
    other.fit(X, Y, epochs=1, optimizer=optimizer)
    wide = bpfast.Adam()
    wide.step(np.ones(3), np.ones(3))
    with refuses(ValueError, r"^optimizer: params: expected shape \(3,\) as in the steps", net):
        net.fit(X, Y, optimizer=wide)


def test_x_apart_from_the_parameters():
    """A step would read what it writes."""
    net = bpfast.Network([3, 4], seed=0)
    x = net.params[:15].reshape(5, 3)
    for given in ((x, np.ones((5, 4))), (np.ones((4, 3)), net.params.reshape(4, 4))):
        with refuses(
            ValueError, "^[xy]: expected an array apart from params, got one that sha", net
        ):
            net.fit(*given)
    batches = [(x, np.ones((5, 4)))]
    with refuses(ValueError, "^batch 0 of epoch 1: x: expected an array apart from params", net):
        net.fit(batches)


def test_parameters_that_cannot_be_written(net):
    net.weights[0].flags.writeable = False
    with refuses(ValueError, f"^{READ_ONLY.format('params')}$", net):
        net.fit(X, Y)


def test_classes_are_no_numbers_between(net):
    """Outputs of a regression would get the weights of whichever is the largest."""
    for weights in ("balanced", {0: 2.0}):
        for y in (Y, 2.0 * np.eye(2)[[0, 1] * 6]):
            message = r"^class_weight: expected labels, or outputs that are 0 or 1, as y, got \["
            with refuses(ValueError, message, net):
                net.fit(X, y, class_weight=weights)
    net.fit(X, np.eye(2)[[0, 1] * 6], class_weight="balanced", epochs=1)


def test_weights_that_are_all_zero_on_one_side(net):
    for seed in range(3):
        held = bpfast._core.permutation(seed, 0, N)[:3]
        for rows, side in ((held, "held out"), (np.setdiff1d(range(N), held), "trained on")):
            weights = np.ones(N)
            weights[rows] = 0
            message = f"^validation: expected a fraction that .* on both sides, got none.* {side}$"
            with refuses(ValueError, message, net):
                net.fit(X, Y, validation=0.25, sample_weight=weights, seed=seed)
