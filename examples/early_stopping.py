"""Early stopping: stop when the cost of held-out digits no longer falls, and keep the best epoch.

784-30-10 as in chapter 3 of the book: cross-entropy, η = 0.5. A fifth of the training digits is
held out; the test digits have no influence on the training.
"""

from typing import TYPE_CHECKING

import bpfast
from shared import options
from shared.digits import Digits
from shared.runs import spread, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PATIENCE = 10


class Training:
    """A training, to its last epoch or stopped early, and what the test digits say of it."""

    def __init__(self, digits: Digits, epochs: int, seed: int, *, is_stopped: bool) -> None:
        net = bpfast.Network([784, 30, 10], cost="cross_entropy", dtype="float32", seed=seed)
        self.history = net.fit(
            digits.x,
            digits.labels,
            epochs=epochs,
            batch_size=10,
            optimizer=bpfast.SGD(0.5),
            validation=0.2,
            metrics="accuracy",
            early_stopping=bpfast.EarlyStopping(PATIENCE) if is_stopped else None,
            seed=seed,
        )
        # With early stopping the network has the parameters of its best epoch again.
        self.cost = net.cost(digits.test_x, digits.test_labels)
        self.right = float((net(digits.test_x).argmax(axis=1) == digits.test_labels).mean())


def draw(whole: bpfast.History, stopped: bpfast.History) -> "Figure":
    """The costs and accuracies of the whole training, and where the other one ended."""
    from shared import plots

    figure, panels = plots.panels(2)
    for axes, column in zip(panels, ("cost", "accuracy"), strict=True):
        plots.line(axes, whole[column], "training digits", 0)
        plots.line(axes, whole[f"validation_{column}"], "held-out digits", 1)
        axes.axvline(stopped.best(), color="black", linestyle=":", label="best epoch")
        axes.axvline(len(stopped), color="0.5", linestyle="-", linewidth=1, label="stopped")
    plots.finish(panels[0], "Cost", "C")
    plots.finish(panels[1], "Accuracy", "right", percent=True)
    panels[0].legend(loc="upper right")
    return figure


def main() -> None:
    parser = options.experiment(__doc__, "early_stopping.png", epochs=60, runs=3, digits=10_000)
    args, digits = options.parse(parser)
    found: dict[bool, list[Training]] = {False: [], True: []}
    for seed in range(args.seed, args.seed + args.runs):
        for is_stopped, trainings in found.items():
            training = Training(digits, args.epochs, seed, is_stopped=is_stopped)
            trainings.append(training)
            history = training.history
            end = f"{history.stopped or 'no stop'}, best epoch {history.best()} of {len(history)}"
            print(f"seed {seed}: {end}, {training.right:.2%} of the test digits", flush=True)
    rows = [
        [
            f"stopped, patience {PATIENCE}" if is_stopped else "all epochs",
            spread((len(t.history) for t in trainings), ".0f"),
            spread((t.cost for t in trainings), ".3f"),
            spread(t.right for t in trainings),
        ]
        for is_stopped, trainings in found.items()
    ]
    print(table(["training", "epochs", "test cost", "test digits"], rows))
    options.save(parser, args.plot, draw(found[False][0].history, found[True][0].history))


if __name__ == "__main__":
    main()
