"""Initial weights of variance 1 and of variance 1/n_in.

784-30-10 and 784-100-10 as in chapter 3 of the book: cross-entropy, η = 0.1, λ/n = 0.0001. Large
weights saturate the hidden neurons, which then learn slowly.
"""

from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import bpfast
from shared import options
from shared.digits import Digits
from shared.runs import Runs, columns, last, repeat, spread, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HIDDEN = [30, 100]
Start: TypeAlias = Literal["nielsen_large", "nielsen"]

STARTS: dict[Start, str] = {"nielsen_large": "variance 1", "nielsen": "variance 1/n_in"}


def train(digits: Digits, epochs: int, hidden: int, init: Start, seed: int) -> bpfast.History:
    """Train 784-hidden-10 from one of the starts."""
    net = bpfast.Network(
        [784, hidden, 10], cost="cross_entropy", init=init, dtype="float32", seed=seed
    )
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


def draw(found: dict[tuple[int, Start], Runs]) -> "Figure":
    """Test accuracy by epoch, a panel for each number of hidden neurons."""
    from shared import plots

    figure, panels = plots.panels(2, sharey=True)
    for hidden, axes in zip(HIDDEN, panels, strict=True):
        for place, (init, title) in enumerate(STARTS.items()):
            plots.band(axes, columns(found[hidden, init], "validation_accuracy"), title, place)
        plots.finish(axes, f"{hidden} hidden neurons", "test digits right", percent=True)
    panels[0].legend(title="initial weights", loc="lower right")
    return figure


def main() -> None:
    parser = options.experiment(__doc__, "initial_weights.png", epochs=30, runs=3, digits=10_000)
    args, digits = options.parse(parser)
    found = {
        (hidden, init): repeat(
            f"{hidden} hidden neurons, {title}",
            partial(train, digits, args.epochs, hidden, init),
            args,
        )
        for hidden in HIDDEN
        for init, title in STARTS.items()
    }
    rows = [
        [
            str(hidden),
            STARTS[init],
            spread(history.validation_accuracy[0] for history in runs),
            spread(last(runs, "validation_accuracy")),
        ]
        for (hidden, init), runs in found.items()
    ]
    heads = ["hidden neurons", "initial weights", "test digits, first epoch", "last epoch"]
    print(table(heads, rows))
    options.save(parser, args.plot, draw(found))


if __name__ == "__main__":
    main()
