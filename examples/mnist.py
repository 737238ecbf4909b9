"""Teach a network to read handwritten digits: Nielsen's [784, 30, 10], chapter 1.

bpfast gives the gradient; the training loop is plain Python. See --help for options.
"""

import argparse
import gzip
import importlib.util
import math
import statistics
import time
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bpfast

Bytes = NDArray[np.uint8]
Floats = NDArray[np.floating]


def read_idx(path: Path) -> Bytes:
    """Read an IDX file: 0, 0, 8 (bytes), how many axes, each axis's length, the data."""
    data = path.read_bytes()
    try:
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: damaged gzip file: {error}") from None
    start = 4 + 4 * data[3] if data[:3] == b"\0\0\x08" and len(data) > 3 else 0
    if start == 0 or len(data) < start:
        raise ValueError(f"{path}: not an IDX file of bytes")
    shape = np.frombuffer(data[4:start], ">u4").tolist()
    if len(data) - start != math.prod(shape):
        got, expected = len(data) - start, math.prod(shape)
        raise ValueError(f"{path}: truncated or damaged: expected {expected} bytes, got {got}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def find(path: Path) -> Path:
    """The file itself where it is there, else its gzipped form."""
    return path if path.exists() else path.with_name(f"{path.name}.gz")


def load(folder: Path, names: list[str], dtype: str) -> tuple[Floats, Bytes]:
    """Read images x (n, 784), from 0 to 1, and labels (n,) of the first name found."""
    for name in names:
        path = find(folder / f"{name}-images-idx3-ubyte")
        if path.exists():
            images, labels = read_idx(path), read_idx(find(folder / f"{name}-labels-idx1-ubyte"))
            if images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
                got = f"{images.shape} and {labels.shape}"
                raise ValueError(f"{path}: expected (n, 28, 28), labels (n,), got {got}")
            if len(labels) == 0 or labels.max() > 9:
                raise ValueError(f"{path}: expected digits, labelled 0 to 9")
            return images.reshape(-1, 784).astype(dtype) / 255, labels
    raise ValueError(f"{folder}: no {names[0]}-images-idx3-ubyte[.gz] there")


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


def options() -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    here = Path(__file__).resolve().parent
    add = parser.add_argument
    add("--data", type=Path, default=here / "mnist", metavar="DIR", help="the digits")
    add("--epochs", type=int, default=30, help="times through the digits (30)")
    add("--batch-size", type=int, default=10, help="digits in a mini-batch (10)")
    add("--eta", type=float, default=3.0, help="learning rate (3.0)")
    add("--seed", type=int, default=0, help="for start and shuffling (0)")
    add("--dtype", choices=["float32", "float64"], default="float32")
    add("--picture", type=Path, default=Path("mnist.png"), metavar="PATH")
    args = parser.parse_args()
    for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
        if getattr(args, name) < least:
            parser.error(f"--{name.replace('_', '-')}: expected {least} or more")
    if not 0 < args.eta < math.inf:
        parser.error("--eta: expected a positive number")
    if args.picture.is_dir() or not args.picture.parent.is_dir():
        parser.error(f"--picture: cannot write a file {args.picture}")
    if importlib.util.find_spec("matplotlib") is None:
        parser.error("--picture: drawing it needs matplotlib: pip install matplotlib")
    return parser, args


def main() -> None:
    """Train, showing progress, then test and draw."""
    parser, args = options()
    try:
        x, labels = load(args.data, ["train", "train-10k"], args.dtype)
        test_x, test_labels = load(args.data, ["t10k"], args.dtype)
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")
    y = np.eye(10, dtype=args.dtype)[labels]

    rng = np.random.default_rng(args.seed)
    net = bpfast.Network(
        [784, 30, 10],
        hidden="sigmoid",
        output="sigmoid",
        cost="quadratic",
        dtype=args.dtype,
        init="nielsen_large",  # chapter 1's start; chapter 3's, "nielsen", learns more
        seed=rng,
    )
    g = bpfast.Gradient(net)
    print(f"{net}\n{len(x):,} training digits, {len(test_x):,} test digits")
    seconds = []
    for epoch in range(1, args.epochs + 1):
        start, cost = time.perf_counter(), 0.0
        order = rng.permutation(len(x))
        epoch_x, epoch_y = x[order], y[order]
        for i in range(0, len(x), args.batch_size):
            batch = slice(i, i + args.batch_size)
            net.backprop(epoch_x[batch], epoch_y[batch], out=g)
            net.params -= args.eta * g.flat
            cost += g.cost * len(epoch_x[batch])
        seconds.append(time.perf_counter() - start)
        right = np.mean(net(test_x).argmax(axis=1) == test_labels)
        progress = f"epoch {epoch:2d}/{args.epochs}   cost {cost / len(x):.4f}"
        print(f"{progress}   test {right:.2%}   {seconds[-1]:.3f} s", flush=True)

    print(f"test accuracy   {right:.2%} of {len(test_x):,} digits")
    print(f"time per epoch  {statistics.median(seconds):.3f} s (median)")
    try:
        draw(args.picture, test_x, test_labels, net(test_x))
    except OSError as error:
        parser.error(f"--picture: {error}")
    print(f"picture         {args.picture.resolve()}")


if __name__ == "__main__":
    main()
