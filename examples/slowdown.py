"""The learning slowdown: with the quadratic cost a saturated output that is wrong learns slowly.

First the neuron of chapter 3 of the book, which should output 0 for the input 1, from two starting
points. Then 784-100-10 on the digits, with initial weights of variance 1, which saturate many
outputs. With cross-entropy δ^L = a - y: the more an output is wrong, the faster it learns.
"""

from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

import bpfast
from shared import options
from shared.digits import Digits, Floats
from shared.runs import Runs, columns, last, repeat, spread, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CostName: TypeAlias = Literal["quadratic", "cross_entropy"]

COSTS: dict[CostName, str] = {"quadratic": "quadratic", "cross_entropy": "cross-entropy"}
STARTS = [(0.6, 0.9), (2.0, 2.0)]  # w, b
NEURON_EPOCHS = 300
# Rates of different costs cannot be compared. The neuron's quadratic one is the book's; with the
# other, the answer after all epochs is the same from the first start. For the digits they are those
# of chapters 1 and 3.
NEURON_ETA = {"quadratic": 0.15, "cross_entropy": 0.022}
ETA = {"quadratic": 3.0, "cross_entropy": 0.5}


def neuron(cost: CostName, start: tuple[float, float]) -> list[float]:
    """Train the neuron: its answer a to x = 1 at the start and after each epoch."""
    w, b = start
    net = bpfast.Network.from_parameters([np.array([[w]])], [np.array([b])], cost=cost)
    x, y = np.array([[1.0]]), np.array([[0.0]])
    answers = [net(x).item()]
    net.fit(
        x,
        y,
        epochs=NEURON_EPOCHS,
        batch_size=1,
        optimizer=bpfast.SGD(NEURON_ETA[cost]),
        callbacks=lambda net, _history: answers.append(net(x).item()),
        seed=0,
    )
    return answers


def stuck(a: Floats, y: Floats) -> float:
    """The share of digits with an output that is wrong by more than 0.99."""
    return float(np.mean(np.abs(a - y).max(axis=1) > 0.99))


def train(digits: Digits, epochs: int, cost: CostName, seed: int) -> bpfast.History:
    """Train on the digits."""
    net = bpfast.Network(
        [784, 100, 10], cost=cost, init="nielsen_large", dtype="float32", seed=seed
    )
    return net.fit(
        digits.x,
        digits.y,
        epochs=epochs,
        batch_size=10,
        optimizer=bpfast.SGD(ETA[cost]),
        validation=(digits.test_x, digits.test_y),
        metrics=["accuracy", stuck],
        seed=seed,
    )


def draw(
    neurons: dict[tuple[CostName, tuple[float, float]], list[float]], found: dict[CostName, Runs]
) -> "Figure":
    """Above the neuron from both starts, below the digits."""
    from shared import plots

    figure, panels = plots.panels(2, 2)
    for place, (cost, title) in enumerate(COSTS.items()):
        for axes, start in zip(panels, STARTS, strict=False):
            plots.line(axes, neurons[cost, start], title, place, start=0)
        plots.band(panels[2], columns(found[cost], "validation_accuracy"), title, place)
        plots.band(panels[3], columns(found[cost], "validation_stuck"), title, place)
    for axes, (w, b) in zip(panels, STARTS, strict=False):
        plots.finish(axes, f"Neuron, w = {w}, b = {b}", "a, which should be 0")
        axes.set_ylim(0, 1)
    plots.finish(panels[2], "Digits, 784-100-10", "test digits right", percent=True)
    plots.finish(panels[3], "An output wrong by more than 0.99", "test digits", percent=True)
    panels[0].legend(loc="upper right")
    return figure


def main() -> None:
    parser = options.experiment(__doc__, "slowdown.png", epochs=30, runs=3, digits=10_000)
    args, digits = options.parse(parser)
    neurons = {(cost, start): neuron(cost, start) for start in STARTS for cost in COSTS}
    rows = [
        [f"w = {w}, b = {b}", COSTS[cost], *(f"{a[epoch]:.3f}" for epoch in (0, 100, 200, 300))]
        for (cost, (w, b)), a in neurons.items()
    ]
    heads = ["neuron", "cost", "a at the start", "after 100 epochs", "200", "300"]
    print(table(heads, rows))
    found = {
        cost: repeat(title, partial(train, digits, args.epochs, cost), args)
        for cost, title in COSTS.items()
    }
    rows = [
        [
            COSTS[cost],
            spread(last(runs, "accuracy")),
            spread(last(runs, "validation_accuracy")),
            spread(last(runs, "validation_stuck")),
        ]
        for cost, runs in found.items()
    ]
    heads = ["cost", "training digits", "test digits", "wrong by more than 0.99"]
    print(table(heads, rows))
    options.save(parser, args.plot, draw(neurons, found))


if __name__ == "__main__":
    main()
