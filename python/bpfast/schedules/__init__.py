"""Learning-rate schedules.

A schedule is called with the number of a step, counted from 0, and returns the rate of that step.
Any callable ``f(step: int) -> float`` is a schedule. Those of this module can also be compared,
pickled, and saved as a `Schedule.config`.
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
