"""What a check yields, and how it finds patterns in a text."""

import re
from collections.abc import Iterator
from pathlib import Path

# A file, a line of it, and what is wrong there.
Breach = tuple[Path, int, str]


def find(pattern: re.Pattern[str] | str, text: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Yield each match with its line number."""
    for match in re.finditer(pattern, text):
        yield text.count("\n", 0, match.start()) + 1, match
