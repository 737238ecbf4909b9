"""Five learning-rate schedules for the same network; the highest rate of each is η = 1.

784-30-10, cross-entropy, λ/n = 0.0001. A tenth of the training digits is held out; the plateau
schedule depends on their cost.
"""

from typing import TYPE_CHECKING

import numpy as np

import bpfast
from bpfast import schedules
from shared import options
from shared.digits import Digits
from shared.runs import spread, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = ["constant", "step", "cosine", "one-cycle", "plateau"]
BATCH = 10
HELD_OUT = 0.1


def schedule(name: str, steps: int) -> schedules.Schedule:
    """A fresh schedule for a training of so many steps."""
    match name:
        case "step":
            return schedules.Step(1.0, every=max(steps // 3, 1), factor=0.3)
        case "cosine":
            return schedules.Cosine(1.0, steps)
        case "one-cycle":
            return schedules.OneCycle(1.0, steps)
        case "plateau":
            return schedules.Plateau(1.0, factor=0.3, patience=2)
        case _:
            return schedules.Constant(1.0)


class Training:
    """A training, and the share of test digits that are right after each epoch."""

    def __init__(self, digits: Digits, epochs: int, name: str, seed: int) -> None:
        self.digits = digits
        self.right: list[float] = []
        net = bpfast.Network([784, 30, 10], cost="cross_entropy", dtype="float32", seed=seed)
        steps = epochs * round((1 - HELD_OUT) * len(digits.x) / BATCH)
        self.history = net.fit(
            digits.x,
            digits.labels,
            epochs=epochs,
            batch_size=BATCH,
            optimizer=bpfast.SGD(schedule(name, steps)),
            l2=0.0001,
            validation=HELD_OUT,
            callbacks=self.test,
            seed=seed,
        )

    def test(self, net: bpfast.Network, _history: bpfast.History) -> None:
        """A callback of fit."""
        answers = net(self.digits.test_x).argmax(axis=1)
        self.right.append(float(np.mean(answers == self.digits.test_labels)))


def draw(found: dict[str, list[Training]]) -> "Figure":
    """The rates of the first run, and the test accuracy of all."""
    from shared import plots

    figure, panels = plots.panels(2)
    for place, (name, trainings) in enumerate(found.items()):
        plots.line(panels[0], trainings[0].history.learning_rate, name, place)
        plots.band(panels[1], [training.right for training in trainings], name, place)
    plots.finish(panels[0], "Learning rate", "η at the end of the epoch")
    plots.finish(panels[1], "Accuracy, test digits", "right", percent=True)
    plots.zoom(panels[1], [t.right for trainings in found.values() for t in trainings])
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def main() -> None:
    parser = options.experiment(__doc__, "learning_rates.png", epochs=30, runs=3, digits=10_000)
    args, digits = options.parse(parser)
    found: dict[str, list[Training]] = {}
    for name in NAMES:
        found[name] = []
        for seed in range(args.seed, args.seed + args.runs):
            training = Training(digits, args.epochs, name, seed)
            print(f"{name}, seed {seed}: {training.right[-1]:.2%} of the test digits", flush=True)
            found[name].append(training)
    rows = [
        [
            name,
            f"{np.median([t.history.learning_rate[-1] for t in trainings]):.1g}",
            spread((t.history.validation_cost[-1] for t in trainings), ".3f"),
            spread(t.right[-1] for t in trainings),
        ]
        for name, trainings in found.items()
    ]
    print(table(["schedule", "last η (median)", "cost of held-out digits", "test digits"], rows))
    options.save(parser, args.plot, draw(found))


if __name__ == "__main__":
    main()
