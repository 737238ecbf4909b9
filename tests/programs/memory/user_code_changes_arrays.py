"""Change the arrays of a call in user code that runs in the middle of it."""

import json
import sys
import warnings

import numpy as np
import scipy.sparse as sp

import bpfast

warnings.simplefilter("ignore")
N = 3000


def resize(v):
    v.resize((1,), refcheck=False)


def grow(v):
    v.resize((2 * N, 7), refcheck=False)


def retype(v):
    v.dtype = np.float32


def reshape(v):
    v.shape = v.size


def restride(v):
    v.strides = v.strides[::-1] if v.ndim == 2 else (0,)


def write(v):
    v[...] = 1


CHANGES = {f.__name__: f for f in (resize, grow, retype, reshape, restride, write)}


class Late:
    # An array-like that changes another array when it is asked for its own numbers.
    def __init__(self, change, victim, value):
        self.change, self.victim, self.value = change, victim, value

    def __array__(self, dtype=None, copy=None):
        self.change(self.victim)
        return np.array(self.value, dtype)


class Csc(sp.csc_array):
    def tocsr(self, copy=False):
        if self.hook:
            self.hook()
        return sp.csc_array(self).tocsr()

    hook = None


def quadratic(a, y):
    r = a - y[:, :1] if y.ndim == 2 else a
    return (r * r).sum(axis=1) / 2, r


def data():
    rng = np.random.default_rng(0)
    return rng.random((N, 6)), rng.random((N, 3)), rng.random(N) + 1


def sparse(x):
    return sp.csr_array(np.where(x < 0.3, x, 0))


def outcome(f):
    try:
        f()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "done"


