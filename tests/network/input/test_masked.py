"""Arrays with missing values: refused wherever numbers are taken.

An array of `numpy.ma` in which nothing is masked is taken as any other (`test_array_likes.py`).
"""

import warnings

import numpy as np
import pytest

import bpfast
from bpfast.testing import check_gradients
from tests.helpers.invalid.masked import DELTA, FORMS, LABELS, RNG, B, S, W, X, Y, Z, masked, net_of
from tests.helpers.refuses import refuses


def calls(form):
    """Each call that takes arrays, with one of them of another `form`: its name, and the call."""
    net, g = net_of(), bpfast.Gradient(net_of())
    x, y, s, w, b = form(X), form(Y), form(S), [form(W[0])], [form(B[0])]
    fit = {"epochs": 1, "seed": 0}

    def assign(place, key, value):
        if key is None:
            net.params = value
        else:
            place[key] = value

    return {
        "x": [
            lambda: net.forward(x),
            lambda: net(x),
            lambda: net.trace(x),
            lambda: net.cost(x, Y),
            lambda: net.errors(x, Y),
            lambda: net.backprop(x, Y),
            lambda: net.backprop(x, Y, out=g),
            lambda: net.fit(x, Y, **fit),
            lambda: net.partial_fit(x, Y),
            lambda: bpfast.forward(W, B, x),
            lambda: bpfast.trace(W, B, x),
            lambda: bpfast.cost(W, B, x, Y),
            lambda: bpfast.errors(W, B, x, Y),
            lambda: bpfast.backprop(W, B, x, Y),
            lambda: check_gradients(net, x, Y),
        ],
        "y": [
            lambda: net.cost(X, y),
            lambda: net.errors(X, y),
            lambda: net.backprop(X, y),
            lambda: net.fit(X, y, **fit),
            lambda: net.partial_fit(X, y),
            lambda: bpfast.cost(W, B, X, y),
            lambda: bpfast.errors(W, B, X, y),
            lambda: bpfast.backprop(W, B, X, y),
            lambda: bpfast.bp1(Z, y),
            lambda: check_gradients(net, X, y),
        ],
        "sample_weight": [
            lambda: net.cost(X, Y, sample_weight=s),
            lambda: net.errors(X, Y, sample_weight=s),
            lambda: net.backprop(X, Y, sample_weight=s),
            lambda: net.fit(X, Y, sample_weight=s, **fit),
            lambda: net.partial_fit(X, Y, sample_weight=s),
            lambda: bpfast.backprop(W, B, X, Y, sample_weight=s),
            lambda: bpfast.bp1(Z, Y, sample_weight=s),
            lambda: check_gradients(net, X, Y, sample_weight=s),
        ],
        r"weights\[0\]": [
            lambda: bpfast.Network.from_parameters(w, B),
            lambda: bpfast.forward(w, B, X),
            lambda: assign(net.weights, 0, w[0]),
            lambda: assign(g.weights, 0, w[0]),
        ],
        r"biases\[0\]": [
            lambda: bpfast.Network.from_parameters(W, b),
            lambda: bpfast.forward(W, b, X),
            lambda: assign(net.biases, 0, b[0]),
        ],
        "params": [lambda: assign(net, None, form(np.arange(8.0)))],
        "flat": [lambda: g.__setstate__((form(np.arange(8.0)), 0.0))],
        "other": [
            lambda: g.__iadd__(form(np.ones(8))),
            lambda: g.__isub__(form(np.ones(8))),
            lambda: g.__imul__(form(np.ones(8))),
            lambda: g.__itruediv__(form(np.ones(8))),
        ],
        r"nets\[0\]: y": [
            lambda: bpfast.backprop_many([net], X, y),
            lambda: bpfast.backprop_many([net], [X], [y]),
        ],
        "z": [lambda: bpfast.bp1(form(Z), Y), lambda: bpfast.bp2(DELTA, W[0], form(X))],
        "delta": [
            lambda: bpfast.bp2(form(DELTA), W[0], X),
            lambda: bpfast.bp3(form(DELTA)),
            lambda: bpfast.bp4(form(DELTA), X),
        ],
        "weights": [lambda: bpfast.bp2(DELTA, form(W[0]), X)],
        "a": [lambda: bpfast.bp4(DELTA, form(X))],
        "gradient": [lambda: bpfast.SGD(0.1).step(np.zeros(6), form(S))],
        r"gradient\[1\]": [
            lambda: bpfast.Adam().step([np.zeros(6), np.zeros(6)], [S, form(S)]),
        ],
        "validation: x": [lambda: net.fit(X, Y, validation=(x, Y), **fit)],
        "validation: y": [lambda: net.fit(X, Y, validation=(X, y), **fit)],
        "validation: sample_weight": [lambda: net.fit(X, Y, validation=(X, Y, s), **fit)],
        "batch 1 of epoch 1: x": [
            lambda: net.fit([(X, Y), (x, Y)], **fit),
            lambda: net.fit(iter([(X, Y), (x, Y)]), **fit),
        ],
        "batch 0 of epoch 1: y": [lambda: net.fit(iter([(X, y)]), **fit)],
        "batch 0 of epoch 1: sample_weight": [lambda: net.fit(iter([(X, Y, s)]), **fit)],
    }  # fmt: skip


