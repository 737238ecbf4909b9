"""The command line of the examples: the options that they share, and what is refused."""

import importlib.util
import io
import math
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING

from .digits import FOLDER, Digits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The largest that `fit` takes.
LARGEST_SEED = 2**63 - 1


def parser(text: str | None) -> ArgumentParser:
    """A parser that shows the text as it stands."""
    return ArgumentParser(description=text, formatter_class=RawDescriptionHelpFormatter)


def add_data(parser: ArgumentParser) -> None:
    """Add --data."""
    text = "folder of the MNIST files (default: examples/mnist)"
    parser.add_argument("--data", type=Path, default=FOLDER, metavar="DIR", help=text)


def add_digits(parser: ArgumentParser, count: int) -> None:
    """Add --digits, with its default."""
    text = f"train with the first N digits (default: {count})"
    parser.add_argument("--digits", type=int, default=count, metavar="N", help=text)


def add_number(parser: ArgumentParser, name: str, default: float, text: str) -> None:
    """Add an option of a number of the default's type, which its help names."""
    text = f"{text} (default: {default})"
    parser.add_argument(name, type=type(default), default=default, metavar="N", help=text)


def add_plot(parser: ArgumentParser, default: str) -> None:
    """Add --plot, with its default."""
    text = f"PNG file to write (default: {default})"
    parser.add_argument("--plot", type=Path, default=Path(default), metavar="PATH", help=text)


def add_folder(parser: ArgumentParser, default: str) -> None:
    """Add --plots, with its default."""
    text = f"folder of the plots, made if it is missing (default: {default})"
    parser.add_argument("--plots", type=Path, default=Path(default), metavar="DIR", help=text)


def add_training(parser: ArgumentParser) -> None:
    """Add the options of a training of the network of chapter 1."""
    add_data(parser)
    add_number(parser, "--epochs", 30, "passes through the training digits")
    add_number(parser, "--batch-size", 10, "digits in a mini-batch")
    add_number(parser, "--eta", 3.0, "learning rate")
    add_number(parser, "--seed", 0, "seed of the initial weights and the order of the digits")


def check_training(parser: ArgumentParser, args: Namespace) -> None:
    """Refuse settings with which that network cannot be trained."""
    check_whole(parser, args, epochs=1, batch_size=1)
    check_seed(parser, args.seed)
    if not 0 < args.eta < math.inf:
        parser.error("--eta: expected a positive number")


def experiment(
    text: str | None, plot: str, *, epochs: int, runs: int, digits: int
) -> ArgumentParser:
    """The parser of an experiment, whose defaults these are."""
    made = parser(text)
    add_data(made)
    add_digits(made, digits)
    add_number(made, "--epochs", epochs, "passes through the training digits")
    add_number(made, "--runs", runs, "trainings, each with its own seed")
    add_number(made, "--seed", 0, "seed of the first run; the next ones are N + 1, N + 2, …")
    add_plot(made, plot)
    return made


def parse(parser: ArgumentParser) -> tuple[Namespace, Digits]:
    """Read an experiment's command line and its digits."""
    args = parser.parse_args()
    check_whole(parser, args, epochs=1, runs=1)
    check_seed(parser, args.seed, args.runs)
    check_picture(parser, "--plot", args.plot)
    return args, first_digits(parser, args)


def walk(text: str | None) -> tuple[Namespace, Digits]:
    """Read the command line of a program that is a notebook too, and its digits in float64.

    A notebook has no command line: it gets the defaults.
    """
    made = parser(text)
    add_data(made)
    add_folder(made, ".")
    text = "use fewer digits and epochs, to see in a few seconds that all runs"
    made.add_argument("--quick", action="store_true", help=text)
    args = made.parse_args([] if in_notebook() else None)
    digits = read_digits(made, args.data, "float64")
    check_folder(made, args.plots)
    return args, digits.first(500) if args.quick else digits


def in_notebook() -> bool:
    """Whether a notebook runs the program."""
    return "ipykernel" in sys.modules


def show(args: Namespace, name: str, figure: "Figure") -> None:
    """Show a figure in a notebook, else write it to a PNG file in the folder of the plots."""
    if in_notebook() and hasattr(figure, "_repr_png_"):
        from IPython.display import display

        display(figure)
        return
    target = io.BytesIO() if in_notebook() else args.plots / f"chapter2_{name}.png"
    try:
        figure.savefig(target, format="png", dpi=90, pil_kwargs={"optimize": True})
    except OSError as error:
        raise SystemExit(f"--plots: {error}") from None
    if isinstance(target, io.BytesIO):
        from IPython.display import Image, display

        display(Image(target.getvalue()))
    else:
        print(f"plot: {target.resolve()}\n", flush=True)


def check_whole(parser: ArgumentParser, args: Namespace, **least: int) -> None:
    """Refuse integers that are too small."""
    for name, bound in least.items():
        if getattr(args, name) < bound:
            parser.error(f"--{name.replace('_', '-')}: expected {bound} or more")


def check_seed(parser: ArgumentParser, seed: int, runs: int = 1) -> None:
    """Refuse what is no seed."""
    if seed < 0:
        parser.error("--seed: expected 0 or more")
    if seed + runs - 1 > LARGEST_SEED:
        parser.error("--seed: expected less than 2^63")


def check_picture(parser: ArgumentParser, option: str, path: Path) -> None:
    """Refuse a picture that could not be drawn, before the training."""
    check_matplotlib(parser, option)
    if path.is_dir() or not path.parent.is_dir():
        parser.error(f"{option}: cannot write a file {path}")


def check_matplotlib(parser: ArgumentParser, option: str) -> None:
    """Refuse to draw without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        parser.error(f"{option}: drawing it needs matplotlib: pip install matplotlib")


def check_folder(parser: ArgumentParser, path: Path) -> None:
    """Make the folder of the plots if it is missing, before the training."""
    check_matplotlib(parser, "--plots")
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        parser.error(f"--plots: cannot make the folder {path}: {error.strerror}")


def read_digits(parser: ArgumentParser, folder: Path, dtype: str = "float32") -> Digits:
    """Read the digits, or tell why they cannot be read."""
    try:
        return Digits.read(folder, dtype)
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")


def first_digits(parser: ArgumentParser, args: Namespace) -> Digits:
    """The first --digits of the digits in --data."""
    check_whole(parser, args, digits=10)
    digits = read_digits(parser, args.data)
    if args.digits > len(digits.x):
        parser.error(f"--digits: expected {len(digits.x)} or fewer, as many as there are")
    return digits.first(args.digits)


def save(parser: ArgumentParser, path: Path, figure: "Figure") -> None:
    """Write the plot of an experiment, or tell why it cannot be written."""
    try:
        figure.savefig(path, format="png", dpi=90, pil_kwargs={"optimize": True})
    except OSError as error:
        parser.error(f"--plot: {error}")
    print(f"plot: {path.resolve()}")
