"""A CSR matrix whose positions or numbers have a dtype that SciPy itself does not support."""

from functools import partial

import numpy as np
import pytest

import bpfast
from bpfast.testing import check_gradients
from tests.helpers.bits import bits
from tests.helpers.refuses import refuses

sparse = pytest.importorskip("scipy.sparse")

POSITIONS = ["i1", "u1", ">i2", "u4", ">i4", "i8", "u8", ">u8"]
NUMBERS = ["?", "u1", ">i2", "f2", ">f4", ">f8", "g"]
INDICES, INDPTR = np.array([3, 0, 2, 2, 1, 3]), np.array([0, 1, 2, 2, 4, 5, 6])
Y = np.linspace(0, 1, 12).reshape(6, 2)


def csr(duplicates, indices="i4", indptr="i4", data="f8"):
    """SciPy's constructor would convert them."""
    x = sparse.csr_array((6, 4))
    x.data = np.array([3, 1, 2, 4, 1, 2]).astype(data)
    x.indices, x.indptr = INDICES.astype(indices), INDPTR.astype(indptr)
    if not duplicates:
        x.indices[2] = 1
    return x


def of_every_call(x, dtype="f8"):
    """What each call that takes a sparse x makes of it."""
    net = bpfast.Network([4, 3, 2], dtype=dtype, seed=0)
    weights, biases = list(net.weights), list(net.biases)
    found = [net(x), net.trace(x), net.cost(x, Y), net.errors(x, Y), net.backprop(x, Y)]
    found += [net.backprop_touched(x, Y), bpfast.backprop(weights, biases, x, Y)]
    found.append(net.evaluate(x, Y)["cost"])
    bpfast.scipy_minimize(net, x, Y, max_iterations=2)
    net.fit(x, Y, epochs=2, batch_size=4, seed=0, validation=(x, Y))
    net.fit(x, Y, epochs=1, validation=0.3, seed=0)
    net.fit([(x, Y), (x, Y)], epochs=1, seed=0)
    net.partial_fit(x, Y)
    found.append(net.params)
    return bits(found), str(check_gradients(net, x, Y))


@pytest.mark.parametrize("duplicates", [False, True])
def test_positions(duplicates):
    expected = of_every_call(csr(duplicates))
    for indices, indptr in [*((dtype, dtype) for dtype in POSITIONS), ("i4", "u8"), ("u8", "i4")]:
        assert of_every_call(csr(duplicates, indices, indptr)) == expected, (indices, indptr)


@pytest.mark.parametrize("duplicates", [False, True])
@pytest.mark.parametrize("data", NUMBERS)
def test_numbers(data, duplicates):
    x = csr(duplicates, data=data)
    # Duplicates of bool are bool.
    native = csr(duplicates, data="?" if data == "?" else "f8")
    assert of_every_call(x) == of_every_call(native)


def test_positions_that_are_too_large():
    x = csr(False, "u8", "u8")
    x.indices[0] = 2**64 - 1
    net = bpfast.Network([4, 2], seed=0)
    for call in (net.backprop, net.fit, net.backprop_touched, partial(check_gradients, net)):
        with refuses(ValueError, "^x: ", net):
            call(x, Y)
