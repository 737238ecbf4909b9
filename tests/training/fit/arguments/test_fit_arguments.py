"""Every argument of fit and partial_fit that is wrong is refused before a step is done."""

import inspect
import re

import numpy as np
import pytest

import bpfast
from tests.helpers.messages import EMPTY_BATCH
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
    ("dropout", {0: 0.5, 1: 0.5}, TypeError, "dropout: expected a number, or one per .*, got dict"),
    ("dropout", {0.5, 0.25}, TypeError, "dropout: expected a number, or one per .*, got set"),
    ("dropout", None, TypeError, "dropout: expected a number, or one per .*, got NoneType"),
    ("max_norm", 0, ValueError, "max_norm: expected a positive number, got 0"),
    ("max_norm", "1", TypeError, "max_norm: expected a number, got str"),
    ("clip_norm", -1, ValueError, "clip_norm: expected a positive number, got -1"),
    ("clip_norm", NAN, ValueError, "clip_norm: expected a positive number, got nan"),
    ("clip_norm", [1], TypeError, "clip_norm: expected a number, got list"),
    ("class_weight", "even", ValueError, "class_weight: expected 'balanced' or a dict, got 'even'"),
    ("class_weight", [1, 2], TypeError, "class_weight: expected 'balanced' or a dict, got list"),
    ("class_weight", {2: 1}, ValueError, "class_weight: expected classes from 0 to 1, got 2"),
    ("class_weight", {-1: 1}, ValueError, "class_weight: key -1: expected .*, 0 or above, got -1"),
    ("class_weight", {"a": 1}, TypeError, "class_weight: key 'a': expected an integer, got str"),
    ("class_weight", {0.0: 1}, TypeError, "class_weight: key 0.0: expected an integer, got float"),
    ("class_weight", {0: -1}, ValueError, r"class_weight\[0\]: expected a finite number, 0 or abo"),
    ("class_weight", {0: "a"}, TypeError, r"class_weight\[0\]: expected a number, got str"),
    ("sample_weight", S[1:], ValueError, shape("sample_weight", "(12,)", "(11,)")),
    ("sample_weight", 1.0, ValueError, shape("sample_weight", "(12,)", "()")),
    ("sample_weight", S.astype(str), TypeError, "sample_weight: expected real numbers, got dtype"),
    ("sample_weight", [[1], [1, 2]], ValueError, "sample_weight: "),
    ("sample_weight", [1] * 11 + [NAN], ValueError, r"sample_weight\[11\]: .*, got nan"),
    ("sample_weight", [1e308] * N, ValueError, "sample_weight: expected a finite sum"),
    ("seed", -1, ValueError, "seed: expected an integer, 0 or above, got -1"),
    ("seed", 0.5, TypeError, "seed: expected an integer, got float"),
    ("check_finite", 1, TypeError, "check_finite: expected True or False, got int"),
    ("x", X[:, 1:], ValueError, shape("x", "(12, 3)", "(12, 2)")),
    ("x", X[0], ValueError, r"x: expected 2 dimensions, got shape \(3,\); one example is x\[None"),
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
    ("sample_weight", -S, ValueError, r"sample_weight\[0\]: expected a finite weight, 0 or above"),
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
    ("metrics", ["r2", "r2"], ValueError, r"metrics\[1\]: expected a name that occurs once, got '"),
    ("metrics", 3, TypeError, "metrics: expected names or callables, got int"),
    ("early_stopping", 0, ValueError, "early_stopping: expected a positive integer, got 0"),
    ("early_stopping", 1.5, TypeError, "early_stopping: expected an integer, got float"),
    ("early_stopping", "yes", TypeError, "early_stopping: expected a number of epochs or Early"),
    ("early_stopping", bpfast.EarlyStopping(1, "validation_cost"), ValueError,
     "early_stopping: .*columns cost, .*, got 'vali.*'; validation_cost needs the argument v"),
    ("early_stopping", bpfast.EarlyStopping, TypeError,
     r".*, got the class itself: EarlyStopping\(\) makes one$"),
    ("callbacks", 3, TypeError, "callbacks: expected a callable or several, got int"),
    ("callbacks", np.array(print), TypeError, "callbacks: expected a callable or several, got nd"),
    ("metrics", np.array("r2"), TypeError, "metrics: expected names or callables, got ndarray"),
    ("metrics", X.data, TypeError, "metrics: expected names or callables, got memoryview"),
    ("dropout", np.array("r2"), TypeError, "dropout: expected a number, or one per hidden layer,"),
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
def test_refused_arguments(net, method, name, value, kind, message):
    before = (net.history, net.optimizer)
    arguments = {"x": X, "y": Y} | {name: value}
    with refuses(kind, f"^{message}", net, X, Y, S):
        getattr(net, method)(**arguments)
    assert (net.history, net.optimizer) == before
    net.partial_fit(X, Y)  # and nothing is left behind


def test_every_argument_has_an_invalid_case():
    for method, cases in (("fit", BOTH + FIT), ("partial_fit", BOTH + PARTIAL)):
        every = set(inspect.signature(getattr(bpfast.Network, method)).parameters) - {"self"}
        elsewhere = {"checkpoint", "every", "resume"}  # test_checkpoint.py
        assert every - {name for name, *_ in cases} <= elsewhere
