"""The vanishing gradient: ‖∂C/∂b^l‖ by layer. The earlier a hidden layer, the slower it learns.

As in chapter 5 of the book: layers of 30 sigmoid neurons, 1,000 digits, η = 0.1, one step per epoch
with all digits.
"""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

import bpfast
from shared import options
from shared.digits import Digits, Floats
from shared.runs import spread, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = [2, 3, 4]


class Speeds:
    """A callback of fit that notes ‖∂C/∂b^l‖ of each hidden layer, l = 2 … L-1."""

    def __init__(self, digits: Digits, net: bpfast.Network) -> None:
        self.digits, self.gradient = digits, bpfast.Gradient(net)
        self.rows: list[list[float]] = []
        self.note(net)

    def note(self, net: bpfast.Network) -> None:
        g = net.backprop(self.digits.x, self.digits.labels, out=self.gradient)
        self.rows.append([float(np.linalg.norm(b)) for b in g.biases[:-1]])

    def __call__(self, net: bpfast.Network, _history: bpfast.History) -> None:
        self.note(net)


def train(digits: Digits, epochs: int, layers: int, seed: int) -> Floats:
    """Train with so many hidden layers: their speeds, (epochs + 1, layers), from the start on."""
    sizes = [784, *[30] * layers, 10]
    net = bpfast.Network(sizes, cost="cross_entropy", dtype="float32", seed=seed)
    speeds = Speeds(digits, net)
    net.fit(
        digits.x,
        digits.labels,
        epochs=epochs,
        batch_size=len(digits.x),
        optimizer=bpfast.SGD(0.1),
        callbacks=speeds,
        seed=seed,
    )
    return np.array(speeds.rows)


def draw(found: dict[int, list[Floats]]) -> "Figure":
    """The speeds of the first run, a panel for each number of layers."""
    from shared import plots

    figure, panels = plots.panels(len(LAYERS), sharey=True)
    for axes, (layers, runs) in zip(panels, found.items(), strict=True):
        for place in range(layers):
            plots.line(axes, runs[0][:, place], f"hidden layer {place + 1}", place, start=0)
        plots.finish(axes, f"{layers} hidden layers", "‖∂C/∂b$^l$‖")
        axes.set_yscale("log")
        axes.label_outer()
    figure.legend(*panels[-1].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def main() -> None:
    parser = options.experiment(__doc__, "vanishing_gradient.png", epochs=500, runs=3, digits=1_000)
    args, digits = options.parse(parser)
    found: dict[int, list[Floats]] = {}
    for layers in LAYERS:
        learn = partial(train, digits, args.epochs, layers)
        found[layers] = [learn(seed) for seed in range(args.seed, args.seed + args.runs)]
    rows = [
        [
            str(layers),
            str(k + 1),
            spread((speeds[0, k] for speeds in runs), ".4f"),
            spread((speeds[-1, k] for speeds in runs), ".1e"),
        ]
        for layers, runs in found.items()
        for k in range(layers)
    ]
    heads = ["hidden layers", "layer", "speed at the start", f"after {args.epochs} epochs"]
    print(table(heads, rows))
    options.save(parser, args.plot, draw(found))


if __name__ == "__main__":
    main()
