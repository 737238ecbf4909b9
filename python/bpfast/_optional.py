"""Imports of libraries that bpfast does not depend on."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def optional(
    module: str, user: str, extra: str | None = None, *, package: str | None = None
) -> Any:
    """The module of a library that `user` needs.

    The error says what to install: `package`, or bpfast with `extra`, whose default is the name of
    the library.

    Raises
    ------
    ImportError
        It is not installed.

    Examples
    --------
    >>> optional("no_such_library.part", "from_x", "x")
    Traceback (most recent call last):
    ImportError: from_x needs no_such_library: pip install "bpfast[x]"
    >>> optional("no_such_library", "to_x", package="no-such-library")
    Traceback (most recent call last):
    ImportError: to_x needs no_such_library: pip install no-such-library
    """
    library = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        # A library that lacks one of its own dependencies says so better itself.
        if (error.name or library).partition(".")[0] != library:
            raise
        install = package or f'"bpfast[{extra or library}]"'
        raise ImportError(f"{user} needs {library}: pip install {install}") from error


def is_future(value: Any) -> bool:
    """Whether `value` is the result of a task on a Dask cluster. Does not import dask."""
    module = sys.modules.get("distributed.client")
    return module is not None and isinstance(value, module.Future)


def is_dask(value: Any) -> bool:
    """Whether `value` is a dask array, frame or delayed object. Does not import dask."""
    module = sys.modules.get("dask.base")
    return module is not None and bool(module.is_dask_collection(value))
