"""Paths of files, and whether a file can be written there."""

from __future__ import annotations

import errno
import os
from typing import Any

# The most characters of a wrong path in a message.
MAX_SHOWN = 100


def as_path(argument: str, value: Any) -> str:
    """The path as text.

    Raises
    ------
    TypeError
        It is no path.
    ValueError
        It has a null byte, or text that the file system cannot encode.

    Examples
    --------
    >>> as_path("path", b"net.onnx")
    'net.onnx'
    >>> as_path("path", 3)
    Traceback (most recent call last):
    TypeError: path: expected str, bytes or os.PathLike, got int
    """
    if not isinstance(value, str | bytes | os.PathLike):
        got = type(value).__name__
        raise TypeError(f"{argument}: expected str, bytes or os.PathLike, got {got}")
    path = os.fsdecode(value)
    if "\0" in path:
        got = _shortened(repr(path))
        raise ValueError(f"{argument}: expected a path without null bytes, got {got}")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        expected = f"{argument}: expected a path that the file system can encode"
        raise ValueError(f"{expected}, got {_shortened(repr(path))}") from None
    return path


def _shortened(text: str) -> str:
    """The start of a long text: it may be the contents of a file in place of its path."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def refuse_pipe(path: str, expected: str) -> None:
    """Raise ValueError for a pipe, which would wait when it is opened, or a device."""
    from pathlib import Path  # its import takes 2 ms

    path_object = Path(path)
    if path_object.exists() and not path_object.is_file() and not path_object.is_dir():
        raise ValueError(f"{path}: expected {expected}, got a pipe or a device")


def refuse_unwritable(path: str) -> None:
    """Raise what an attempt to replace the file at `path` would raise, or should.

    Raises
    ------
    OSError
        Its folder is missing, or it is a folder.
    ValueError
        It is a pipe or a device.
    """
    from pathlib import Path  # its import takes 2 ms

    if not path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    folder = os.path.dirname(path) or os.curdir  # noqa: PTH120, the path stays as given
    os.stat(folder)  # noqa: PTH116, as above
    refuse_pipe(path, "a file, or none")
    if Path(path).is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
