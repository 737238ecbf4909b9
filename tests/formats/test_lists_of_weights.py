"""What Keras' `get_weights` returns, without Keras."""

import numpy as np
import pytest

from bpfast.formats import from_keras
from tests.helpers.cases.models import DTYPES
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
KERNELS = [RNG.standard_normal((4, 4)), RNG.standard_normal((4, 4)), RNG.standard_normal((4, 2))]
BIASES = [RNG.standard_normal(4), RNG.standard_normal(4), RNG.standard_normal(2)]
PAIRS = [array for pair in zip(KERNELS, BIASES, strict=True) for array in pair]
NAMES = {"hidden": ["relu", "tanh"], "output": "softmax"}


@pytest.mark.parametrize("dtype", DTYPES)
def test_kernels_are_in_out(dtype):
    net = from_keras([array.astype(dtype) for array in PAIRS], **NAMES)
    assert net.dtype == dtype
    for k, (kernel, bias) in enumerate(zip(KERNELS, BIASES, strict=True)):
        assert (net.weights[k] == kernel.astype(dtype).T).all()
        assert (net.biases[k] == bias.astype(dtype)).all()
    assert net.config["hidden"] == ["relu", "tanh"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([], "^list of weights: expected an affine layer, got none$"),
        ([BIASES[0]], r"layer 'arrays\[0\]': expected a kernel .*, got shape \(4,\)$"),
        ([KERNELS[0], BIASES[0], BIASES[0]], r"'arrays\[2\]': .*, got shape \(4,\)$"),
        ([KERNELS[2], BIASES[0]], r"expected biases of shape \(2,\) for weights of \(2, 4\)"),
        ([KERNELS[2], BIASES[2], KERNELS[0], BIASES[0]], "expected 2 inputs, the outputs of the"),
        ([np.ones((3, 3, 1, 2))], r"got shape \(3, 3, 1, 2\)$"),
    ],
)
def test_wrong_arrays(arrays, message):
    with refuses(ValueError, message):
        from_keras(arrays, hidden="relu", output="softmax")


def test_names_are_needed():
    with refuses(ValueError, "^output: expected the activation of the outputs, which the list of"):
        from_keras(PAIRS, hidden="relu")
    with refuses(ValueError, "^hidden: expected the hidden activations, which the list of weights"):
        from_keras(PAIRS, output="softmax")
    with refuses(ValueError, "^hidden: expected one name, or 2 for the 2 hidden layers, got 1$"):
        from_keras(PAIRS, hidden=["relu"], output="softmax")
    assert from_keras(PAIRS[:2], output="identity").sizes == (4, 4)


def test_other_dtypes():
    for dtype in ("f2", "i8", "c16", "?"):
        with refuses(TypeError, "^list of weights: weights of layer .*: expected float32 or float"):
            from_keras([array.astype(dtype) for array in PAIRS], **NAMES)
    mixed = [array.astype("f4" if k < 2 else "f8") for k, array in enumerate(PAIRS)]
    with refuses(TypeError, r"expected one dtype, got float32 in layer 'arrays\[0\]', float64 in"):
        from_keras(mixed, **NAMES)
    masked = [np.ma.array(KERNELS[0], mask=KERNELS[0] > 0), *PAIRS[1:]]
    with refuses((ValueError), "masked"):
        from_keras(masked, **NAMES)
    swapped = [array.astype(array.dtype.newbyteorder()) for array in PAIRS]
    assert (from_keras(swapped, **NAMES).params == from_keras(PAIRS, **NAMES).params).all()
