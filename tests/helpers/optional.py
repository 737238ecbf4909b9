"""Libraries that a test may need: settings of theirs, and whether they are installed."""

import importlib.util
import os

from tests.helpers.paths import ROOT

# Keras reads both at its import; it would write a file into the home folder.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("KERAS_HOME", str(ROOT / "target" / "keras"))
LIBRARIES = ("jax", "keras", "onnx", "onnxruntime", "sklearn", "torch")


def missing(text: str) -> list[str]:
    """The optional libraries that a program needs by its text and that are not installed."""
    found = importlib.util.find_spec
    return [
        name
        for name in LIBRARIES
        if any(
            use in text
            for use in (f"import {name}", f"from {name}", f"bpfast.{name}.", f"formats.to_{name}(")
        )
        and found(name) is None
    ]
