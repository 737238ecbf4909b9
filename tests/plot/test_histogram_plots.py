"""`plot.histograms`: the fractions and edges that are drawn, by layer."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import sparse

import bpfast
from bpfast import plot
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import rounded

RNG = np.random.default_rng(5)
X, LABELS = RNG.standard_normal((50, 4)), RNG.integers(0, 3, 50)


def network(**options):
    options = {"output": "softmax", "cost": "log_likelihood", "seed": 0} | options
    return bpfast.Network([4, 8, 6, 3], hidden=["tanh", "sigmoid"], **options)


def values(net, what):
    trace = net.trace(X)
    return {
        "a": trace.a[1:],
        "z": trace.z,
        "error": net.errors(X, LABELS, reduction="sum"),
        "weights": net.weights,
        "gradient": net.backprop(X, LABELS).weights,
    }[what]


@pytest.mark.parametrize("what", ["a", "z", "error", "weights", "gradient"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_layer(what, dtype):
    net = network(dtype=dtype)
    x = sparse.csr_array(X) if what == "z" else X
    figure = plot.histograms(net, x, LABELS, what, bins=7)
    assert len(figure.axes) == 3
    names = ["layer 2: 8 tanh", "layer 3: 6 sigmoid", "layer 4: 3 softmax"]
    for name, panel, expected in zip(names, figure.axes, values(net, what), strict=True):
        numbers = np.asarray(expected, dtype=np.float64)
        counts, edges = np.histogram(numbers, 7)
        fractions, drawn_edges, _ = panel.patches[0].get_data()
        assert fractions.sum() == rounded(1)
        assert fractions == rounded(counts / numbers.size)
        assert drawn_edges == rounded(edges)
        rms = np.sqrt(np.mean(numbers**2))
        assert panel.get_title() == f"{name}, RMS {rms:.3g}"
        assert panel.get_xlabel()
        assert panel.get_ylabel() == "fraction of numbers"
        assert panel.get_yscale() == ("log" if what in ("error", "gradient") else "linear")


def test_weights_need_no_examples():
    assert len(plot.histograms(network(), what="weights").axes) == 3


@pytest.mark.parametrize("bias", [0, 1, 1e300, -1e-300, 40])
def test_equal_and_almost_equal_numbers(bias):
    """np.histogram refuses bins that are narrower than a rounding."""
    net = bpfast.Network([1, 2], output="sigmoid" if bias == 40 else "identity", init="zeros")
    net.biases[0][:] = [bias, np.nextafter(bias, np.inf)]
    figure = plot.histograms(net, [[0], [0]])
    fractions, edges, _ = figure.axes[0].patches[0].get_data()
    assert fractions.sum() == rounded(1)
    assert (np.diff(edges) > 0).all()
    assert figure._repr_png_()


def test_numbers_that_are_not_finite_are_counted():
    net = bpfast.Network([1, 4], output="identity", init="zeros")
    net.weights[0][:] = [[np.nan], [np.inf], [1], [3]]
    (panel,) = plot.histograms(net, what="weights", bins=2).axes
    assert panel.patches[0].get_data().values.tolist() == [0.5, 0.5]
    assert panel.get_title().endswith("\n2 not finite or beyond 1e+300")
    net.weights[0][:] = np.nan
    figure = plot.histograms(net, [[1]], [[1] * 4], "gradient")
    assert figure.axes[0].get_title().endswith("\n4 not finite or beyond 1e+300")
    assert figure._repr_png_()


def test_on_given_axes():
    figure = Figure()
    grid = figure.subplots(1, 3)
    assert plot.histograms(network(), X, ax=grid) is figure
    one = Figure().subplots()
    single = bpfast.Network([4, 2], seed=0)
    assert plot.histograms(single, X, ax=one) is one.figure


BAD = [
    ((network(),), {}, ValueError, "^x: expected examples, which what='a' needs, got None$"),
    ((network(), X, None, "gradient"), {}, ValueError, "^y: expected targets, which what='grad"),
    ((network(), X, LABELS, "grads"), {}, ValueError, "^what: unknown name 'grads'"),
    ((network(), X, LABELS, "activation"), {}, ValueError, "^what: .*; did you mean 'a'[?] valid"),
    ((network(), X, LABELS, "delta"), {}, ValueError, "^what: .*; did you mean 'error'[?] valid: "),
    ((network(), X, LABELS, ["a"]), {}, TypeError, "^what: expected a str, got list$"),
    ((network(), X), {"bins": 0}, ValueError, "^bins: expected a positive integer, got 0$"),
    ((network(), X), {"bins": "auto"}, TypeError, "^bins: expected an integer, got str$"),
    ((network(), X[:, :3]), {}, ValueError, "^x: "),
    ((network(), X, LABELS[:9], "error"), {}, ValueError, "^y: "),
    ((network(), X), {"ax": Figure().subplots()}, ValueError, "^ax: expected 3, for layer 2, lay"),
    (([[1.0]], X), {}, TypeError, "^net: expected a Network, got list$"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "options", "kind", "message"), BAD)
def test_bad_input(arguments, options, kind, message):
    with refuses(kind, message):
        plot.histograms(*arguments, **options)
