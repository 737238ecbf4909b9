"""A report of `explain`: its rows and tables, and the test of its findings."""

from bpfast.inside._report.check import Check
from bpfast.inside._report.report import Report
from bpfast.inside._report.rows import NeuronFactors

__all__ = ["Check", "NeuronFactors", "Report"]
