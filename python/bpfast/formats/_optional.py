"""Imports of libraries that are extras."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def optional(library: str, user: str, extra: str | None = None) -> Any:
    """The module `library`, which `user` needs.

    Raises
    ------
    ImportError
        It is not installed.

    Examples
    --------
    >>> optional("no_such_library", "from_x", "x")
    Traceback (most recent call last):
    ImportError: from_x needs no_such_library: pip install "bpfast[x]"
    """
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        missing = error.name or library
        # A library that lacks one of its own dependencies says so better itself.
        if missing.partition(".")[0] != library.partition(".")[0]:
            raise
        extra = extra or library
        raise ImportError(f'{user} needs {library}: pip install "bpfast[{extra}]"') from error
