"""Optimizers of every kind, with PyTorch's names of the same, and their formulas in NumPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import bpfast
from bpfast import schedules

# Where every test starts; `gradient` says where from there.
START = np.array([0.3, -1.2, 2.0, 0.01, -0.5])
STEPS = 100


def gradient(p: NDArray[Any], step: int) -> NDArray[Any]:
    """A gradient of size 0.001 to 100, which follows p and turns with the steps."""
    k = np.arange(p.size).reshape(p.shape)
    return np.asarray(10.0 ** (k % 6 - 3) * (p + np.cos(0.1 * step + k)), p.dtype)


class Case:
    """An optimizer: by name and arguments, as PyTorch calls it, and as a formula."""

    def __init__(self, name, theirs, **options):
        self.name, self.theirs, self.options = name, theirs, options

    def __repr__(self):
        return ", ".join([self.name, *(f"{key}={value}" for key, value in self.options.items())])

    def make(self):
        """A new optimizer."""
        return getattr(bpfast, self.name)(**self.options)


COSINE = schedules.Cosine(0.05, 80, 0.001)
CASES = [
    Case(
        "SGD",
        {},
        learning_rate=0.01,
    ),
    Case(
        "SGD",
        {"weight_decay": 0.2},
        learning_rate=0.01,
        weight_decay=0.2,
    ),
    Case(
        "SGD",
        {"momentum": 0.9},
        learning_rate=0.01,
        momentum=0.9,
    ),
    Case(
        "SGD",
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
        learning_rate=0.01,
        momentum=0.8,
        nesterov=True,
        weight_decay=0.1,
    ),
    Case(
        "SGD",
        {"momentum": 0.9},
        learning_rate=COSINE,
        momentum=0.9,
    ),
    Case(
        "Adam",
        {},
        learning_rate=0.03,
    ),
    Case(
        "Adam",
        {"betas": (0.3, 0.95), "eps": 1e-3, "weight_decay": 0.1},
        learning_rate=0.03,
        beta1=0.3,
        beta2=0.95,
        epsilon=1e-3,
        weight_decay=0.1,
    ),
    Case(
        "Adam",
        {},
        learning_rate=COSINE,
    ),
    Case(
        "AdamW",
        {},
        learning_rate=0.03,
    ),
    Case(
        "AdamW",
        {"weight_decay": 0.3},
        learning_rate=COSINE,
        weight_decay=0.3,
    ),
    Case(
        "RMSprop",
        {},
        learning_rate=0.01,
    ),
    Case(
        "RMSprop",
        {"alpha": 0.8, "eps": 1e-2, "weight_decay": 0.1},
        learning_rate=COSINE,
        alpha=0.8,
        epsilon=1e-2,
        weight_decay=0.1,
    ),
    Case(
        "Adagrad",
        {},
        learning_rate=0.3,
    ),
    Case(
        "Adagrad",
        {"eps": 1e-2, "weight_decay": 0.1},
        learning_rate=COSINE,
        epsilon=1e-2,
        weight_decay=0.1,
    ),
]


def formula_steps(case, start, steps=STEPS, of=gradient):
    """What the formulas make of `start`, written down once more, in NumPy and float64."""
    options = case.options
    rate = options["learning_rate"]
    beta1, beta2 = options.get("beta1", 0.9), options.get("beta2", 0.999)
    decay = options.get("weight_decay", 0.01 if case.name == "AdamW" else 0.0)
    epsilon = options.get("epsilon", 1e-10 if case.name == "Adagrad" else 1e-8)
    mu, alpha = options.get("momentum", 0.0), options.get("alpha", 0.99)
    p, m, v = start.astype(np.float64), np.zeros(start.shape), np.zeros(start.shape)
    for step in range(steps):
        eta, t = rate if isinstance(rate, float) else rate(step), step + 1
        g = of(p, step)
        if case.name == "AdamW":
            p = p - eta * decay * p
        else:
            g = g + decay * p
        if case.name == "SGD":
            v = mu * v + g
            change = g + mu * v if options.get("nesterov") else v
        elif case.name in ("Adam", "AdamW"):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            change = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
        else:
            v = v + g**2 if case.name == "Adagrad" else alpha * v + (1 - alpha) * g**2
            change = g / (np.sqrt(v) + epsilon)
        p = p - eta * change
    return p
