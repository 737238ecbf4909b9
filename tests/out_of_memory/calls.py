"""Every public call, by its name."""

from tests.out_of_memory import (
    around,
    computing,
    cpythons,
    derivatives,
    many,
    numpys,
    training,
)
from tests.out_of_memory.call import CALLS

__all__ = ["CALLS", "around", "computing", "cpythons", "derivatives", "many", "numpys", "training"]
