"""The same training from several starts, and what came of it."""

from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bpfast

Runs = list[bpfast.History]


def repeat(title: str, train: Callable[[int], bpfast.History], args: Namespace) -> Runs:
    """Train with each seed, and say how many test digits are right in the end."""
    runs = []
    for seed in range(args.seed, args.seed + args.runs):
        history = train(seed)
        right = history.validation_accuracy[-1]
        print(f"{title}, seed {seed}: {right:.2%} of the test digits", flush=True)
        runs.append(history)
    return runs


def columns(runs: Runs, column: str) -> list[NDArray[Any]]:
    """A column of each run."""
    return [history[column] for history in runs]


def last(runs: Runs, column: str) -> list[float]:
    """The figure of the last epoch, of each run."""
    return [float(history[column][-1]) for history in runs]


def spread(values: Iterable[float], form: str = ".2%") -> str:
    """Median, lowest and highest: '92.10% (91.80% to 92.30%)'."""
    found = list(values)
    median = format(np.median(found), form)
    if len(found) == 1:
        return median
    return f"{median} ({min(found):{form}} to {max(found):{form}})"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as Markdown, its columns aligned for the terminal."""
    lines = [heads, *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    padded = [
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        for line in [lines[0], rule, *lines[1:]]
    ]
    return "\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in padded) + "\n"
