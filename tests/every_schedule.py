"""One schedule of each kind, and the rates that PyTorch gives for them."""

from bpfast import schedules

# What torch 2.15.0 gave for its schedulers of these arguments, step after step from 0.
GOLDEN = [
    (schedules.Step(0.3, 3, 0.5), [0.3, 0.3, 0.3, 0.15, 0.15, 0.15, 0.075, 0.075]),
    (
        schedules.Cosine(0.3, 7, 0.01),
        [
            0.3, 0.2856404858458507, 0.24540602126951633, 0.18726553542366556,
            0.1227344645763344, 0.06459397873048363, 0.024359514154149234, 0.01,
        ],
    ),
    (
        schedules.OneCycle(0.3, 10),
        [
            0.01200000000000001, 0.156, 0.3, 0.2851453896040421, 0.24352369618492894,
            0.18337860658088678, 0.11662259341911323, 0.05647750381507109, 0.014855810395957887,
            1.2e-06,
        ],
    ),
    (
        schedules.OneCycle(0.3, 7, 0.5, 0.03, 0.0003),  # its peak lies between two steps
        [
            0.02999999999999997, 0.12328270575938208, 0.27421729424061786, 0.28516018485517747,
            0.18349476195335368, 0.056720053191468785, 0.0003,
        ],
    ),
    (
        schedules.WarmUp(schedules.Cosine(0.3, 5), 4, start=0.03),
        [
            0.03, 0.0975, 0.165, 0.2325, 0.3, 0.27135254915624213, 0.19635254915624212,
            0.10364745084375789, 0.028647450843757895, 0.0,
        ],
    ),
]  # fmt: skip
PLATEAU = {"factor": 0.5, "patience": 1, "threshold": 0.01, "cooldown": 2, "smallest": 0.1}


def every_kind():
    """One of each kind, all arguments away from their defaults."""
    return [
        schedules.Constant(0.2),
        *(schedule for schedule, _ in GOLDEN),
        schedules.Plateau(0.5, **PLATEAU),
        schedules.WarmUp(schedules.Plateau(0.5, **PLATEAU), 3),
        schedules.WarmUp(0.1, 2),
    ]
