"""What tests of derivatives share: vectors in parameter space, arguments of the reference."""

import numpy as np

import bpfast


def flat(weights, biases):
    """The vector of these weights and biases, in the order of `params`."""
    layers = zip(weights, biases, strict=True)
    return np.concatenate([np.r_[np.asarray(w).T.ravel(), np.asarray(b)] for w, b in layers])


def vector(net, rng):
    """A random vector in parameter space, as a Gradient."""
    v = bpfast.Gradient(net)
    v.flat[:] = rng.standard_normal(v.flat.size)
    return v


def activations(net):
    """The keywords of the reference for the activations of a network."""
    return {name: net.config[name] for name in ("hidden", "output")}


def kinds(net):
    """The same with its cost."""
    return activations(net) | {"cost": net.config["cost"]}


def matrix_of(product, size):
    """The matrix of a linear function of vectors: a column for each unit vector."""
    return np.stack([product(unit).flat for unit in np.eye(size)], axis=1)
