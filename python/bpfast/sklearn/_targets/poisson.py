"""Half the Poisson deviance with a log link, the loss "poisson" of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy


def poisson(z: Any, y: Any) -> tuple[Any, Any]:
    """C_x = Σ y log(y / exp z) - y + exp z, and its derivative exp z - y by z.

    Examples
    --------
    >>> poisson(np.log([[2.0]]), np.array([[2.0]]))[1]
    array([[0.]])
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        mean = np.exp(z)
        return (xlogy(y, y) - y * z - y + mean).sum(axis=1), mean - y


poisson.takes_z = True  # type: ignore[attr-defined]
