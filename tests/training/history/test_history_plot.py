"""The picture of a history."""

import math

import matplotlib.figure

from tests.helpers.cases.training.histories import ACCURACY, COSTS, VALIDATION, example, one_column
from tests.helpers.refuses import refuses

NAN, INF = math.nan, math.inf


def curves(panel):
    return {line.get_label(): line.get_ydata().tolist() for line in panel.get_lines()}


def test_a_plot_has_a_panel_for_the_cost_and_for_each_metric(tmp_path):
    figure = example().plot()
    assert isinstance(figure, matplotlib.figure.Figure)
    cost, accuracy = figure.axes
    assert curves(cost) == {"training": COSTS, "validation": VALIDATION}
    assert curves(accuracy) == {"training": [1, 1, 1], "validation": ACCURACY}
    assert [panel.get_ylabel() for panel in figure.axes] == ["cost", "accuracy"]
    assert all(panel.get_xlabel() == "epoch" for panel in figure.axes)
    assert all(line.get_xdata().tolist() == [1, 2, 3] for line in cost.get_lines())
    figure.savefig(tmp_path / "history.png")
    assert (tmp_path / "history.png").stat().st_size > 5000


def test_a_plot_does_not_change_pyplot():
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    example().plot()
    assert plt.get_fignums() == before


def test_a_plot_of_one_epoch_has_a_marker_and_nan_is_drawn(tmp_path):
    (line,) = one_column([0.5]).plot().axes[0].get_lines()[1:]
    assert line.get_marker() == "o"
    one_column([NAN, INF, 0.3]).plot().savefig(tmp_path / "nan.png")


def test_a_plot_on_given_axes():
    figure = matplotlib.figure.Figure()
    grid = figure.subplots(2, 1)
    for axes in (grid, list(grid), tuple(grid)):
        assert example().plot(axes) is figure
    assert len(grid[0].get_lines()) == 6
    one = matplotlib.figure.Figure().subplots()
    assert one_column([0.5, 0.4]).plot(one) is one.figure
    with refuses(ValueError, "^axes: expected 2, for cost, accuracy, got 1$"):
        example().plot(one)
