"""The finite differences of check_gradients."""

import numpy as np
import pytest

from bpfast.testing._differences import STEPS, derivative, perturb


@pytest.mark.parametrize("order", [1, 2])
def test_the_error_of_a_derivative_is_within_its_bound(order):
    """A kink of slope (order 1) or of curvature (order 2), at any place."""
    places = STEPS[0] * np.linspace(-1.5, 1.5, 601)
    found = 0
    for place in places:
        for doubt in (1e-8, 1e-5, 1e-3, 0.1):

            def f(t, place=place):
                return 0.5 * t + max(t - place, 0.0) ** order

            truth = 0.5 + (order * max(-place, 0.0) ** (order - 1) if place < 0 else 0.0)
            numeric, rounding = derivative(f, doubt, 1e-17)
            if numeric is not None:
                found += 1
                assert abs(numeric - truth) <= doubt + rounding
    assert found > 1000


def test_derivative_of_smooth_functions():
    for f, truth in ((np.exp, 1.0), (np.sin, 1.0), (lambda t: 1 / (3 - t), 1 / 9)):
        numeric, _ = derivative(f, 1e-9, 1e-16)
        assert numeric == pytest.approx(truth, rel=1e-10)  # below the doubt that is asked for
    steep, _ = derivative(lambda t: np.sin(300 * t), 3e-6, 1e-16)  # too steep for the widest step
    assert steep == pytest.approx(300, rel=1e-8)
    assert derivative(lambda t: np.nan, 1e-8, 1e-16) == (None, 0.0)


def test_perturb_restores_the_entry():
    array = np.arange(6.0).reshape(2, 3)
    along = perturb(array, (1, 2), lambda: float(array.sum()))
    assert [along(0.25), along(-1.0), along(0.0)] == [15.25, 14.0, 15.0]
    np.testing.assert_array_equal(array, np.arange(6.0).reshape(2, 3))
