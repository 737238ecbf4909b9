"""One schedule of each kind, and more of those that PyTorch has too."""

from bpfast import schedules

# Those that follow from the step alone; tests/golden/torch.json has their rates by PyTorch.
SCHEDULES = [
    schedules.Step(0.3, 3, 0.5),
    schedules.Cosine(0.3, 7, 0.01),
    schedules.OneCycle(0.3, 10),
    schedules.OneCycle(0.3, 7, 0.5, 0.03, 0.0003),  # its peak lies between two steps
    schedules.WarmUp(schedules.Cosine(0.3, 5), 4, start=0.03),
]
MORE = [
    schedules.Step(0.7, 4, 0.3),
    schedules.Cosine(0.7, 39, 0.02),
    *(
        schedules.OneCycle(0.7, 40, share, 0.07, 0.0007)
        for share in (0.0, 0.02, 0.03, 0.31, 0.5, 0.99, 1.0)
    ),
    schedules.WarmUp(0.8, 10, start=0.2),
]
PLATEAU = {"factor": 0.5, "patience": 1, "threshold": 0.01, "cooldown": 2, "smallest": 0.1}


def every_kind():
    """One of each kind, all arguments away from their defaults."""
    return [
        schedules.Constant(0.2),
        *SCHEDULES,
        schedules.Plateau(0.5, **PLATEAU),
        schedules.WarmUp(schedules.Plateau(0.5, **PLATEAU), 3),
        schedules.WarmUp(0.1, 2),
    ]
