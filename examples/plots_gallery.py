"""Draw the pictures of docs/plots.md: what bpfast.plot draws of networks for the digits."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpfast
import options
from bpfast import inside
from digits import FOLDER, Digits


def pictures(digits: Digits, epochs: int) -> Iterator[tuple[str, Any]]:
    """Yield the name of each picture with its Axes or Figure."""
    from bpfast import plot

    x, labels, y = digits.x, digits.labels, digits.y
    settings: dict[str, Any] = {"epochs": epochs, "learning_rate": 0.5, "seed": 0}

    net = bpfast.Network([784, 30, 10], cost="cross_entropy", dtype="float32", seed=0)
    history = net.fit(x, labels, optimizer="sgd", validation=0.2, metrics="accuracy", **settings)
    digit, label = digits.test_x[0], digits.test_labels[0]
    yield "network", plot.network(net, digit, most=5)
    yield "weights", plot.weights(net, neurons=range(12))
    yield "histograms", plot.histograms(net, digits.test_x[:500], what="z")
    yield "saliency", plot.saliency(net, digit, label)
    yield "saliency_signed", plot.saliency(net, digit, label, signed=True)
    yield "confusion", plot.confusion(net, digits.test_x, digits.test_labels)
    yield "history", plot.history(history)
    few = digits.test_x[:200], digits.test_labels[:200]
    yield "demon", plot.demon(inside.demon(net, *few, layer=2))

    deep = bpfast.Network([784, 30, 30, 30, 10], init="nielsen_large", seed=0)
    monitor = inside.Monitor(x, y, warn=False)
    deep.fit(x, y, optimizer="sgd", callbacks=monitor, **settings)
    yield "saturation", plot.saturation(monitor)
    yield "speed", plot.speed(monitor)

    small = bpfast.Network([3, 5, 4, 2], hidden="tanh", seed=2)
    yield "network_error", plot.network(small, [0.5, -1, 2], [1, 0], "error")

    slow = bpfast.Network([784, 20, 20, 10], hidden="relu", cost="cross_entropy", seed=0)
    slow.biases[0][:14] = -15
    yield "report", plot.report(inside.explain(slow, x[:500], labels[:500], learning_rate=0.5))


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, default=FOLDER, metavar="DIR", help="the folder of the digits")
    add("--digits", type=int, default=2000, help="train with the first so many (2000)")
    add("--epochs", type=int, default=15, help="times through the digits (15)")
    folder = Path("docs/plots")
    add(
        "--plots",
        type=Path,
        default=folder,
        metavar="DIR",
        help=f"the folder of the plots ({folder})",
    )
    args = parser.parse_args()
    options.check_whole(parser, args, digits=10, epochs=1)
    if not args.plots.is_dir():
        parser.error(f"--plots: expected a folder, got {args.plots}")
    options.check_picture(parser, "--plots", args.plots / "network.png")
    digits = options.read_digits(parser, args.data)
    if args.digits > len(digits.x):
        parser.error(f"--digits: expected {len(digits.x)} or fewer, as many as there are")
    for name, drawn in pictures(digits.first(args.digits), args.epochs):
        options.save(parser, args.plots / f"{name}.png", getattr(drawn, "figure", drawn))


if __name__ == "__main__":
    main()
