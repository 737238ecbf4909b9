"""Modules that are imported at their first use: `bpfast.plot`, which imports matplotlib."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bpfast import plot

    __all__ = ["plot"]
else:
    __all__ = ["__getattr__"]

    def __getattr__(name):
        """Import a module that `bpfast` is asked for: there this function stands too."""
        if name == "plot":
            from importlib import import_module

            return import_module("bpfast.plot")
        raise AttributeError(f"module 'bpfast' has no attribute {name!r}")
