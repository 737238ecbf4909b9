"""`plot.saturation`, `plot.speed` and `plot.history`: the lines of a training."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure

import bpfast
from bpfast import inside, plot
from tests.helpers.cases.training.histories import ACCURACY, COSTS, VALIDATION, example
from tests.helpers.refuses import refuses

X = np.random.default_rng(0).standard_normal((60, 3))
Y = (X[:, :1] > 0).astype(float)


def monitor(sizes=(3, 6, 5, 1), **options):
    """A monitor that has seen two epochs of four steps."""
    net = bpfast.Network(list(sizes), seed=0)
    found = inside.Monitor(X, Y, warn=False, **options)
    net.fit(X, Y, epochs=2, batch_size=15, callbacks=found, seed=0)
    return found


@pytest.mark.parametrize("name", ["saturation", "speed"])
@pytest.mark.parametrize(
    ("options", "time", "expected"),
    [
        ({}, "epoch", [1, 2]),
        ({"every_steps": 2}, "step", [2, 4, 6, 8]),
        ({"every": 2}, "epoch", [2]),
    ],
)
def test_a_line_per_layer(name, options, time, expected):
    seen = monitor(**options)
    ax = getattr(plot, name)(seen)
    lines = ax.get_lines()
    assert [line.get_label() for line in lines] == ["layer 2", "layer 3", "layer 4"]
    for layer, line in enumerate(lines, 2):
        assert line.get_xdata().tolist() == expected
        assert line.get_ydata().tolist() == seen[f"{name}_{layer}"].tolist()
    assert ax.get_xlabel() == time
    assert ax.get_yscale() == {"saturation": "linear", "speed": "log"}[name]
    # Told apart by more than colours.
    assert len({line.get_linestyle() for line in lines}) == 3
    assert len({line.get_marker() for line in lines}) == 3
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert named == ["layer 2", "layer 3", "layer 4"]


def test_labels():
    seen = monitor()
    assert plot.saturation(seen).get_ylabel() == "saturation (fraction)"
    assert "cost per unit of $z$" in plot.speed(seen).get_ylabel()


def test_a_network_that_does_not_learn_at_all():
    net = bpfast.Network([3, 2, 1], hidden="relu", output="relu", init="zeros")
    seen = inside.Monitor(X, Y, warn=False)
    net.fit(X, Y, epochs=1, callbacks=seen, seed=0)
    ax = plot.speed(seen)  # a logarithmic axis could not show it
    assert ax.get_yscale() == "linear"
    assert ax._repr_png_()


def test_many_layers():
    lines = plot.speed(monitor((3, *[2] * 11, 1))).get_lines()
    styles = {(line.get_color(), line.get_marker()) for line in lines}
    assert len({color for color, _ in styles}) == len(styles) == 12


@pytest.mark.parametrize("name", ["saturation", "speed"])
def test_bad_monitors(name):
    draw = getattr(plot, name)
    with refuses(ValueError, "^monitor: expected one record or more, got none$"):
        draw(inside.Monitor(X, Y))
    with refuses(TypeError, "^monitor: expected a Monitor, got History$"):
        draw(example())
    with refuses(TypeError, "^monitor: expected a Monitor, got the class Monitor$"):
        draw(inside.Monitor)


def curves(panel):
    return {line.get_label(): line.get_ydata().tolist() for line in panel.get_lines()}


def test_history_is_that_of_the_method():
    figures = plot.history(example()), example().plot()
    for figure in figures:
        cost, accuracy = figure.axes
        assert curves(cost) == {"training": COSTS, "validation": VALIDATION}
        assert curves(accuracy) == {"training": [1, 1, 1], "validation": ACCURACY}
        training, validation = cost.get_lines()
        assert (training.get_linestyle(), validation.get_linestyle()) == ("-", "--")


@pytest.mark.parametrize(
    ("columns", "labels"),
    [
        ("learning_rate", ["learning rate"]),
        (["seconds", "cost"], ["time of the epoch (s)", "cost"]),
        (("validation_accuracy", "accuracy"), ["accuracy"]),
        (iter(["cost"]), ["cost"]),
    ],
)
def test_columns_of_a_history(columns, labels):
    history = example()
    figure = plot.history(history, columns)
    assert [panel.get_ylabel() for panel in figure.axes] == labels
    assert [panel.get_xlabel() for panel in figure.axes] == ["epoch"] * len(labels)
    if columns == "learning_rate":
        (line,) = figure.axes[0].get_lines()
        assert line.get_ydata().tolist() == history.learning_rate.tolist()


@pytest.mark.parametrize(
    ("columns", "kind", "message"),
    [
        (
            "acuracy",
            ValueError,
            "^columns: unknown name 'acuracy'; did you mean 'accuracy'[?]",
        ),
        ("epoch", ValueError, "^columns: unknown name 'epoch'; .*valid: 'cost', 'seconds'"),
        ([], ValueError, "^columns: expected one name or more, got none$"),
        ([1], TypeError, "^columns: expected names, got int$"),
        (3, TypeError, "^columns: expected names, got int$"),
    ],
)
def test_bad_columns(columns, kind, message):
    with refuses(kind, message):
        plot.history(example(), columns)


def test_bad_histories():
    with refuses(ValueError, "^history: expected one epoch or more, got none$"):
        plot.history(bpfast.History())
    with refuses(TypeError, "^history: expected a History, got dict$"):
        plot.history({"cost": [1]})
    with refuses(ValueError, "^ax: expected 2, for cost, accuracy, got 1$"):
        plot.history(example(), ax=Figure().subplots())


@pytest.mark.parametrize("costs", [[1e308, -1e308, 1.0], [1e308, 1.7e308], [np.inf, 1.0]])
def test_numbers_that_matplotlib_cannot_draw_are_gaps(costs):
    histories = [bpfast.History(), bpfast.History()]
    for cost in costs:
        for history in histories:
            history.append({"cost": cost, "seconds": 1, "learning_rate": 1})
    nets = [bpfast.Network([1, 1], seed=seed) for seed in range(2)]
    rows = np.array([costs])
    demon = bpfast.inside.Demon(
        np.array([2]), np.array([0]), np.arange(float(len(costs))), rows[:, 0], rows, rows
    )
    for axes in (
        histories[0].plot().axes[0],
        bpfast.Ensemble(nets, histories).plot(),
        bpfast.plot.demon(demon),
    ):
        axes.figure.savefig(io.BytesIO())
        expected = [cost if abs(cost) <= 1e300 else np.nan for cost in costs]
        np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), expected)
