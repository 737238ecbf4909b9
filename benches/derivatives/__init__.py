"""The libraries beside which benches/inside.py times derivatives."""

from benches.derivatives.registry import LIBRARIES, Entry

__all__ = ["LIBRARIES", "Entry"]
