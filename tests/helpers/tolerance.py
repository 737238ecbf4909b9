"""Every tolerance of the tests, with its reason."""

import numpy as np
from numpy.typing import ArrayLike

# The promise of docs/numerics.md: errors relative to the norm of the array. Rounding alone gives
# about sqrt(terms) · eps, with eps = 2.2e-16 and 1.2e-7; the rest allows for long sums.
RELATIVE = {"float64": 1e-12, "float32": 1e-5}

# exp, tanh and functions built on them: in units in the last place of the exact result.
ULPS = 4


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
