"""The data of a shard: what a callable returns, what a file has, or arrays as they are."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NAMES = ("x", "y", "sample_weight")
# How a zip archive begins: with a member, or with its end if it has none.
MAGIC = (b"PK\3\4", b"PK\5\6")


def load(source: Any) -> Any:
    """The data of a shard: what a callable returns, what a file has, or `source` itself.

    Raises
    ------
    OSError
        The file cannot be opened or read.
    ValueError
        It is no .npz file of such arrays, or damaged; the message names it.
    """
    if isinstance(source, str | os.PathLike):
        return _of_file(Path(os.fsdecode(source)))
    return source() if isinstance(source, Callable) else source  # type: ignore[arg-type]


def _of_file(path: Path) -> tuple[NDArray[Any], ...]:
    """x, y and the weights, if there are any."""
    if "\0" in str(path):
        raise ValueError(f"expected a path without null bytes, got {str(path)!r}")
    with path.open("rb") as file:
        if file.read(len(MAGIC[0])) not in MAGIC:
            raise ValueError(f"{path}: expected an .npz file, got a file of another format")
        file.seek(0)
        with _reading(path, "an .npz file"):
            archive = np.load(file, allow_pickle=False)
        if not {"x", "y"} <= set(archive):
            got = ", ".join(archive) or "none"
            raise ValueError(f"{path}: expected arrays x and y, got {got}")
        return tuple(_array(path, archive, name) for name in NAMES if name in archive)


def _array(path: Path, archive: Any, name: str) -> NDArray[Any]:
    with _reading(path, f"an array of numbers as {name}"):
        array = archive[name]
    if not isinstance(array, np.ndarray):  # a member that is no .npy file
        got = type(array).__name__
        raise ValueError(f"{path}: expected an array of numbers as {name}, got {got}")
    return array


@contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    """Turn the errors that a damaged file causes, of any type, into one that names the file."""
    try:
        yield
    except MemoryError:
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:  # raised for a position before the begin of the file
            error.add_note(f"This happened in {path}.")
            raise
        raise _damaged(path, what, error) from error
    except Exception as error:
        raise _damaged(path, what, error) from error


def _damaged(path: Path, what: str, error: Exception) -> ValueError:
    reason = str(error) or type(error).__name__
    return ValueError(f"{path}: expected {what}, got one that cannot be read: {reason}")
