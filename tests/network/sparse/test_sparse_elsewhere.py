"""A sparse matrix in place of another array than x: each call names the argument."""

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

sparse = pytest.importorskip("scipy.sparse")

SMALL = bpfast.Network([3, 2], output="identity", seed=0)
DENSE = np.eye(3), np.ones((3, 2))
OTHERS = {
    "directions": lambda v: SMALL.taylor(DENSE[0], v),
    "dx": lambda v: SMALL.jvp(DENSE[0], dx=v),
    "dz": lambda v: bpfast.inside.demon(SMALL, *DENSE, 2, 0, v),
    "v": lambda v: SMALL.hvp(*DENSE, v),
    "y of curvature": lambda v: SMALL.curvature(DENSE[0], v),
    "y of distributed": lambda v: bpfast.distributed.fit(SMALL.copy(), DENSE[0], v),
    "y of cross_validate": lambda v: bpfast.cross_validate(SMALL, DENSE[0], v, 3),
    "sample_weight": lambda v: SMALL.copy().fit(*DENSE, sample_weight=v),
    "sample_weight of partial_fit": lambda v: SMALL.copy().partial_fit(*DENSE, sample_weight=v),
    "sample_weight of backprop_many": lambda v: bpfast.backprop_many(
        [SMALL], *DENSE, sample_weight=v
    ),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("value", [sparse.csr_array(np.eye(3)), sparse.coo_array(np.eye(3))])
def test_sparse_in_place_of_another_array(name, value):
    argument = name.split(" ")[0]
    got = type(value).__name__
    hint = rf"{argument}.toarray\(\) has them"
    with refuses(TypeError, f"^{argument}: expected real numbers, got {got}; {hint}$"):
        OTHERS[name](value)
