"""Sums over shards that leave the range of float32 or float64 although their mean does not."""

import numpy as np
import pytest

import bpfast

WEIGHT = np.random.default_rng(0).exponential(size=40)


# C_x is 7e307 for the large y of float64, and ∂C_x/∂W 1e38 for the large x of float32, of which the
# other two methods add no sum in float32.
@pytest.mark.parametrize(
    ("dtype", "x", "y", "method"),
    [
        *(("float64", 1.0, 1.2e154, method) for method in ("steps", "full", "lbfgs", "local")),
        *(("float32", 1e19, 1e19, method) for method in ("steps", "full")),
    ],
)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weights"])
@pytest.mark.filterwarnings("ignore:y. expected targets of about 1")
def test_sums_that_overflow_although_their_mean_is_finite(dtype, x, y, method, weight):
    net, whole = (
        bpfast.Network([1, 1], output="identity", dtype=dtype, init="zeros", biases=False)
        for _ in range(2)
    )
    x, y = np.full((40, 1), x), np.full((40, 1), y)
    options = {"sample_weight": weight, "validation": 0.25, "seed": 0, "epochs": 1}
    steps = {"optimizer": bpfast.SGD(1e-35)}
    more = {} if method == "lbfgs" else steps
    found = bpfast.distributed.fit(net, x, y, shard_rows=8, method=method, **options, **more)
    assert np.isfinite([*net.params, *found.cost]).all()
    expected = whole.fit(x, y, batch_size=40, shuffle=False, **options, **steps)
    if method != "lbfgs":
        np.testing.assert_allclose(net.params, whole.params, rtol=1e-6)
        np.testing.assert_allclose(found.cost, expected.cost, rtol=1e-6)
        np.testing.assert_allclose(found.validation_cost, expected.validation_cost, rtol=1e-6)


def test_the_mean_of_local_steps_whose_sum_overflows():
    net = bpfast.Network([1, 1], output="identity", init="zeros", biases=False)
    net.params[:] = 1e308
    x, y = np.zeros((40, 1)), np.zeros((40, 1))
    bpfast.distributed.fit(net, x, y, shard_rows=8, method="local", epochs=1, optimizer="sgd")
    assert net.params[0] == 1e308
