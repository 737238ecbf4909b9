"""Dropout against overfitting on 1,000 digits: each step leaves out hidden neurons at random.

784-100-10, cross-entropy, η = 0.5. The test uses all neurons.
"""

from functools import partial
from typing import TYPE_CHECKING

import bpfast
from shared import options
from shared.digits import Digits
from shared.runs import Runs, columns, last, repeat, spread, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARES = [0.0, 0.25, 0.5]


def train(digits: Digits, epochs: int, dropout: float, seed: int) -> bpfast.History:
    """Train with such a share of the hidden neurons left out."""
    net = bpfast.Network([784, 100, 10], cost="cross_entropy", dtype="float32", seed=seed)
    return net.fit(
        digits.x,
        digits.labels,
        epochs=epochs,
        batch_size=10,
        optimizer=bpfast.SGD(0.5),
        dropout=dropout,
        validation=(digits.test_x, digits.test_labels),
        metrics="accuracy",
        seed=seed,
    )


def draw(found: dict[float, Runs]) -> "Figure":
    """Cost and accuracy of the test digits."""
    from shared import plots

    figure, panels = plots.panels(2)
    for place, (dropout, runs) in enumerate(found.items()):
        for axes, column in zip(panels, ("validation_cost", "validation_accuracy"), strict=True):
            plots.band(axes, columns(runs, column), f"dropout {dropout:g}", place)
    plots.finish(panels[0], "Cost, test digits", "C")
    plots.finish(panels[1], "Accuracy, test digits", "right", percent=True)
    for axes, column in zip(panels, ("validation_cost", "validation_accuracy"), strict=True):
        plots.zoom(axes, [values for runs in found.values() for values in columns(runs, column)])
    panels[0].legend(loc="lower right")
    return figure


def main() -> None:
    parser = options.experiment(__doc__, "dropout.png", epochs=60, runs=3, digits=1_000)
    args, digits = options.parse(parser)
    found = {
        dropout: repeat(f"dropout {dropout:g}", partial(train, digits, args.epochs, dropout), args)
        for dropout in SHARES
    }
    rows = [
        [
            f"{dropout:g}",
            spread(last(runs, "accuracy")),
            spread(last(runs, "validation_cost"), ".3f"),
            spread(last(runs, "validation_accuracy")),
        ]
        for dropout, runs in found.items()
    ]
    print(table(["dropout", "training digits", "test cost", "test digits"], rows))
    options.save(parser, args.plot, draw(found))


if __name__ == "__main__":
    main()
