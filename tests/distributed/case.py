"""One training for all kinds of cluster, which gives the same bits on each."""

import hashlib
from typing import Any

import numpy as np

import bpfast

SHARD_ROWS = 64
# Few steps, because each is a round of messages.
METHODS: dict[str, Any] = {
    "steps": {"batch_size": 250, "optimizer": "adam", "learning_rate": 0.01, "l2": 1e-3},
    "full": {"optimizer": "rmsprop", "learning_rate": 0.01, "clip_norm": 0.1, "max_norm": 1.0},
    "lbfgs": {"l2": 1e-3},
    "local": {"batch_size": 8, "average_every": 4, "learning_rate": 0.01},
}
# What the driver must know of all shards, and random numbers for each example.
MORE: dict[str, Any] = {"dropout": [0.3], "validation": 0.2, "metrics": "r2", "early_stopping": 1}
OF_CLASSES: dict[str, Any] = {"class_weight": "balanced", "validation": 0.25, "metrics": "accuracy"}
CASES: dict[str, Any] = {
    **{name: {"method": name, **options} for name, options in METHODS.items()},
    "steps and more": {"method": "steps", **METHODS["steps"], **MORE},
    "full and more": {"method": "full", **METHODS["full"], **MORE},
    "classes": {"method": "steps", **METHODS["steps"], **OF_CLASSES, "dropout": 0.5},
    "lbfgs of classes": {"method": "lbfgs", **OF_CLASSES},
    "local of classes": {"method": "local", **METHODS["local"], **OF_CLASSES, "dropout": 0.5},
}


def data(n=500):
    """Examples and weights. Their sums have rounding errors of every size."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 6)) * 10.0 ** rng.integers(-3, 2, (n, 1))
    return x, np.tanh(x @ rng.standard_normal((6, 2))), rng.random(n)


def examples(case):
    """The same with labels as y where the case needs them."""
    x, y, weight = data()
    return x, y.argmax(1) if "class_weight" in CASES[case] else y, weight


def network(dtype="float32", **options):
    options = {"hidden": "tanh", "output": "identity", "seed": 0, "dtype": dtype, **options}
    return bpfast.Network([6, 12, 2], **options)


def digest(net):
    """A hash of the parameters and of the history of the last training."""
    found = hashlib.sha256(net.params.tobytes())
    for name in net.history.names:
        if name != "seconds":
            found.update(f"{name} {net.history[name].tolist()}".encode())
    return found.hexdigest()


def train(case, x, y=None, weight=None, *, shard_rows=SHARD_ROWS, epochs=2, **options):
    """A network trained with the options of CASES, and its history."""
    options = {"seed": 1, "epochs": epochs, **CASES[case], **options}
    net = network()
    if "class_weight" in options:
        net = network(output="softmax", cost="log_likelihood")
    history = bpfast.distributed.fit(
        net, x, y, sample_weight=weight, shard_rows=shard_rows, **options
    )
    return net, history


def hashes(cases=CASES, **options):
    """The hash of a training of each case."""
    return {name: digest(train(name, *examples(name), **options)[0]) for name in cases}
