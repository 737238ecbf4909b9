"""MNIST's handwritten digits, read from IDX files, gzipped or not."""

import gzip
import math
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.floating]

FOLDER = Path(__file__).resolve().parents[1] / "mnist"


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


@dataclass(frozen=True)
class Digits:
    """Training and test digits: images x (n, 784), labels (n,), wanted outputs y (n, 10)."""

    x: Floats
    labels: Bytes
    y: Floats  # 1 at the label, else 0
    test_x: Floats
    test_labels: Bytes
    test_y: Floats

    @classmethod
    def read(cls, folder: Path = FOLDER, dtype: str = "float32") -> Self:
        """Read all training digits and all test digits."""
        x, labels = load(folder, ["train", "train-10k"], dtype)
        test_x, test_labels = load(folder, ["t10k"], dtype)
        one = np.eye(10, dtype=dtype)
        return cls(x, labels, one[labels], test_x, test_labels, one[test_labels])

    def first(self, count: int) -> Self:
        """The first `count` training digits, and all test digits."""
        x, labels, y = self.x[:count], self.labels[:count], self.y[:count]
        return replace(self, x=x, labels=labels, y=y)
