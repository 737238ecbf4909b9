"""A training loop written down once more, in plain NumPy, around `Network.backprop`."""

import numpy as np

from bpfast import _core

# By the names that `fit` takes, with the numbers of the formulas below.
OPTIMIZERS = {
    "SGD": {"learning_rate": 0.3},
    "momentum": {"learning_rate": 0.1, "momentum": 0.9},
    "Nesterov": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    "Adam": {"learning_rate": 0.01},
    "AdamW": {"learning_rate": 0.01, "weight_decay": 0.1},
    "RMSprop": {"learning_rate": 0.003},
    "Adagrad": {"learning_rate": 0.05},
}


def is_weight(net):
    """Which of the parameters are weights."""
    twin = net.copy()
    twin.params[:] = 0
    for weights in twin.weights:
        weights[:] = 1
    return twin.params != 0


class Rule:
    """The steps of an optimizer, in float64."""

    def __init__(self, kind, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.kind, self.rate, self.momentum = kind, learning_rate, momentum
        self.nesterov, self.decay = nesterov, weight_decay
        self.t, self.m, self.v = 0, 0.0, 0.0

    def step(self, p, g):
        """p after a step."""
        self.t += 1
        if self.kind == "AdamW":
            p = p * (1 - self.rate * self.decay)
        if self.kind in ("SGD", "momentum", "Nesterov"):
            self.v = self.momentum * self.v + g
            change = g + self.momentum * self.v if self.nesterov else self.v
        elif self.kind in ("Adam", "AdamW"):
            self.m, self.v = 0.9 * self.m + 0.1 * g, 0.999 * self.v + 0.001 * g**2
            m, v = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
            change = m / (np.sqrt(v) + 1e-8)
        elif self.kind == "RMSprop":
            self.v = 0.99 * self.v + 0.01 * g**2
            change = g / (np.sqrt(self.v) + 1e-8)
        else:
            self.v = self.v + g**2
            change = g / (np.sqrt(self.v) + 1e-10)
        return p - self.rate * change


def orders(n, epochs, seed, *, shuffle=True):
    """The order of the examples in each epoch."""
    for epoch in range(1, epochs + 1):
        yield _core.permutation(seed, epoch, n) if shuffle else np.arange(n)


def backprop(net, x, y, weights):
    """Σ s_x C_x / n of a mini-batch of n examples, and its gradient."""
    if weights is None:
        g = net.backprop(x, y)
        return g.cost, np.float64(g.flat)
    g = net.backprop(x, y, sample_weight=weights, reduction="sum")
    return g.cost / len(x), np.float64(g.flat) / len(x)


def train(
    net,
    x,
    y,
    rule,
    *,
    epochs,
    batch_size,
    seed,
    shuffle=True,
    l1=0.0,
    l2=0.0,
    clip_norm=None,
    max_norm=None,
    weights=None,
    mean_weight=None,
    gradient=backprop,
):
    """Train `net`: the mean cost of each epoch.

    The weights are divided by `mean_weight`: where nothing is said, by their mean.
    """
    of_weights = is_weight(net)
    if weights is not None:
        weights = weights / (np.mean(weights) if mean_weight is None else mean_weight)
    found = []
    for order in orders(len(x), epochs, seed, shuffle=shuffle):
        cost = 0.0
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            s = None if weights is None else weights[rows]
            c, g = gradient(net, x[rows], y[rows], s)
            cost += c * len(rows)
            norm = np.linalg.norm(g)
            if clip_norm is not None and norm > clip_norm:
                g = g * (clip_norm / norm)
            p = np.float64(net.params)
            g = g + of_weights * (l2 * p + l1 * np.sign(p))
            net.params[:] = rule.step(p, g)
            if max_norm is not None:
                for k, w in enumerate(net.weights):
                    norms = np.linalg.norm(np.float64(w), axis=1, keepdims=True)
                    net.weights[k] = w * np.minimum(1, max_norm / norms)
        found.append(cost / len(x))
    return found
