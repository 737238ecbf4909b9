"""Sparse x: matrices of SciPy, whose rows are in order or not."""

import itertools

import numpy as np
import pytest

import bpfast
from tests.helpers.bits import bits
from tests.helpers.child import NETWORKS

sparse = pytest.importorskip("scipy.sparse")


RNG = np.random.default_rng(0)
X = RNG.integers(-3, 4, size=(6, 5)) * (RNG.random((6, 5)) < 0.5)
X[2] = 0
Y = RNG.uniform(0.1, 0.9, size=(6, 3))
S = [1, 2, 0, 1, 0.5, 3]
NET = bpfast.Network([5, 4, 3], hidden="tanh", seed=0)


def dense(shape, density, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape).astype(dtype)
    return np.where(rng.random(shape) < density, x, x.dtype.type(0))


def batch(name, n, dtype, density=0.2):
    """A network of NETWORKS, and a batch with few numbers that are not 0."""
    sizes, options = NETWORKS[name]
    net = bpfast.Network(sizes, dtype=dtype, seed=1, **options)
    x = dense((n, sizes[0]), density, dtype, seed=n)
    rng = np.random.default_rng(n)
    if options["cost"] == "log_likelihood":
        return net, x, rng.integers(0, sizes[-1], n)
    return net, x, rng.random((n, sizes[-1]), dtype)


def everything(net, x, y, **kwargs):
    """The bits of all that a network computes."""
    found = [net.forward(x), net(x), net.trace(x), net.cost(x, y, **kwargs)]
    found += [net.errors(x, y, **kwargs), net.backprop(x, y, **kwargs)]
    return bits(found)


def disordered(x):
    """Its rows the other way round, the first number of each in two halves."""
    x = sparse.csr_array(x)
    data, indices, indptr = [], [], [0]
    for start, end in itertools.pairwise(x.indptr):
        row = list(zip(x.indices[start:end], x.data[start:end], strict=True))[::-1]
        if row:
            row = [(row[0][0], row[0][1] / 2), *row[1:], (row[0][0], row[0][1] / 2)]
        indices += [k for k, _ in row]
        data += [value for _, value in row]
        indptr.append(len(data))
    made = sparse.csr_array((data, indices, indptr), shape=x.shape)
    assert not (x.nnz and made.has_canonical_format)
    return made
