"""σ'' of each activation against 40 digits, over the whole range, at every SIMD level.

H of a network with one wide hidden layer and the absolute cost has σ''(z_j) at the bias of
neuron j: the cost and the output have no second derivative of their own.
"""

import numpy as np
import pytest
from mpmath import mpf, workdps

import bpfast
from tests.helpers.child import run
from tests.helpers.processes.simd_levels import LEVELS
from tests.helpers.second_derivatives import (
    ABSOLUTE,
    EPSILON,
    EXACT,
    TINY,
    grid,
    second_derivatives,
)
from tests.helpers.tolerance import ULPS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", EXACT)
def test_against_40_digits(activation, dtype):
    z = grid(dtype)
    found = second_derivatives(activation, z)
    for z_j, got in zip(z, found, strict=True):
        with workdps(40):
            expected = float(EXACT[activation](mpf(float(z_j))))
            absolute = ABSOLUTE.get(activation, lambda z: 0.0)(float(z_j))
        bound = ULPS * EPSILON[dtype] * max(abs(expected), absolute) * 2 + 2 * TINY[dtype]
        assert abs(float(got) - expected) <= bound, (z_j, got, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", [a for a in EXACT if a != "sin"])
def test_limits_at_infinity(activation, dtype):
    largest = float(np.finfo(dtype).max) / 2  # selu nearly doubles it
    for z in (largest, -largest, 1e4, -1e4):
        found = second_derivatives(activation, np.array([z], dtype))
        assert found.tolist() == [0.0]
    # At -inf a is finite, but for the identities.
    if activation not in ("identity", "leaky_relu"):
        assert second_derivatives(activation, np.array([-np.inf], dtype)).tolist() == [0.0]


@pytest.mark.parametrize("activation", EXACT)
def test_nan_stays(activation):
    net = bpfast.Network([1, 3, 1], hidden=activation, output="identity", seed=0)
    assert np.isnan(net.hvp([[np.nan]], [[0.0]], np.ones(10)).flat).any()


ALL = """
import json, sys
from tests.helpers.second_derivatives import EXACT, grid, second_derivatives
json.dump({f"{name} {dtype}": second_derivatives(name, grid(dtype)).astype(float).tolist()
           for name in EXACT for dtype in ("float32", "float64")}, sys.stdout)
"""


def test_levels():
    """Levels with fused multiply-add have the same bits, and the baseline is as accurate."""
    found = {level: run(ALL, BPFAST_SIMD=level) for level in LEVELS}
    *fused, last = [level for level in LEVELS if level != "baseline"] or ["baseline"]
    for level in fused:
        assert found[level] == found[last], level
    for case in found["baseline"]:
        name, dtype = case.split()
        z = grid(dtype).astype(float)
        one, two = (np.array(found[level][case]) for level in ("baseline", last))
        scale = np.array([ABSOLUTE.get(name, lambda z: 0.0)(v) for v in z])
        bound = 4 * ULPS * EPSILON[dtype] * np.maximum(np.abs(two), scale) + 4 * TINY[dtype]
        assert (np.abs(one - two) <= bound).all(), (case, z[np.abs(one - two) > bound])
