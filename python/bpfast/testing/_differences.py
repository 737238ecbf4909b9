"""The slope of a function of one number at 0, by finite differences that notice a kink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# Half the width of a difference, from wide to narrow. An error of order h^4 and a rounding of order
# eps/h balance at h = eps^(1/5) = 7e-4; the others are for kinks close by and for large inputs.
# Powers of two, so that adding one to a number rounds nothing off.
STEPS = (2.0**-10, 2.0**-13, 2.0**-16, 2.0**-19)


def derivative(
    f: Callable[[float], float], doubt: float, rounding: float
) -> tuple[float | None, float]:
    """Differentiate f at 0, or find that it has a kink there.

    With D(h) the central difference, R(h) = (4 D(h/2) - D(h)) / 3 has an error of order h^4. With
    G(h) the gap between the one-sided slopes, 2 G(h/2) - G(h) is of order h^3 where f is smooth,
    and the jump where it has a kink at 0. Wherever one kink of slope or curvature lies, R(h/2) is
    wrong by at most abs(R(h/2) - R(h)) + abs(2 G(h/4) - G(h/2)).

    Parameters
    ----------
    f : callable
        A function of one number, exact to `rounding`.
    doubt : float
        How large that sum may be, rounding apart. The widest of STEPS that keeps to it is taken.
    rounding : float
        Absolute error of f.

    Returns
    -------
    slope : float or None
        R(h/2); None if no step keeps to the doubt: f has a kink, or is not finite.
    rounding : float
        What the rounding of f makes of the slope, at most.

    Examples
    --------
    >>> import math
    >>> found, error = derivative(math.exp, 1e-8, 1e-16)
    >>> abs(found - 1) < 1e-11
    True
    >>> derivative(abs, 1e-8, 1e-16)
    (None, 0.0)
    """
    start = f(0.0)
    for step in STEPS:
        h = step * np.array([1.0, 0.5, 0.25])
        up, down = (np.array([f(t) - start for t in side.tolist()]) for side in (h, -h))
        central, gap = (up - down) / (2 * h), (up + down) / h
        # Python's floats: where memory runs out, arithmetic with NumPy's scalars ends the process.
        before, found = ((4 * central[1:] - central[:-1]) / 3).tolist()
        _, wide, narrow = gap.tolist()
        rounded = rounding / (step / 4)
        if abs(found - before) + abs(2 * narrow - wide) <= doubt + rounded:
            return found, rounded
    return None, 0.0


def perturb(
    array: NDArray[Any], place: tuple[int, ...], f: Callable[[], float]
) -> Callable[[float], float]:
    """Make f, which reads `array`, a function of what is added to the entry at `place`.

    Each call puts the entry back.

    Examples
    --------
    >>> a = np.array([3.0, 4.0])
    >>> along = perturb(a, (1,), lambda: float(a.sum()))
    >>> along(0.5), a.tolist()
    (7.5, [3.0, 4.0])
    """
    value = array[place]

    def along(h: float) -> float:
        array[place] = value + h
        result = f()
        array[place] = value
        return result

    return along