@pytest.mark.parametrize("argument", calls(lambda array: array))
@pytest.mark.parametrize("form", FORMS)
def test_a_missing_value_is_refused(form, argument):
    count = r"\d+" if form == "all" else "1"
    message = f"^{argument}: expected no missing values, got {count} masked; fill them in with "
    for call in calls(FORMS[form])[argument]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of NumPy, where numpy.ma.masked is NaN
            with refuses(ValueError, message):
                call()


@pytest.mark.parametrize("argument", calls(lambda array: array))
def test_an_array_without_missing_values_is_taken(argument):
    for form in (
        lambda array: array,
        np.ma.array,
        lambda a: np.ma.array(a, mask=np.zeros(a.shape)),
    ):
        for call in calls(form)[argument]:
            call()


def test_labels():
    net = net_of(output="softmax", cost="log_likelihood")
    for form in ("masked", "in an object", "in a list"):
        y = FORMS[form](LABELS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            for call in (net.cost, net.backprop, net.fit, net.partial_fit):
                with refuses(ValueError, "^y: expected no missing values, got 1 masked", net):
                    call(X, y)


def test_masked_outputs_are_refused():
    """A result behind a mask could not be read."""
    net = net_of()
    out = masked(np.zeros((6, 2)))
    with refuses(ValueError, "^out: expected no missing values, got 1 masked", out.data):
        net.forward(X, out=out)
    with refuses(ValueError, "^out: expected no missing values, got 1 masked", out.data):
        bpfast.bp1(Z, Y, out=out)
    params, optimizer = masked(np.zeros(6)), bpfast.SGD(0.1, momentum=0.9)
    with refuses(ValueError, "^params: expected no missing values, got 1 masked", params.data):
        optimizer.step(params, S)
    with refuses(ValueError, r"^params\[1\]: expected no missing values", params.data):
        optimizer.step([np.zeros(6), params], [S, S])
    assert optimizer.steps == 0
    whole = np.ma.zeros((6, 2))
    assert net.forward(X, out=whole) is whole
    assert whole.data.tobytes() == net.forward(X).tobytes()


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia", "lil"])
def test_a_sparse_matrix_of_masked_arrays(form, kind):
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.where(RNG.random((6, 4)) < 0.7, 1.0, 0.0)
    net, y = bpfast.Network([4, 2], seed=0), np.zeros((6, 2))
    seen = []
    for name in ("data", "indices", "indptr", "offsets"):
        x = getattr(sparse, f"{form}_{kind}")(dense)
        if not hasattr(x, name):
            continue
        seen.append(name)
        part = np.ma.array(getattr(x, name))
        part[(0,) * part.ndim] = np.ma.masked
        setattr(x, name, part)
        assert getattr(x, name) is part
        calls = [
            lambda x=x: net.forward(x),
            lambda x=x: net.backprop(x, y),
            lambda x=x: net.backprop_touched(x, y),
            lambda x=x: net.fit(x, y, epochs=1),
            lambda x=x: net.partial_fit(x, y),
            lambda x=x: net.fit([(x, y)], epochs=1),
            lambda x=x: net.fit(((x, y) for _ in range(1)), epochs=1),
            lambda x=x: net.fit(dense, y, epochs=1, validation=(x, y)),
            lambda x=x: bpfast.scipy_minimize(net, x, y, max_iterations=1),
            lambda x=x: bpfast.inside.Monitor(x, y),
            lambda x=x: bpfast.inside.explain(net, x, y),
        ]
        for call in calls:
            with refuses(ValueError, "x: expected no missing values, got 1 masked; fill", net):
                call()
    assert "data" in seen


def test_the_state_of_an_optimizer():
    optimizer = bpfast.SGD(0.1, momentum=0.9)
    message = "^state: velocity: expected no missing values, got 1 masked"
    with refuses(ValueError, message):
        optimizer.state = {"steps": 1, "velocity": masked(S)}
    assert optimizer.steps == 0


def test_a_custom_cost():
    def returning(costs, nabla):
        def cost(a, y):
            return costs(((a - y) ** 2).sum(axis=1)), nabla(2 * (a - y))

        return net_of(cost=cost)

    for costs, nabla, name in (
        (masked, np.asarray, "C_x"),
        (np.asarray, masked, "nabla_a"),
        (lambda c: list(masked(c)), np.asarray, "C_x"),
    ):
        net = returning(costs, nabla)
        for call in (net.cost, net.backprop, net.errors, net.fit, net.partial_fit):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                with refuses(ValueError, f"cost: {name}: expected no missing values", net):
                    call(X, Y)
    # y would come to it without its mask.
    net = returning(np.asarray, np.asarray)
    for call in (net.cost, net.backprop, net.fit, lambda x, y: net.fit(iter([(x, y)]))):
        with refuses(ValueError, "y: expected no missing values, got 1 masked", net):
            call(X, masked(Y))


@pytest.mark.parametrize("number", [np.ma.masked, np.ma.array(1.0, mask=True)])
def test_numbers(number):
    kind = type(number).__name__
    net = net_of(output="softmax", cost="log_likelihood")
    with refuses(TypeError, f"^metrics: m: expected a number, got {kind}$"):
        net.fit(X, LABELS, epochs=1, metrics={"m": lambda a, y: number})
    with refuses(TypeError, f"^l2: expected a number, got {kind}$", net):
        net.fit(X, LABELS, l2=number)
    with refuses(TypeError, rf"^class_weight\[1\]: expected a number, got {kind}$", net):
        net.fit(X, LABELS, class_weight={1: number})
    with refuses(TypeError, "^learning_rate: expected a number"):
        bpfast.SGD(number)
    with refuses(TypeError, "^learning_rate: expected a number at step 0"):
        bpfast.SGD(lambda step: number).step(np.zeros(6), S)
    with refuses(TypeError, "^epochs: expected an integer, got MaskedArray$", net):
        net.fit(X, LABELS, epochs=np.ma.array(1, mask=True))


def test_masked_integers_are_refused():
    two = np.ma.array(2, mask=True)
    before = bpfast.get_num_threads()
    for call, kind, message in [
        (lambda: bpfast.set_num_threads(two), ValueError, "^k: expected no missing values"),
        (lambda: bpfast.num_threads(two), ValueError, "^k: expected no missing values"),
        (lambda: bpfast.Network([3, two, 1]), ValueError, "^sizes.*: expected no missing values"),
        (lambda: net_of().forward_from(two, Z), TypeError, "^layer: expected .* MaskedArray$"),
    ]:
        with refuses(kind, message):
            call()
    assert bpfast.get_num_threads() == before
