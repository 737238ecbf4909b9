"""Parameter arrays whose own elements may share memory, made by `as_strided`."""

import itertools

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import bpfast
from tests.helpers.refuses import refuses

EXPECTED = "^params: expected an array whose elements do not share memory, got "


def share_memory(shape, strides, itemsize):
    """Whether elements of such an array share a byte, found by listing all bytes."""
    starts = (np.dot(index, strides) for index in itertools.product(*map(range, shape)))
    used = [start + byte for start in starts for byte in range(itemsize)]
    return len(set(used)) < len(used)


def test_every_array_is_decided_exactly():
    rng = np.random.default_rng(0)
    memory, decisions = np.zeros(1000), []
    for _ in range(400):
        shape = tuple(map(int, rng.integers(1, 5, rng.integers(1, 5))))
        strides = rng.choice([1, 4, 8]) * rng.integers(-12, 13, len(shape))
        params = as_strided(memory[500:], shape, tuple(map(int, strides)))
        decisions.append(share_memory(shape, strides, memory.itemsize))
        if decisions[-1]:
            with refuses(ValueError, f"{EXPECTED}one that overlaps itself$", memory):
                bpfast.SGD(1.0).step(params, np.ones(shape))
        else:
            params[...] = 0
            bpfast.SGD(1.0).step(params, np.ones(shape))
            assert (params == -1).all()
    assert 100 < sum(decisions) < 300


@pytest.mark.parametrize("shape", [(2, 3), (3, 2)])
def test_interleaved_axes(shape):
    """Strides of 16 and 24 bytes: no slice of an array has these, and no element is shared."""
    memory = np.zeros(10)
    strides = (24, 16) if shape == (2, 3) else (16, 24)
    bpfast.Adam(1.0).step(as_strided(memory, shape, strides), np.ones(shape))
    assert np.count_nonzero(memory) == 6


def test_what_takes_too_long_to_decide_is_refused_as_undecided():
    strides = np.random.default_rng(0).integers(256, 1 << 20, 14)
    memory = np.zeros(int(strides.sum()) + 1, np.float32)
    params = as_strided(memory, (2,) * 14, tuple(map(int, 4 * strides)))
    with refuses(ValueError, f"{EXPECTED}strides for which this is too hard to tell$", memory):
        bpfast.SGD().step(params, np.ones(params.shape, np.float32))


def test_interleaved_arrays_need_no_search(monkeypatch):
    """Of thousands of columns, a search for each pair would take minutes."""
    pairs = []
    monkeypatch.setattr(np, "shares_memory", lambda *args, **_: pairs.append(args) or True)
    matrix = np.zeros((50, 40))
    columns = [matrix[:, k] for k in range(40)]
    blocks = [matrix[:, :20], matrix[:, 20:]]
    checkerboard = [matrix[::2, ::2], matrix[1::2, 1::2], matrix[::2, 1::2], matrix[1::2, ::2]]
    for params in (columns, blocks, checkerboard, [part[::-1] for part in columns]):
        bpfast.SGD(1.0).step(params, [np.ones(part.shape) for part in params])
    assert not pairs
    assert (matrix == -4).all()
    rows = [matrix[::2], matrix[1::3]]
    with refuses(ValueError, "expected an array that does not overlap", matrix):
        bpfast.SGD(1.0).step(rows, [np.ones(part.shape) for part in rows])
    assert pairs  # which shows that a search is seen
