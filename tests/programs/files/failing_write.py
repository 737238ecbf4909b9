"""The error of a write that fails, and the files in the folder afterwards."""

import os

import numpy as np

from bpfast._core import read_tensors, write_tensors

small, large = {"a": np.zeros(3)}, {"a": np.ones(500_000)}


def tell(path, tensors=large):
    try:
        write_tensors(path, tensors, {})
        found = ["written"]
    except OSError as error:
        found = [type(error).__name__, error.errno, error.filename]
    old = read_tensors(path)[0]["a"][0] if os.path.exists(path) else None
    return [*found, old, sorted(os.listdir(os.path.dirname(path) or "."))]
