"""Steps of an optimizer on arrays."""

import numpy as np

import bpfast
from bpfast import schedules
from tests.helpers.cases.training.every_optimizer import gradient


def go(opt, params, first, count):
    for step in range(first, first + count):
        arrays = [params] if isinstance(params, np.ndarray) else params
        gradients = [gradient(p, step) for p in arrays]
        opt.step(params, gradients[0] if arrays is not params else gradients)
    return [p.tobytes() for p in arrays]


def plateau():
    return schedules.Plateau(0.5, factor=0.5, patience=0)


KINDS = [bpfast.SGD, bpfast.Adam, bpfast.AdamW, bpfast.RMSprop, bpfast.Adagrad]


def watched(opt):
    """What a refused step may not change."""
    kept = opt.state
    return [opt, *kept, *kept.values()]
