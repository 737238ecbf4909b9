"""Layers without biases: everything that a network with biases of 0 has, except the biases.

The two compute the same sums, so most results have the same bits.
"""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp

import bpfast
from bpfast import reference
from bpfast.testing import check_gradients
from tests.helpers.cases.every_derivative import calls
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import close

SIZES = [5, 7, 4, 3]
CASES = [False, [False, True, False], [True, False, True]]
# Few weights are summed in groups, many in blocks; few rows take the way of small batches.
SHAPES = [([5, 7, 4, 3], 300), ([40, 300, 260, 3], 60), ([3, 9, 1], 1), ([6, 1, 17, 2], 33)]


def pair(biases, sizes=SIZES, dtype="float64", **options):
    """A network without some biases, and the same with biases of 0 there."""
    options = {"hidden": "tanh", "output": "softplus", "cost": "poisson"} | options
    if isinstance(biases, list):
        biases = (biases * 2)[: len(sizes) - 1]
    net = bpfast.Network(sizes, biases=biases, seed=1, dtype=dtype, **options)
    full = bpfast.Network(sizes, seed=2, dtype=dtype, **options)
    for k, b in enumerate(net.biases):
        full.weights[k] = net.weights[k]
        full.biases[k] = np.zeros(sizes[k + 1]) if b is None else b
    return net, full


def kept(net):
    """For each parameter of a network with all biases, whether `net` has it too."""
    parts = []
    for layer in net.layers:
        parts.append(np.ones(layer.n_in * layer.n_out, bool))
        parts.append(np.full(layer.n_out, layer.biases is not None))
    return np.concatenate(parts)


def batch(sizes, n, dtype="float64"):
    rng = np.random.default_rng(n)
    return rng.standard_normal((n, sizes[0])).astype(dtype), rng.random((n, sizes[-1]), dtype)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("sizes", "n"), SHAPES)
@pytest.mark.parametrize("biases", CASES, ids=str)
def test_the_bits_are_those_of_biases_of_0(biases, sizes, n, dtype, sparse):
    net, full = pair(biases, sizes, dtype)
    x, y = batch(sizes, n, dtype)
    if sparse:
        x = sp.csr_array(x * (np.abs(x) > 0.5))
    np.testing.assert_array_equal(net.forward(x), full.forward(x))
    got, expected = net.backprop(x, y), full.backprop(x, y)
    assert got.cost == expected.cost
    np.testing.assert_array_equal(got.flat, expected.flat[kept(net)])
    for k, b in enumerate(net.biases):
        assert (got.biases[k] is None) == (b is None)
        np.testing.assert_array_equal(got.weights[k], expected.weights[k])


@pytest.mark.parametrize("biases", CASES, ids=str)
def test_derivatives(biases):
    """hvp, ggn_vp, jvp, per-example gradients and the others, with v of 0 for the absent biases."""
    net, full = pair(biases, output="softmax", cost="log_likelihood")
    x, y = batch(SIZES, 20)
    keep, rng = kept(net), np.random.default_rng(3)
    v = rng.standard_normal(net.params.size)
    wide = np.zeros(full.params.size)
    wide[keep] = v
    for name in ("hvp", "ggn_vp", "empirical_fisher_vp"):
        got = getattr(net, name)(x, y, v).flat
        np.testing.assert_array_equal(got, getattr(full, name)(x, y, wide).flat[keep])
    np.testing.assert_array_equal(net.jvp(x, dparams=v)[1], full.jvp(x, dparams=wide)[1])
    flat = full.per_example_gradients(x, y).flat
    found = net.per_example_gradients(x, y)
    np.testing.assert_array_equal(found.flat, flat[:, keep])
    assert [b is None for b in found.biases] == [b is None for b in net.biases]
    assert [w.shape for w in found.weights] == [(20, *w.shape) for w in net.weights]
    norms = net.per_example_norms(x, y)
    np.testing.assert_allclose(norms, np.linalg.norm(found.flat, axis=1), rtol=1e-14)
    clipped = (found.flat * np.minimum(1, 0.3 / norms)[:, None]).mean(axis=0)
    assert close(net.clipped_backprop(x, y, 0.3).flat, clipped, "float64")
    assert close(net.gradient_statistics(x, y).variance.flat, found.flat.var(0, ddof=1), "float64")
    gradient, nabla_x = net.vjp(x, y)
    expected = full.vjp(x, y)
    np.testing.assert_array_equal(gradient.flat, expected[0].flat[keep])
    np.testing.assert_array_equal(nabla_x, expected[1])
    touched = net.backprop_touched(sp.csr_array(x), y)
    assert close(touched.gradient.flat, net.backprop(x, y).flat, "float64")


