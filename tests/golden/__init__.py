"""Numbers that other libraries gave, written down by a script of tools/."""

import json
from pathlib import Path

import numpy as np

TORCH = json.loads(Path(__file__).with_name("torch.json").read_text(encoding="utf-8"))


def floats(values):
    """An array of floats in hexadecimal."""
    return np.array([float.fromhex(value) for value in values])
