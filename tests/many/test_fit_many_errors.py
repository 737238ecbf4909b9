"""What `fit_many` refuses: the message names the argument and the network."""

import re

import numpy as np
import pytest
import scipy.sparse

import bpfast
from tests.helpers.many import S, X, Y, networks
from tests.helpers.refuses import refuses

WRONG = [
    ({"nets": []}, ValueError, "nets: expected one network or more, got none"),
    ({"nets": 3}, TypeError, "nets: expected a list of networks, got int"),
    ({"nets": {bpfast.Network([2, 1])}}, TypeError, "nets: expected a list of networks, got set"),
    ({"nets": [1]}, TypeError, r"nets\[0\]: expected a Network, got int"),
    ({"epochs": [1, 2]}, ValueError, "epochs: expected one value, or a list of 4, one for"),
    ({"epochs": [1, 2, 0, 3]}, ValueError, r"nets\[2\]: epochs: expected"),
    ({"seed": [1]}, ValueError, "seed: expected one value, or a list of 4"),
    ({"rows": [[0]] * 3}, ValueError, "rows: expected a list of 4, with the rows of each network"),
    ({"rows": 3}, TypeError, "rows: expected rows, or a list with those of each, got int"),
    ({"rows": "all"}, TypeError, "rows: expected rows, or a list with those of each, got str"),
    ({"rows": np.flatnonzero(X > 1e9)}, ValueError, "rows: expected one row or more, got none$"),
    ({"rows": [0, 120]}, ValueError, "rows: expected rows from 0 to 119, got 120"),
    ({"rows": [0.0, 1.0]}, TypeError, "rows: expected row numbers, or 120 of True and False"),
    ({"validation_rows": np.ones(120, bool)}, ValueError,
     r"nets\[0\]: validation_rows: expected rows that leave others to train with, got all 120"),
    ({"rows": [[0], [1], [120], [2]]}, ValueError, r"rows\[2\]: expected rows from 0 to 119, got"),
    ({"rows": [[0], [], [1], [2]]}, ValueError, r"rows\[1\]: expected one row or more, got none"),
    ({"rows": [[0], [1.5], [1], [2]]}, TypeError, r"rows\[1\]: expected row numbers"),
    ({"rows": {0: [1], 1: [2]}}, TypeError, "rows: expected rows, or a list with .*, got dict$"),
    ({"rows": np.ma.array([1, 2], mask=[True, False])}, ValueError, "rows: expected no missing"),
    ({"epochs": (1, 2)}, ValueError, "epochs: expected one value, or a list of 4, one for each"),
    ({"learning_rate": np.array([0.1, -1, 1, 1])}, ValueError, r"nets\[1\]: learning_rate: expec"),
    ({"y": [[1.0], [1.0, 2.0]] * 60}, ValueError, "y: expected an array, got a list whose entr"),
    ({"validation": (X, np.full_like(Y, np.nan))}, ValueError,
     r"nets\[0\]: validation: y\[0\]: expected finite numbers, got nan$"),
    ({"optimizer": [bpfast.Adam()] * 4}, ValueError, r"nets\[1\]: optimizer: expected one for"),
    ({"x": X[:, :3]}, ValueError, r"nets\[0\]: x: expected shape \(120, 4\), got \(120, 3\)"),
    ({"y": Y[:7]}, ValueError, r"nets\[0\]: y: expected shape \(120, 1\), got \(7, 1\)"),
    ({"x": np.where(X > 2, np.nan, X)}, ValueError, r"x\[\d+\]: expected finite numbers, got nan"),
    ({"dropout": [0.1, [0.1, 0.2], 0, 0]}, ValueError, r"nets\[1\]: dropout: expected 1, one per"),
    ({"every": 3}, ValueError, "every: expected only with keep, got 3"),
    ({"keep": 0.5}, ValueError,
     "every: expected the number of epochs between two choices, as keep is given, got None"),
    *(({"keep": keep}, ValueError, f"keep: expected a number above 0 and below 1, got {keep}")
      for keep in (1.5, 1, 0, -0.5, np.nan, np.inf)),
    ({"keep": 0.5, "every": 0}, ValueError, "every: expected a positive integer, got 0"),
    ({"keep": True}, TypeError, "keep: expected a number, got bool"),
    ({"keep": [0.5] * 4}, TypeError, "keep: expected a number, got list"),
    ({"validation": (X, Y), "validation_rows": [0, 1]}, ValueError,
     r"nets\[0\]: validation: expected none beside validation_rows, got tuple"),
    ({"validation": 0.3, "validation_rows": [None, None, [1], None]}, ValueError,
     r"nets\[2\]: validation: expected none beside validation_rows, got float"),
    ({"validation": [None, (X, Y), None, None], "validation_rows": [[0]] * 4}, ValueError,
     r"nets\[1\]: validation: expected none beside validation_rows, got tuple"),
    ({"lr": 0.1}, TypeError, "fit_many: unknown argument 'lr'; did you mean 'learning_rate'?"),
    ({"validation": (X, Y, S, S)}, TypeError, r"nets\[0\]: validation: expected \(x, y\), \(x, y"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "kind", "message"), WRONG)
