"""Learning rates that change while a network is trained.

A schedule is called with the number of a step, counted from 0, and gives the rate of that step.
Any callable ``f(step: int) -> float`` is one; those of this module can be compared, pickled, and
written down as a `Schedule.config`.
"""

from bpfast.schedules._config import from_config
from bpfast.schedules._decay import Constant, Cosine, Step
from bpfast.schedules._one_cycle import OneCycle
from bpfast.schedules._plateau import Plateau
from bpfast.schedules._rates import rates
from bpfast.schedules._schedule import Schedule
from bpfast.schedules._warm_up import WarmUp

__all__ = [
    "Constant",
    "Cosine",
    "OneCycle",
    "Plateau",
    "Schedule",
    "Step",
    "WarmUp",
    "from_config",
    "rates",
]

for _public in (Constant, Cosine, OneCycle, Plateau, Schedule, Step, WarmUp, from_config, rates):
    _public.__module__ = __name__
