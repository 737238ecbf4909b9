"""Draw the pictures of docs/plots.md: the plots of bpfast.plot, of networks trained on digits."""

from collections.abc import Iterator
from typing import Any

import bpfast
from bpfast import inside
from shared import options
from shared.digits import Digits


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
    parser = options.parser(__doc__)
    options.add_data(parser)
    options.add_digits(parser, 2000)
    options.add_number(parser, "--epochs", 15, "passes through the training digits")
    options.add_folder(parser, "plots")
    args = parser.parse_args()
    options.check_whole(parser, args, epochs=1)
    digits = options.first_digits(parser, args)
    options.check_folder(parser, args.plots)
    for name, drawn in pictures(digits, args.epochs):
        options.save(parser, args.plots / f"{name}.png", getattr(drawn, "figure", drawn))


if __name__ == "__main__":
    main()
