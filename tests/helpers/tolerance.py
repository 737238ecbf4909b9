"""The tolerances that tests share, with their reasons.

A test that compares two ways to compute a number may have its own: up to 1e-11 relative in float64,
and from 1e-7 to 1e-5 in float32, it is the rounding of the terms of both. A larger one has its
reason beside it. No test uses the default of NumPy or pytest, which is far from both.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

# The promise of docs/numerics.md: errors relative to the norm of the array. Rounding alone gives
# about sqrt(terms) · eps, with eps = 2.2e-16 and 1.2e-7; the rest allows for long sums.
RELATIVE = {"float64": 1e-12, "float32": 1e-5}

# Steps on rounded numbers round again: costs of an epoch, and figures after it.
OF_EPOCHS = {dtype: 10 * tolerance for dtype, tolerance in RELATIVE.items()}

# exp, tanh and functions built on them: in units in the last place of the exact result.
ULPS = 4


def rounded(expected: Any) -> Any:
    """For ``==``: `expected`, a float64 number or array, up to rounding, also where it is small."""
    return pytest.approx(expected, rel=RELATIVE["float64"], abs=0)


def close(got: ArrayLike, expected: ArrayLike, dtype: str, *, scale: float = 0.0) -> bool:
    """Whether ‖got − expected‖ ≤ tolerance · ‖expected‖, with ‖expected‖ at least `scale`.

    The scale is the norm that a sum has before its terms cancel: a gradient whose terms cancel to
    nearly 0 keeps the rounding of the terms.
    """
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    if got.shape != expected.shape:
        return False
    bound = RELATIVE[dtype] * max(float(np.linalg.norm(expected)), scale)
    return float(np.linalg.norm(got - expected)) <= bound