@pytest.mark.parametrize("biases", CASES, ids=str)
def test_the_same_bits_at_any_number_of_threads(biases):
    net, _ = pair(biases)
    x, y = batch(SIZES, 400)
    found = []
    for threads in (1, 2):
        with bpfast.num_threads(threads):
            found.append({name: call(x) for name, call in calls(net, x, y).items()})
    for name, arrays in found[0].items():
        for one, two in zip(arrays, found[1][name], strict=True):
            np.testing.assert_array_equal(one, two, err_msg=name)


@pytest.mark.parametrize("hidden", ["tanh", "mish"])
@pytest.mark.parametrize("biases", CASES, ids=str)
def test_parity_with_the_reference(biases, hidden):
    net, _ = pair(biases, hidden=hidden, output="identity", cost="huber")
    x, y = batch(SIZES, 4)
    rng = np.random.default_rng(5)
    parts, names = (net.weights, net.biases), {"hidden": hidden, "output": "identity"}
    kinds = names | {"cost": "huber"}
    v = bpfast.Gradient(net)
    v.flat = rng.standard_normal(net.params.size)
    direction = (v.weights, v.biases)

    def same(got, expected):
        """Both are pairs of weights and biases, or numbers."""
        for ours, theirs in zip(got, expected, strict=True):
            assert (ours is None) == (theirs is None)
            assert ours is None or close(ours, theirs, "float64")

    g = net.backprop(x, y)
    for module in (bpfast, reference):
        c, nabla_w, nabla_b = module.backprop(*parts, x, y, **kinds)
        assert c == pytest.approx(g.cost, rel=1e-14)
        same([*g.weights, *g.biases], [*nabla_w, *nabla_b])
    assert close(net.forward(x), reference.forward(*parts, x, **names), "float64")
    for name in ("hvp", "ggn_vp", "empirical_fisher_vp"):
        product = getattr(net, name)(x, y, v)
        expected_w, expected_b = getattr(reference, name)(*parts, x, y, *direction, **kinds)
        same([*product.weights, *product.biases], [*expected_w, *expected_b])
    dw, db = direction
    _, da = reference.jvp(*parts, x, dweights=dw, dbiases=db, **names)
    assert close(net.jvp(x, dparams=v)[1], da, "float64")
    each = net.per_example_gradients(x, y)
    expected_w, expected_b = reference.per_example_gradients(*parts, x, y, **kinds)
    same([*each.weights, *each.biases], [*expected_w, *expected_b])
    norms = reference.per_example_norms(*parts, x, y, per_layer=True, **kinds)
    assert close(net.per_example_norms(x, y, per_layer=True), norms, "float64")
    statistics = net.gradient_statistics(x, y)
    found = reference.gradient_statistics(*parts, x, y, **kinds)
    same([*statistics.variance.weights, *statistics.variance.biases], [*found[2], *found[3]])
    z = net.trace(x).z[0]
    tail = reference.forward_from(*parts, 2, z, **names)
    assert close(net.forward_from(2, z), tail, "float64")


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("biases", CASES, ids=str)
def test_fit_does_the_steps_of_a_loop(biases, name, sparse):
    net, _ = pair(biases, dtype="float32")
    x, y = batch(SIZES, 64, "float32")
    x = sp.csr_array(x * (np.abs(x) > 0.5)) if sparse else x
    loop, optimizer = net.copy(), getattr(bpfast, name)(0.02)
    options = {"batch_size": 16, "shuffle": False, "l2": 0.01, "max_norm": 1.2, "clip_norm": 5.0}
    net.fit(x, y, epochs=2, optimizer=getattr(bpfast, name)(0.02), **options)
    for start in [*range(0, 64, 16)] * 2:
        g = loop.backprop(x[start : start + 16], y[start : start + 16])
        g.flat *= min(1.0, 5.0 / np.linalg.norm(g.flat))
        for k, w in enumerate(loop.weights):
            g.weights[k] += np.float32(0.01) * w
        optimizer.step(loop.params, g)
        for k, w in enumerate(loop.weights):
            loop.weights[k] = w * np.minimum(1, 1.2 / np.linalg.norm(w, axis=1))[:, None]
    # Eight steps in float32; Adam divides by √v, which magnifies the rounding of small derivatives.
    np.testing.assert_allclose(net.params, loop.params, rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("biases", CASES, ids=str)
def test_copies_and_files(biases, tmp_path):
    net, _ = pair(biases)
    net.save(path := tmp_path / "net.safetensors")
    others = [
        copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net)), bpfast.load(path),
        bpfast.Network.from_parameters(net.weights, net.biases, **options_of(net)),
    ]  # fmt: skip
    for other in others:
        assert other.same_config(net)
        assert other.config == net.config
        np.testing.assert_array_equal(other.params, net.params)
    assert net.astype("float32").config["biases"] == biases
    assert bpfast.Network(**net.config).config == net.config
    full = bpfast.Network(
        SIZES, **{k: v for k, v in net.config.items() if k not in ("sizes", "biases")}
    )
    assert full.config["biases"] is True
    assert not full.same_config(net)
    assert pickle.loads(pickle.dumps(net.biases))[0] is None or biases is CASES[2]
    names = [f"biases.{k}".encode() in path.read_bytes() for k in range(3)]
    assert names == [b is not None for b in net.biases]


