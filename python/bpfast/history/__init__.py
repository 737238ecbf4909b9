"""The results of a training, epoch by epoch."""

from bpfast.history._history import History

__all__ = ["History"]
