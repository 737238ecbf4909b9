"""Check a network's gradients against the cost itself, by finite differences.

For code with a network, a cost or data of its own: one call, which fails where they disagree.
"""

from bpfast.testing._check_gradients import GradientReport, Tally, check_gradients

__all__ = ["GradientReport", "Tally", "check_gradients"]
