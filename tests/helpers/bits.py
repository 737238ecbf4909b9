"""The bits of all that a call returns."""

import numpy as np

import bpfast


def bits(value):
    """The shapes, dtypes and bytes of all that a call gives back."""
    if isinstance(value, bpfast.Gradient):
        value = [value.cost, value.flat]
    if isinstance(value, list | tuple | bpfast.Trace):
        return [bits(entry) for entry in value]
    if isinstance(value, np.ndarray):
        assert type(value) is np.ndarray
        assert value.flags.writeable
        return value.shape, value.dtype, value.tobytes()
    assert type(value) is float
    return value.hex()
