"""Sparse x whose numbers SciPy cannot copy or select: another byte order, and float16."""

import numpy as np
import pytest

import bpfast
from bpfast import distributed, inside

sparse = pytest.importorskip("scipy.sparse")

RNG = np.random.default_rng(0)
X = np.round(RNG.normal(size=(12, 3)) * 4) * (RNG.random((12, 3)) < 0.6)
Y = RNG.random((12, 2))
NET = bpfast.Network([3, 4, 2], seed=0)


def fitted(fit, x, **options):
    net = NET.copy()
    fit(net, x, Y, **options)
    return net.params


CALLS = {
    "backprop": lambda x: NET.backprop(x, Y).flat,
    "clipped_backprop": lambda x: (
        NET.clipped_backprop(x, Y, 1.0, sampling_rate=0.5, expected_batch_size=6, seed=0).flat
    ),
    "evaluate": lambda x: NET.evaluate(x, Y, batch_size=5)["cost"],
    "ggn": lambda x: NET.curvature(x, Y, matrix="ggn").diagonal(),
    "empirical_fisher": lambda x: NET.curvature(x, Y, matrix="empirical_fisher").diagonal(),
    "hessian": lambda x: NET.curvature(x, Y).diagonal(3, seed=0),
    "fit": lambda x: fitted(bpfast.Network.fit, x, epochs=2, seed=0, validation=0.3),
    "distributed.fit": lambda x: fitted(distributed.fit, x, epochs=2, seed=0, shard_rows=5),
    "least_squares": lambda x: fitted(bpfast.least_squares, x, max_iterations=2),
    "cross_validate": lambda x: bpfast.cross_validate(NET, x, Y, 3, epochs=2, seed=0).outputs,
    "demon": lambda x: inside.demon(NET, x, Y).true,
}


@pytest.mark.parametrize("dtype", [">f8", ">f4", ">i4", ">f2", "=f2"])
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
@pytest.mark.parametrize("name", CALLS)
def test_numbers_that_scipy_does_not_compute_with(name, form, dtype):
    x = sparse.csr_array(X).asformat(form)
    x.data = x.data.astype(dtype)
    before = x.data.tobytes()
    np.testing.assert_array_equal(CALLS[name](x), CALLS[name](X))
    assert (x.data.dtype, x.data.tobytes()) == (np.dtype(dtype), before)
