"""`plot.demon` and `plot.report`: the results of `bpfast.inside` as they are drawn."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

import bpfast
from bpfast import inside, plot
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(1)
X, Y = RNG.standard_normal((80, 3)), RNG.random((80, 2))


def demon(dz=(0.5, -1, 0.1), **options):
    return inside.demon(bpfast.Network([3, 6, 2], seed=0), X, Y, dz=dz, **options)


def test_one_neuron():
    found = demon(layer=3, neuron=1)
    ax = plot.demon(found)
    true, predicted = ax.get_lines()[:2]
    assert true.get_xdata().tolist() == predicted.get_xdata().tolist() == [-1, 0.1, 0.5]
    assert true.get_ydata().tolist() == found.true[0][[1, 2, 0]].tolist()
    assert predicted.get_ydata().tolist() == found.predicted[0][[1, 2, 0]].tolist()
    assert ax.get_title() == f"the demon at layer 3, neuron 1: δ = {found.delta[0]:.3g}"
    assert ax.get_xlabel() == "change $Δz$ of the weighted input"
    assert ax.get_ylabel() == "change of the cost $C$"
    assert true.get_linestyle() != predicted.get_linestyle()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["$ΔC$", "$δ\\,Δz$"]


def test_the_neurons_with_the_largest_errors():
    found = replace(demon(), delta=np.array([0.1, -3, 0.2, 2, -1, 0, 1, 1]))
    ax = plot.demon(found, most=2)
    for row, true in zip((1, 3), ax.get_lines()[:4:2], strict=True):
        assert true.get_ydata().tolist() == found.true[row][[1, 2, 0]].tolist()
        assert true.get_label() == f"$ΔC$: layer {found.layer[row]}, neuron {found.neuron[row]}"
    assert ax.get_title() == "the demon at 2 of 8 neurons"
    assert len(plot.demon(found, most=99).get_lines()) == 2 * 8 + 2


def test_a_single_change_has_markers():
    true, predicted = plot.demon(demon(dz=0.1, layer=2, neuron=0)).get_lines()[:2]
    assert true.get_marker() != "None"
    assert predicted.get_marker() == "x"


def test_bad_demons():
    with refuses(TypeError, "^demon: expected a Demon, got Network$"):
        plot.demon(bpfast.Network([3, 2]))
    with refuses(TypeError, "^demon: expected a Demon, got function$"):
        plot.demon(inside.demon)
    with refuses(ValueError, "^most: expected a positive integer, got 0$"):
        plot.demon(demon(), most=0)


def report(learning_rate=None, saturated=True):
    net = bpfast.Network([3, 6, 2], seed=0)
    if saturated:
        net.biases[0][:2] = 9  # two slow neurons
    return inside.explain(net, X, Y, learning_rate=learning_rate)


def points(panel):
    """The points of a panel, by their marker."""
    lines = [line for line in panel.get_lines() if line.get_marker() != "None"]
    return {line.get_marker(): line.get_xydata() for line in lines}


def test_the_factors_of_a_report():
    found = report(learning_rate=0.1)
    figure = plot.report(found)
    names = ["arrives", "gate", "inputs", "cancellation", "step"]
    assert len(figure.axes) == 5
    columns = found.to_dict()
    for name, panel in zip(names, figure.axes, strict=True):
        drawn = np.concatenate(list(points(panel).values()))
        assert sorted(drawn[:, 1]) == sorted(columns[name])
        # Each neuron is at its layer.
        for place, value in drawn:
            assert value in columns[name][columns["layer"] == round(place)]
        medians = [line for line in panel.get_lines() if line.get_marker() == "None"]
        expected = [each[name] for each in found.layer_medians.values()]
        assert [line.get_ydata()[0] for line in medians] == expected
        assert [np.mean(line.get_xdata()) for line in medians] == [2, 3]
        assert panel.get_yscale() == "log"
        assert panel.get_xlabel() == "layer"
        assert panel.get_ylabel()
    slow = points(figure.axes[1])["x"]
    assert sorted(slow[:, 1]) == sorted(columns["gate"][:2])
    assert figure.get_suptitle() == repr(found).strip("<>")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "a neuron", "slow because of this factor", "exactly 0", "median of the layer",
    ]  # fmt: skip


def test_without_an_optimizer_there_is_no_step():
    assert [panel.get_title() for panel in plot.report(report()).axes] == [
        "what arrives", "gate", "inputs", "cancellation",
    ]  # fmt: skip


@pytest.mark.parametrize("biases", [-30, [-30, 0, 0, 0]])
def test_factors_of_0_are_at_the_lower_edge(biases):
    net = bpfast.Network([3, 4, 1], hidden="relu", output="identity", init="he", seed=0)
    net.biases[0][:] = biases
    found = inside.explain(net, X, Y[:, :1])
    figure = plot.report(found)
    gate = figure.axes[1]
    off = points(gate)["v"]
    assert len(off) == np.count_nonzero(found.to_dict()["gate"] == 0) > 0
    assert (off[:, 1] == 0.04).all()  # of the height, in the coordinates of the panel
    assert figure._repr_png_()  # and the layout has room for it: no warning


def test_a_report_on_given_axes():
    figure = Figure()
    grid = figure.subplots(2, 2)
    assert plot.report(report(), ax=grid) is figure
    assert figure.get_suptitle() == ""
    assert grid[0, 0].get_legend() is not None
    with refuses(ValueError, "^ax: expected 4, for arrives, gate, inputs, cancellation, got 2$"):
        plot.report(report(), ax=grid[0])


def test_bad_reports():
    with refuses(TypeError, "^report: expected a Report, got str$"):
        plot.report("report")
