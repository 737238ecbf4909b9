"""The records of steps of some trainings, as a digest."""

import hashlib

import numpy as np

import bpfast
from bpfast.inside import Monitor


def digest():
    """Of all records of some trainings, each large enough for several threads."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((1200, 200)).astype(np.float32)
    x[rng.random(x.shape) < 0.7] = 0
    y, seen = rng.integers(10, size=1200), hashlib.sha256()
    for options in (
        {"optimizer": "sgd", "learning_rate": 0.1},
        {"optimizer": "adam", "clip_norm": 0.5, "dropout": 0.2},
        {"optimizer": "adam", "max_norm": 1.0},
        {"optimizer": "sgd", "learning_rate": 0.1, "sparse": True},
        {"optimizer": "sgd", "learning_rate": 0.1, "batch_size": 1100},
    ):
        net = bpfast.Network(
            [200, 96, 50, 50, 10], hidden=["gelu", "tanh", "relu"], output="softmax",
            cost="log_likelihood", dtype="float32", seed=0,
        )  # fmt: skip
        monitor = Monitor(x, y, every_steps=1, cosine=True, warn=False)
        arguments = {"batch_size": 300, "epochs": 1, "seed": 0, "sparse": False} | options
        net.fit(x, y, callbacks=monitor, **arguments)
        for name in monitor:
            seen.update(monitor[name].tobytes())
    return seen.hexdigest()