def options_of(net):
    return {k: net.config[k] for k in ("hidden", "output", "cost")}


def test_how_it_is_shown():
    net = bpfast.Network([3, 4, 2], biases=False, seed=0)
    assert repr(net).endswith("float64, no biases, 20 parameters>")
    assert repr(net.layers[0]) == "Layer(3 -> 4, sigmoid, no biases, 12 parameters)"
    some = bpfast.Network([3, 4, 2], biases=[True, False], seed=0)
    assert repr(some).endswith("float64, no biases in layer 3, 24 parameters>")
    assert [layer.n_params for layer in some.layers] == [16, 8]
    assert "none" in net.backprop([[1, 2, 3]], [[0, 0]])._repr_html_()
    assert repr(net.biases) == "[None, None]"
    assert net.biases[:] == [None, None]
    assert None in net.biases
    assert net.biases.count(None) == 2
    assert net.biases.index(None) == 0
    assert "20" in net.summary()


def test_assignments():
    net = bpfast.Network([3, 4, 2], biases=[False, True], seed=0)
    net.biases = [None, [1, 2]]
    net.biases[0] = None
    net.layers[0].biases = None
    np.testing.assert_array_equal(net.biases[1], [1, 2])
    expected = r"^biases\[0\]: expected None, because the layer has no biases, got "
    with refuses(ValueError, expected):
        net.biases[0] = np.zeros(4)
    with refuses(ValueError, expected):
        net.biases = [np.zeros(4), [1, 2]]
    with refuses(TypeError, r"^biases\[1\]: expected "):
        net.biases = [None, None]
    with refuses(TypeError, r"^biases\[1\]: expected "):
        net.biases[1] = None


def test_arguments():
    for value, kind, message in [
        (0, TypeError, "biases: expected a bool or a list of bools, got int"),
        ("no", TypeError, "biases(\\[0\\])?: expected "),
        ([True], ValueError, "biases: expected 2 bools, one per layer after the input, got 1"),
        ([True, 1], TypeError, r"biases\[1\]: expected a bool, got int"),
    ]:
        with refuses(kind, f"^{message}"):
            bpfast.Network([3, 4, 2], biases=value)
    assert bpfast.Network([3, 2], biases=np.False_).config["biases"] is False
    assert bpfast.Network([3, 2, 2], biases=np.array([True, False])).params.size == 12
    for name in ("bias", "use_bias"):
        with refuses(TypeError, f"unknown argument '{name}'; did you mean 'biases'"):
            bpfast.Network([3, 2], **{name: False})
    made = bpfast.Network.from_parameters([[[1.0, 2.0]]], None, output="identity")
    np.testing.assert_array_equal(made.forward([[3, 4]]), [[11]])
    assert made.config["biases"] is False
    for module in (bpfast, reference):
        assert module.forward([[[1.0, 2.0]]], [None], [[3.0, 4.0]], output="identity")[0][0] == 11


@pytest.mark.parametrize("biases", CASES, ids=str)
def test_a_monitor_of_steps(biases):
    """The noise of the gradient has no part of absent biases."""
    net, _ = pair(biases)
    x, y = batch(SIZES, 60)
    each = net.per_example_gradients(x, y).flat
    mean = each.mean(axis=0)
    spread = np.sqrt(np.square(each).sum(axis=1).mean() - mean @ mean)
    monitor = bpfast.inside.Monitor(x, y, warn=False, every_steps=1, sample=60)
    net.fit(x, y, epochs=1, batch_size=60, callbacks=monitor, seed=0)
    assert monitor.signal_to_noise[0] == pytest.approx(np.linalg.norm(mean) / spread, rel=1e-11)


def test_checks_and_reports():
    net, _ = pair([False, True, False], output="sigmoid", cost="quadratic")
    x, y = batch(SIZES, 60)
    check_gradients(net, x[:5], y[:5])  # raises if one is wrong
    monitor = bpfast.inside.Monitor(x, y, warn=False)
    net.fit(x, y, epochs=2, callbacks=monitor, seed=0)
    each = net.per_example_gradients(x, y).flat
    mean = each.mean(axis=0)
    spread = np.sqrt(np.square(each).sum(axis=1).mean() - mean @ mean)
    assert monitor.signal_to_noise[-1] == pytest.approx(np.linalg.norm(mean) / spread, rel=1e-11)
    report = bpfast.inside.explain(net, x, y, optimizer=bpfast.SGD(0.1))
    assert str(report)
    found = bpfast.scipy_minimize(net, x, y, method="L-BFGS-B", l2=0.1, options={"maxiter": 2})
    assert found.nit <= 2
