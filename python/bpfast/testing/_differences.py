"""The derivative of a function of one number at 0, by finite differences that detect kinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# Half the widths of differences, decreasing. An error of order h^4 and a rounding error of order
# eps/h balance at h = eps^(1/5) = 7e-4; the others are for nearby kinks and large inputs. Powers of
# two, so that adding one to a number is exact.
STEPS = (2.0**-10, 2.0**-13, 2.0**-16, 2.0**-19)


def derivative(
    f: Callable[[float], float], doubt: float, rounding: float
) -> tuple[float | None, float]:
    """The derivative of f at 0, or None if f has a kink there.

    With D(h) the central difference, R(h) = (4 D(h/2) - D(h)) / 3 has an error of order h^4. With
    G(h) the difference of the one-sided derivatives, 2 G(h/2) - G(h) is of order h^3 if f is
    smooth, and the jump if f has a kink at 0. For a single kink of slope or curvature, anywhere,
    the error of R(h/2) is at most abs(R(h/2) - R(h)) + abs(2 G(h/4) - G(h/2)).

    Parameters
    ----------
    f : callable
        A function of one number, exact to `rounding`.
    doubt : float
        The largest accepted value of that sum, apart from rounding. The widest of STEPS with a
        smaller sum is used.
    rounding : float
        The absolute error of f.

    Returns
    -------
    derivative : float or None
        R(h/2). None if no step gives a small enough sum: f has a kink or is not finite.
    rounding : float
        The largest error of the derivative due to rounding of f.

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
        # Python floats: if memory runs out, arithmetic with NumPy scalars ends the process.
        before, found = ((4 * central[1:] - central[:-1]) / 3).tolist()
        _, wide, narrow = gap.tolist()
        rounded = rounding / (step / 4)
        if abs(found - before) + abs(2 * narrow - wide) <= doubt + rounded:
            return found, rounded
    return None, 0.0


def perturb(
    array: NDArray[Any], index: tuple[int, ...], f: Callable[[], float]
) -> Callable[[float], float]:
    """Make f, which reads `array`, a function of the number added to the entry at `index`.

    Each call restores the entry.

    Examples
    --------
    >>> a = np.array([3.0, 4.0])
    >>> along = perturb(a, (1,), lambda: float(a.sum()))
    >>> along(0.5), a.tolist()
    (7.5, [3.0, 4.0])
    """
    value = array[index]

    def along(h: float) -> float:
        array[index] = value + h
        result = f()
        array[index] = value
        return result

    return along
