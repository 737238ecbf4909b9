"""What all plots have in common: no pyplot, no rcParams, no display, Axes of the user, imports."""

import pickle
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bpfast
from bpfast import inside, plot
from tests.helpers.cases.training.histories import example
from tests.helpers.refuses import refuses

X = np.random.default_rng(0).random((30, 9))
Y = np.arange(30) % 3


def network():
    return bpfast.Network([9, 4, 3], output="softmax", cost="log_likelihood", seed=0)


def monitor():
    found = inside.Monitor(X, Y, warn=False)
    network().fit(X, Y, epochs=2, callbacks=found, seed=0)
    return found


def ensemble():
    return bpfast.fit_many([network(), network()], X, Y, epochs=2, seed=0)


# Each function with arguments, and the number of its panels if it returns a figure.
CALLS = {
    "confusion": (lambda ax: plot.confusion(network(), X, Y, ax=ax), None),
    "demon": (lambda ax: plot.demon(inside.demon(network(), X, Y), ax=ax), None),
    "ensemble": (lambda ax: plot.ensemble(ensemble(), ax=ax), None),
    "histograms": (lambda ax: plot.histograms(network(), X, ax=ax), 2),
    "history": (lambda ax: plot.history(example(), ax=ax), 2),
    "network": (lambda ax: plot.network(network(), X[0], ax=ax), None),
    "report": (lambda ax: plot.report(inside.explain(network(), X, Y), ax=ax), 4),
    "saliency": (lambda ax: plot.saliency(network(), X[0], 1, ax=ax), None),
    "saturation": (lambda ax: plot.saturation(monitor(), ax=ax), None),
    "speed": (lambda ax: plot.speed(monitor(), ax=ax), None),
    "weights": (lambda ax: plot.weights(network(), ax=ax), None),
}


def test_every_function_is_here():
    assert set(CALLS) == set(plot.__all__)


@pytest.mark.parametrize("name", CALLS)
def test_a_new_figure(name):
    from matplotlib import pyplot as plt

    call, panels = CALLS[name]
    before, figures = dict(mpl.rcParams), plt.get_fignums()
    drawn = call(None)
    assert isinstance(drawn, Axes if panels is None else Figure)
    assert drawn._repr_png_().startswith(b"\x89PNG")  # what a notebook shows
    figure = drawn if panels else drawn.figure
    assert pickle.loads(pickle.dumps(figure)).axes
    assert plt.get_fignums() == figures
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_diverged_network(dtype):
    """Matplotlib would overflow; a warning would be an error."""
    net = network().astype(dtype)
    net.params = np.tile([-0.9, 0.9, 0.1], 20)[: net.params.size] * np.finfo(dtype).max
    assert plot.weights(net)._repr_png_()
    assert plot.network(net, X[0])._repr_png_()
    assert plot.histograms(net, what="weights")._repr_png_()


@pytest.mark.parametrize("name", CALLS)
def test_axes_of_the_user(name):
    call, panels = CALLS[name]
    figure = Figure()
    axes = figure.subplots(1, panels or 1)
    assert call(axes) is (figure if panels else axes)
    assert all(panel.has_data() or panel.collections for panel in np.ravel(axes))


@pytest.mark.parametrize("name", CALLS)
def test_wrong_axes(name):
    call, panels = CALLS[name]
    with refuses(TypeError, "^ax: expected Axes of matplotlib, got Figure$"):
        call(Figure())
    if panels:
        with refuses(TypeError, "^ax: expected Axes of matplotlib, got int$"):
            call([3] * panels)
        with refuses(ValueError, f"^ax: expected {panels}, for .*, got 0$"):
            call([])
    else:
        with refuses(TypeError, "^ax: expected Axes of matplotlib, got list$"):
            call([Figure().subplots()])


@pytest.mark.parametrize("name", ["network", "saliency", "weights", "confusion"])
def test_axes_of_a_subfigure(name):
    figure = Figure(layout="constrained")
    left, _ = figure.subfigures(1, 2)
    axes = left.subplots()
    assert CALLS[name][0](axes) is axes
    assert len(left.axes) == 2  # with the colour scale


def run(code):
    command = [sys.executable, "-P", "-c", code]
    subprocess.run(command, check=True, timeout=600)


def test_the_first_use_imports_matplotlib_without_pyplot():
    run("""
import sys
import bpfast
assert "matplotlib" not in sys.modules and "bpfast.plot" not in sys.modules
bpfast.plot.network(bpfast.Network([2, 3, 1]))._repr_png_()
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
try:
    bpfast.plots
except AttributeError as error:
    assert str(error) == "module 'bpfast' has no attribute 'plots'", error
else:
    raise AssertionError
""")


def test_without_matplotlib():
    run("""
import sys
sys.modules["matplotlib"] = None  # as if it were not installed
import bpfast
def import_it(): import bpfast.plot
def import_from(): from bpfast import plot
message = 'bpfast.plot needs matplotlib: pip install "bpfast[plot]"'
for use in (lambda: bpfast.plot, import_it, import_from):
    try:
        use()
    except ImportError as error:
        assert str(error) == message, error
    else:
        raise AssertionError(use)
""")
