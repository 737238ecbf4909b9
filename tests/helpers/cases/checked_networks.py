"""Networks whose gradients are checked, and some that are wrong on purpose."""

import numpy as np

import bpfast

# What each check alone is called with.
ONLY = {
    "directions": {"parameters": 0, "weighted_inputs": 0},
    "parameters": {"directions": 0, "weighted_inputs": 0},
    "weighted_inputs": {"directions": 0, "parameters": 0},
}


def problem(sizes=(3, 5, 4), n=6, **options):
    """A network and a batch for it, always the same."""
    rng = np.random.default_rng(7)
    net = bpfast.Network(list(sizes), seed=rng, **options)
    return net, rng.normal(size=(n, sizes[0])), rng.random((n, sizes[-1]))


class Broken:
    """A network whose backprop and errors are spoiled on purpose, and all else is right."""

    def __init__(self, net, gradient=lambda g: None, errors=lambda d: None):
        self.net, self.spoil_gradient, self.spoil_errors = net, gradient, errors

    def __getattr__(self, name):
        return getattr(self.net, name)

    def backprop(self, *args, **kwargs):
        gradient = self.net.backprop(*args, **kwargs)
        self.spoil_gradient(gradient)
        return gradient

    def errors(self, *args, **kwargs):
        errors = self.net.errors(*args, **kwargs)
        self.spoil_errors(errors)
        return errors


def scale(array, factor, place=...):
    array[place] *= factor
