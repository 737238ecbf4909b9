"""A classification of four features that a small network can learn, for `bpfast.inside.explain`."""

import numpy as np

import bpfast

RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 4))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


def classifier(**options):
    """A network for X and LABELS, without a fault."""
    arguments = {"output": "softmax", "cost": "log_likelihood", "hidden": "tanh", "init": "xavier"}
    return bpfast.Network([4, 12, 2], seed=0, **(arguments | options))


def kinds(report):
    """The causes that a report names."""
    return [finding.kind for finding in report.findings]
