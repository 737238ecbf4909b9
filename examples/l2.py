"""Overfitting on 1,000 digits, without and with an L2 penalty on the weights.

784-30-10 as in chapter 3 of the book: cross-entropy, η = 0.5, initial weights of variance 1. The
book's λ/n is the argument l2 of fit.
"""

from functools import partial
from typing import TYPE_CHECKING

import bpfast
from shared import options
from shared.digits import Digits
from shared.runs import Runs, columns, last, repeat, spread, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PENALTIES = [0.0, 0.0001, 0.001]


def train(digits: Digits, epochs: int, l2: float, seed: int) -> bpfast.History:
    """Train with a penalty of l2/2 Σ w²."""
    net = bpfast.Network(
        [784, 30, 10], cost="cross_entropy", init="nielsen_large", dtype="float32", seed=seed
    )
    return net.fit(
        digits.x,
        digits.labels,
        epochs=epochs,
        batch_size=10,
        optimizer=bpfast.SGD(0.5),
        l2=l2,
        validation=(digits.test_x, digits.test_labels),
        metrics="accuracy",
        seed=seed,
    )


def draw(found: dict[float, Runs]) -> "Figure":
    """Cost and accuracy, of training and test digits."""
    from shared import plots

    figure, panels = plots.panels(2, 2)
    for axes, (column, title) in zip(
        panels,
        [
            ("cost", "Cost, training digits"),
            ("validation_cost", "Cost, test digits"),
            ("accuracy", "Accuracy, training digits"),
            ("validation_accuracy", "Accuracy, test digits"),
        ],
        strict=True,
    ):
        for place, (l2, runs) in enumerate(found.items()):
            plots.band(axes, columns(runs, column), f"l2 = {l2:g}", place)
        is_cost = column.endswith("cost")
        plots.finish(axes, title, "C" if is_cost else "right", percent=not is_cost)
    panels[0].set_yscale("log")
    panels[3].legend(loc="lower right")
    return figure


def main() -> None:
    parser = options.experiment(__doc__, "l2.png", epochs=150, runs=3, digits=1_000)
    args, digits = options.parse(parser)
    found = {
        l2: repeat(f"l2 = {l2:g}", partial(train, digits, args.epochs, l2), args)
        for l2 in PENALTIES
    }
    rows = [
        [
            f"{l2:g}",
            spread(last(runs, "cost"), ".3f"),
            spread(last(runs, "validation_cost"), ".3f"),
            spread(last(runs, "accuracy")),
            spread(last(runs, "validation_accuracy")),
        ]
        for l2, runs in found.items()
    ]
    heads = ["l2", "training cost", "test cost", "training digits", "test digits"]
    print(table(heads, rows))
    options.save(parser, args.plot, draw(found))


if __name__ == "__main__":
    main()
