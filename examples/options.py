"""The command line of the examples: the options they share, and what is refused."""

import importlib.util
import io
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from digits import FOLDER, Digits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The largest that `fit` takes.
LARGEST_SEED = 2**63 - 1


def experiment(
    text: str | None, plot: str, *, epochs: int, runs: int, digits: int
) -> ArgumentParser:
    """The parser of an experiment, whose defaults these are."""
    parser = ArgumentParser(description=text)
    add = parser.add_argument
    add("--data", type=Path, default=FOLDER, metavar="DIR", help="the folder of the digits")
    add("--digits", type=int, default=digits, help=f"train with the first so many ({digits})")
    add("--epochs", type=int, default=epochs, help=f"times through the digits ({epochs})")
    add("--runs", type=int, default=runs, help=f"trainings, each of another seed ({runs})")
    add("--seed", type=int, default=0, help="of the first run; the next has the next (0)")
    add("--plot", type=Path, default=Path(plot), metavar="PATH", help=f"a PNG file ({plot})")
    return parser


def parse(parser: ArgumentParser) -> tuple[Namespace, Digits]:
    """Read an experiment's command line and its digits."""
    args = parser.parse_args()
    check_whole(parser, args, digits=10, epochs=1, runs=1)
    check_seed(parser, args.seed, args.runs)
    check_picture(parser, "--plot", args.plot)
    digits = read_digits(parser, args.data)
    if args.digits > len(digits.x):
        parser.error(f"--digits: expected {len(digits.x)} or fewer, as many as there are")
    return args, digits.first(args.digits)


def walk(text: str | None) -> tuple[Namespace, Digits]:
    """Read the command line of a program that is a notebook too, and its digits in float64.

    A notebook has no command line: it gets the defaults.
    """
    parser = ArgumentParser(description=text)
    add = parser.add_argument
    add("--data", type=Path, default=FOLDER, metavar="DIR", help="the folder of the digits")
    add("--plots", type=Path, default=Path(), metavar="DIR", help="the folder of the plots (.)")
    add("--quick", action="store_true", help="fewer digits and epochs: some seconds")
    args = parser.parse_args([] if in_notebook() else None)
    if not args.plots.is_dir():
        parser.error(f"--plots: expected a folder, got {args.plots}")
    digits = read_digits(parser, args.data, "float64")
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
    if path.is_dir() or not path.parent.is_dir():
        parser.error(f"{option}: cannot write a file {path}")
    if importlib.util.find_spec("matplotlib") is None:
        parser.error(f"{option}: drawing it needs matplotlib: pip install matplotlib")


def read_digits(parser: ArgumentParser, folder: Path, dtype: str = "float32") -> Digits:
    """Read the digits, or tell why they cannot be read."""
    try:
        return Digits.read(folder, dtype)
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")


def save(parser: ArgumentParser, path: Path, figure: "Figure") -> None:
    """Write the plot of an experiment, or tell why it cannot be written."""
    try:
        figure.savefig(path, format="png", dpi=90, pil_kwargs={"optimize": True})
    except OSError as error:
        parser.error(f"--plot: {error}")
    print(f"plot: {path.resolve()}")
