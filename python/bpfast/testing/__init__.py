"""Checks a network's gradients with finite differences of the cost.

`check_gradients` works with any network, cost and data, and raises an error if they disagree.
"""

from bpfast.testing._check_gradients import check_gradients
from bpfast.testing._report import GradientReport, Tally

__all__ = ["GradientReport", "Tally", "check_gradients"]

for _public in (GradientReport, Tally, check_gradients):
    _public.__module__ = __name__
