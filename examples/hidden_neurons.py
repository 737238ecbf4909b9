"""30 and 100 hidden neurons, trained as in chapter 1 of the book and as in chapter 3.

Chapter 1: quadratic cost, η = 3, initial weights of variance 1. Chapter 3: cross-entropy, η =
0.5, initial weights of variance 1/n_in, λ/n = 0.0001.
"""

from functools import partial
from typing import TYPE_CHECKING

import bpfast
from shared import options
from shared.digits import Digits
from shared.runs import Runs, columns, last, repeat, spread, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HIDDEN = [30, 100]
CHAPTERS = ["chapter 1", "chapter 3"]


def train(digits: Digits, epochs: int, chapter: str, hidden: int, seed: int) -> bpfast.History:
    """Train 784-hidden-10 as in a chapter."""
    is_first = chapter == "chapter 1"
    net = bpfast.Network(
        [784, hidden, 10],
        cost="quadratic" if is_first else "cross_entropy",
        init="nielsen_large" if is_first else "nielsen",
        dtype="float32",
        seed=seed,
    )
    return net.fit(
        digits.x,
        digits.y,
        epochs=epochs,
        batch_size=10,
        optimizer=bpfast.SGD(3.0 if is_first else 0.5),
        l2=0.0 if is_first else 0.0001,
        validation=(digits.test_x, digits.test_y),
        metrics="accuracy",
        seed=seed,
    )


def draw(found: dict[tuple[str, int], Runs]) -> "Figure":
    """Test accuracy by epoch, a panel for each chapter."""
    from shared import plots

    figure, panels = plots.panels(2)
    for chapter, axes in zip(CHAPTERS, panels, strict=True):
        for place, hidden in enumerate(HIDDEN):
            runs = found[chapter, hidden]
            plots.band(
                axes, columns(runs, "validation_accuracy"), f"{hidden} hidden neurons", place
            )
        plots.finish(axes, f"As in {chapter}", "test digits right", percent=True)
    panels[1].legend(loc="lower right")
    return figure


def main() -> None:
    parser = options.experiment(__doc__, "hidden_neurons.png", epochs=30, runs=3, digits=10_000)
    args, digits = options.parse(parser)
    found = {
        (chapter, hidden): repeat(
            f"{chapter}, {hidden} hidden neurons",
            partial(train, digits, args.epochs, chapter, hidden),
            args,
        )
        for chapter in CHAPTERS
        for hidden in HIDDEN
    }
    rows = [
        [
            chapter,
            str(hidden),
            spread(last(runs, "accuracy")),
            spread(last(runs, "validation_accuracy")),
        ]
        for (chapter, hidden), runs in found.items()
    ]
    print(table(["trained as in", "hidden neurons", "training digits", "test digits"], rows))
    options.save(parser, args.plot, draw(found))


if __name__ == "__main__":
    main()