def cases(change):
    x, y, s = data()

    def cost(victim):
        def own(a, y):
            found = quadratic(a, y)
            change(victim)
            return found

        return bpfast.Network([6, 5, 3], cost=own, seed=0)

    named = bpfast.Network([6, 5, 3], seed=0)
    for method in ("cost", "errors", "backprop"):
        for k in range(3):
            v = data()
            yield (
                f"{method}, cost and {'xys'[k]}",
                lambda: getattr(cost(v[k]), method)(v[0], v[1], sample_weight=v[2]),
            )
        x, y, s = data()
        call = getattr(named, method)
        yield f"{method}, y and x", lambda: call(x, Late(change, x, y))
        yield f"{method}, weights and x", lambda: call(x, y, sample_weight=Late(change, x, s))
        x, y, s = data()
        yield f"{method}, weights and y", lambda: call(x, y, sample_weight=Late(change, y, s))
        yield f"{method}, x and y", lambda: call(Late(change, y, x), y)
        x, y, s = data()
        yield f"{method}, x and weights", lambda: call(Late(change, s, x), y, sample_weight=s)
        m = sparse(x)
        yield f"{method}, y and sparse data", lambda: call(m, Late(change, m.data, y))
        m = Csc(sparse(x))
        m.hook = lambda: change(y)
        yield f"{method}, tocsr and y", lambda: call(m, y)
        x, y, s = data()
    p = np.ones(named.params.size)
    for method in (
        "input_gradient",
        "per_example_gradients",
        "per_example_norms",
        "empirical_fisher_vp",
    ):
        more = (p,) if method == "empirical_fisher_vp" else ()
        for k in range(3):
            v = data()
            yield (
                f"{method}, cost and {'xys'[k]}",
                lambda: getattr(cost(v[k]), method)(v[0], v[1], *more, sample_weight=v[2]),
            )
        v = data()
        yield (
            f"{method}, y and x",
            lambda: getattr(named, method)(v[0], Late(change, *v[:2]), *more),
        )
    for method in ("clipped_backprop", "gradient_statistics"):
        more = (1.0,) if method == "clipped_backprop" else ()
        for k in range(2):
            v = data()
            yield (
                f"{method}, cost and {'xy'[k]}",
                lambda: getattr(cost(v[k]), method)(v[0], v[1], *more),
            )
        v = data()
        yield (
            f"{method}, y and x",
            lambda: getattr(named, method)(v[0], Late(change, *v[:2]), *more),
        )
    v = data()
    yield (
        "clipped_backprop of a sample, y and x",
        lambda: named.clipped_backprop(v[0], Late(change, *v[:2]), 1.0, sampling_rate=0.5),
    )
    x, y, s = data()
    trace, dx = named.trace(x), np.ones((N, 6))
    yield "vjp, v and a trace", lambda: named.vjp(trace, Late(change, trace.z[0], y))
    yield "jvp, dparams and dx", lambda: named.jvp(x, dx=dx, dparams=Late(change, dx, p))
    yield "hvp, v and x", lambda: named.hvp(x, y, Late(change, x, p))
    x, y, s = data()
    yield "hvp, v and y", lambda: named.hvp(x, y, Late(change, y, p))
    errors = named.errors(x, data()[1])
    yield (
        "hvp, errors and errors",
        lambda: named.hvp(x, data()[1], p, errors=[errors[0], Late(change, *errors)]),
    )
    x, y, s = data()
    own = cost(np.zeros(8))
    v, z, w, d = (np.ones((N, k)) for k in (3, 4, 3, 3))
    w = np.ones((3, 4))
    yield "bp1, y and z", lambda: bpfast.bp1(v, Late(change, v, y))
    yield "bp2, z and delta", lambda: bpfast.bp2(d, w, Late(change, d, z))
    d = np.ones((N, 3))
    yield "bp2, z and weights", lambda: bpfast.bp2(d, Late(change, d, w), z)
    d = np.ones((N, 3))
    yield "bp4, a and delta", lambda: bpfast.bp4(d, Late(change, d, z))
    v = np.ones((N, 3))

    def spoils(a, y):
        change(v)
        return quadratic(a, y)

    yield "bp1, cost and z", lambda: bpfast.bp1(v, y, cost=spoils)
    p, q = np.ones((N, 6)), np.ones((N, 6))
    opt = bpfast.Adam()
    yield (
        "step, gradient and params",
        lambda: opt.step([p, q], [np.ones((N, 6)), Late(change, p, np.ones((N, 6)))]),
    )
    p, q, g = np.ones((N, 6)), np.ones((N, 6)), np.ones((N, 6))
    yield (
        "step, gradient and gradient",
        lambda: bpfast.Adam().step([p, q], [g, Late(change, g, np.ones((N, 6)))]),
    )
    w = [np.ones((5, 6)), np.ones((3, 5))]
    yield (
        "from_parameters",
        lambda: bpfast.Network.from_parameters(
            [w[0], Late(change, w[0], w[1])], [np.zeros(5), np.zeros(3)]
        ),
    )
    w = [np.ones((5, 6)), np.ones((3, 5))]
    yield "weights", lambda: setattr(named, "weights", [w[0], Late(change, w[0], w[1])])
    yield "check_targets", lambda: bpfast._core.check_targets(named, np.zeros((N, 3)), 0)

    def fit(v, **options):
        return named.fit(v[0], v[1], sample_weight=v[2], epochs=2, seed=0, **options)

    for k in range(3):
        v = data()
        yield (
            f"fit, cost and {'xys'[k]}",
            lambda: cost(v[k]).fit(v[0], v[1], sample_weight=v[2], epochs=2, seed=0),
        )
        v = data()
        yield (
            f"fit, callback and {'xys'[k]}",
            lambda: fit(v, callbacks=lambda net, history: change(v[k])),
        )
        v = data()
        yield (
            f"fit, metric and {'xys'[k]}",
            lambda: fit(v, metrics=lambda a, y: change(v[k]) or 0.0),
        )
        v = data()
        yield (
            f"partial_fit, cost and {'xys'[k]}",
            lambda: cost(v[k]).partial_fit(v[0], v[1], sample_weight=v[2]),
        )
        v = data()
        yield f"fit in batches, cost and {'xys'[k]}", lambda: cost(v[k]).fit([v], epochs=2)
        v = data()
        yield (
            f"minimize, cost and {'xys'[k]}",
            lambda: bpfast.scipy_minimize(
                cost(v[k]), v[0], v[1], sample_weight=v[2], max_iterations=2
            ),
        )
        v = data()
        yield (
            f"check_gradients, cost and {'xys'[k]}",
            lambda: bpfast.testing.check_gradients(
                cost(v[k]),
                v[0][:5],
                v[1][:5],
                sample_weight=v[2][:5],
                directions=1,
                parameters=2,
                weighted_inputs=2,
            ),
        )
    x, y, s = data()
    for victim in (named.params, own.params, bpfast.Gradient(named).flat):
        yield "a view of Rust's", lambda: change(victim)


found = {}
for change in CHANGES.values():
    for name, call in cases(change):
        name += f", {change.__name__}"
        print(name, file=sys.stderr, flush=True)
        found[name] = outcome(call)
print(json.dumps(found))
