"""One training for all kinds of cluster, which gives the same bits on each."""

import hashlib

import numpy as np

import bpfast

SHARD_ROWS = 64
# Few steps, because each is a round of messages.
METHODS = {
    "steps": {"batch_size": 250, "optimizer": "adam", "learning_rate": 0.01, "l2": 1e-3},
    "full": {"optimizer": "rmsprop", "learning_rate": 0.01, "clip_norm": 0.1, "max_norm": 1.0},
    "lbfgs": {"l2": 1e-3},
    "local": {"batch_size": 8, "average_every": 4, "learning_rate": 0.01},
}


def data(n=500):
    """Examples and weights. Their sums have rounding errors of every size."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 6)) * 10.0 ** rng.integers(-3, 2, (n, 1))
    return x, np.tanh(x @ rng.standard_normal((6, 2))), rng.random(n)


def network(dtype="float32"):
    return bpfast.Network([6, 12, 2], hidden="tanh", output="identity", seed=0, dtype=dtype)


def digest(net):
    return hashlib.sha256(net.params.tobytes()).hexdigest()


def train(method, x, y=None, weight=None, *, shard_rows=SHARD_ROWS, epochs=2, **options):
    """A network trained with the options of METHODS, and its history."""
    net = network()
    options = {"seed": 1, "epochs": epochs, **METHODS[method], **options}
    history = bpfast.distributed.fit(
        net, x, y, sample_weight=weight, shard_rows=shard_rows, method=method, **options
    )
    return net, history


def hashes(methods=METHODS, **options):
    """The hash of the parameters after a training with each method."""
    x, y, weight = data()
    return {name: digest(train(name, x, y, weight, **options)[0]) for name in methods}
