"""Checks a network's gradients with finite differences of the cost.

`check_gradients` works with any network, cost and data, and raises an error if they disagree.
"""

from bpfast.testing._check_gradients import GradientReport, Tally, check_gradients

__all__ = ["GradientReport", "Tally", "check_gradients"]
