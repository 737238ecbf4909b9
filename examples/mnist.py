"""Train the network of chapter 1 of Nielsen's book, 784-30-10, to read handwritten digits.

net.fit runs the training. plain_loop.py trains the same network in a loop of its own.
"""

import argparse
from pathlib import Path

import numpy as np

import bpfast
from shared import options
from shared.digits import Bytes, Floats


def draw(path: Path, x: Floats, labels: Bytes, a: Floats) -> None:
    """Draw 60 of the digits with answer and confidence (its neuron's activation).

    Wrong answers are rare, so up to 15 of them are mixed in, in red.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    answers, rng = a.argmax(axis=1), np.random.default_rng(0)
    wrong = rng.permutation(np.flatnonzero(answers != labels))[:15]
    right = rng.permutation(np.flatnonzero(answers == labels))[: 60 - len(wrong)]
    places = rng.permutation(np.concatenate([wrong, right]))
    figure, axes = plt.subplots(5, 12, figsize=(13, 8))
    figure.set_layout_engine("constrained", hspace=0.05)
    for place in axes.flat[len(places) :]:
        place.axis("off")
    for place, i in zip(axes.flat, places, strict=False):
        bad = answers[i] != labels[i]
        color = "crimson" if bad else "0.3"
        place.imshow(x[i].reshape(28, 28), cmap="Reds" if bad else "gray_r", vmin=0, vmax=1)
        place.set(xticks=[], yticks=[])
        place.spines[:].set(color=color if bad else "0.85", linewidth=2.5 if bad else 1)
        place.set_title(f"{answers[i]}   {a[i, answers[i]]:.0%}", color=color)
        place.set_xlabel(f"is {labels[i]}" if bad else " ", color=color, labelpad=3)
    figure.suptitle(
        f"What the network reads, and how sure it is: {np.mean(answers == labels):.2%} of "
        f"{len(x):,} test digits right.\n"
        "The wrong ones are red; up to 15 of the 60 places are kept for them.\n"
    )
    figure.savefig(path, format="png", dpi=110)
    plt.close(figure)


def parse() -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Read the command line."""
    parser = options.parser(__doc__)
    options.add_training(parser)
    add = parser.add_argument
    add(
        "--dtype",
        choices=["float32", "float64"],
        default="float32",
        help="dtype of the network (default: float32)",
    )
    text = "PNG file to write: some test digits and the answers (default: mnist.png)"
    add("--picture", type=Path, default=Path("mnist.png"), metavar="PATH", help=text)
    args = parser.parse_args()
    options.check_training(parser, args)
    options.check_picture(parser, "--picture", args.picture)
    return parser, args


def main() -> None:
    """Train, showing progress, then test and draw."""
    parser, args = parse()
    digits = options.read_digits(parser, args.data, args.dtype)
    net = bpfast.Network(
        [784, 30, 10],
        hidden="sigmoid",
        output="sigmoid",
        cost="quadratic",
        dtype=args.dtype,
        init="nielsen_large",  # as in chapter 1; "nielsen" of chapter 3 gives a higher accuracy
        seed=args.seed,
    )
    print(f"{net}\n{len(digits.x):,} training digits, {len(digits.test_x):,} test digits")

    def show(_net: bpfast.Network, history: bpfast.History) -> None:
        progress = f"epoch {len(history):2d}/{args.epochs}   cost {history.cost[-1]:.4f}"
        right, seconds = history.validation_accuracy[-1], history.seconds[-1]
        print(f"{progress}   test {right:.2%}   {seconds:.3f} s", flush=True)

    try:
        history = net.fit(
            digits.x,
            digits.y,
            epochs=args.epochs,
            batch_size=args.batch_size,
            optimizer=bpfast.SGD(args.eta),
            validation=(digits.test_x, digits.test_y),  # reported only
            metrics="accuracy",
            callbacks=show,
            seed=args.seed,
        )
    except bpfast.DivergenceError as error:
        parser.error(f"--eta: {error}")

    print(f"test accuracy   {history.validation_accuracy[-1]:.2%} of {len(digits.test_x):,} digits")
    print(f"time per epoch  {np.median(history.seconds):.3f} s (median, test digits included)")
    try:
        draw(args.picture, digits.test_x, digits.test_labels, net(digits.test_x))
    except OSError as error:
        parser.error(f"--picture: {error}")
    print(f"picture         {args.picture.resolve()}")


if __name__ == "__main__":
    main()