def test_bad_input(wrong, kind, message):
    nets = networks()
    before = [net.params.tobytes() for net in nets]
    with refuses(kind, f"^{message}"):
        bpfast.fit_many(**({"nets": nets, "x": X, "y": Y, "seed": 0} | wrong))
    assert [net.params.tobytes() for net in nets] == before
    bpfast.fit_many(nets, X, Y, epochs=1)  # nothing is locked


def test_a_network_twice():
    nets = networks()
    with refuses(ValueError, r"^nets\[4\]: expected each network once, got nets\[1\] again$"):
        bpfast.fit_many([*nets, nets[1]], X, Y)


def test_one_network_that_does_not_fit():
    nets = [*networks(), bpfast.Network([3, 1], output="identity")]
    with refuses(ValueError, r"^nets\[4\]: x: expected shape \(120, 3\), got \(120, 4\)$"):
        bpfast.fit_many(nets, X, Y)


def test_an_optimizer_with_steps():
    used = bpfast.Adam(0.01)
    networks()[0].fit(X, Y, epochs=1, optimizer=used)
    with refuses(ValueError, "^optimizer: expected one without steps, or a list with one"):
        bpfast.fit_many(networks(), X, Y, optimizer=used)


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_metric_that_resizes_the_data(name):
    data = {"x": X.copy(), "y": Y.copy()}
    shape = re.escape(str(data[name].shape))
    with refuses(ValueError, rf"^{name}: expected shape {shape} until the end, got \(1,\)$"):
        bpfast.fit_many(
            networks(), **data, epochs=3, validation_rows=[0, 1, 2], seed=0,
            metrics=lambda a, y: data[name].resize((1,), refcheck=False) or 0.0,
        )  # fmt: skip


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_cost_that_resizes_the_data_of_the_next_fold(name):
    data = {"x": X.copy(), "y": np.zeros((len(X), 2))}
    shape = re.escape(str(data[name].shape))

    def cost(a, y):
        data[name].resize((3,), refcheck=False)
        return ((a - y) ** 2).sum(1) / 2, a - y

    net = bpfast.Network([X.shape[1], 2], output="identity", cost=cost, seed=0)
    message = rf"^nets\[1\]: {name}: expected shape {shape} until the end, got \(3,\)$"
    with refuses(ValueError, message):
        bpfast.cross_validate(net, **data, folds=3, epochs=1)


def test_a_metric_that_resizes_a_sparse_x():
    x = scipy.sparse.csr_array(X)

    def metric(a, y):
        x.indptr.resize((3,), refcheck=False)
        return 0.0

    net = bpfast.Network([X.shape[1], 2], output="identity", seed=0)
    y = np.zeros((len(X), 2))
    with refuses(ValueError, r"^x: expected shape .* until the end, got .*\(3,\)"):
        bpfast.cross_validate(net, x, y, folds=3, epochs=2, metrics={"own": metric})


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("learning_rate", [0.1, 0.2]),
        ("seed", [1, 2]),
        ("epochs", [1, 2]),
        ("batch_size", [8, 9]),
        ("l2", [0.1, 0.2]),
        ("optimizer", np.array(["sgd", "adam"], object)),
    ],
)
def test_masked_values_are_refused(argument, values):
    nets = networks()[:2]
    options = {"epochs": 1, argument: np.ma.array(values, mask=[False, True])}
    with refuses(ValueError, f"^{argument}: expected no missing values, got 1 masked", *nets):
        bpfast.fit_many(nets, X, Y, **options)


@pytest.mark.parametrize("argument", ["optimizer", "early_stopping"])
def test_a_generator_is_no_list(argument):
    nets = networks()[:2]
    given = (one for one in range(2))
    message = f"^{argument}: expected one for all, or a list of 2, one for each network, got gen"
    with refuses(TypeError, message, *nets):
        bpfast.fit_many(nets, X, Y, epochs=1, **{argument: given})
