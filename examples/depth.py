"""One to four hidden layers of 30 sigmoid neurons: more layers alone do not improve the result.

As in chapter 5 of the book: cross-entropy, η = 0.1, λ/n = 0.0001. vanishing_gradient.py shows the
reason.
"""

from functools import partial
from typing import TYPE_CHECKING

import bpfast
from shared import options
from shared.digits import Digits
from shared.runs import Runs, columns, last, repeat, spread, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = [1, 2, 3, 4]


def train(digits: Digits, epochs: int, layers: int, seed: int) -> bpfast.History:
    """Train a network with so many hidden layers."""
    sizes = [784, *[30] * layers, 10]
    net = bpfast.Network(sizes, cost="cross_entropy", dtype="float32", seed=seed)
    return net.fit(
        digits.x,
        digits.labels,
        epochs=epochs,
        batch_size=10,
        optimizer=bpfast.SGD(0.1),
        l2=0.0001,
        validation=(digits.test_x, digits.test_labels),
        metrics="accuracy",
        seed=seed,
    )


def named(layers: int) -> str:
    """1 hidden layer, 2 hidden layers."""
    return f"{layers} hidden layer{'s' * (layers > 1)}"


def draw(found: dict[int, Runs]) -> "Figure":
    """Training cost and test accuracy by epoch."""
    from shared import plots

    figure, panels = plots.panels(2)
    for place, (layers, runs) in enumerate(found.items()):
        plots.band(panels[0], columns(runs, "cost"), named(layers), place)
        plots.band(panels[1], columns(runs, "validation_accuracy"), named(layers), place)
    plots.finish(panels[0], "Cost, training digits", "C")
    plots.finish(panels[1], "Accuracy, test digits", "right", percent=True)
    panels[0].legend(loc="upper right")
    return figure


def main() -> None:
    parser = options.experiment(__doc__, "depth.png", epochs=30, runs=3, digits=10_000)
    args, digits = options.parse(parser)
    found = {
        layers: repeat(named(layers), partial(train, digits, args.epochs, layers), args)
        for layers in LAYERS
    }
    rows = [
        [
            str(layers),
            spread(history.validation_accuracy[0] for history in runs),
            spread(last(runs, "validation_accuracy")),
        ]
        for layers, runs in found.items()
    ]
    print(table(["hidden layers", "test digits, first epoch", "last epoch"], rows))
    options.save(parser, args.plot, draw(found))


if __name__ == "__main__":
    main()
