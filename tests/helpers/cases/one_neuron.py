"""The reference on one neuron, and the pairs of an output and a cost."""

from bpfast import reference

OUTPUTS = {
    "cross_entropy": ["sigmoid", "softmax"],
    "log_likelihood": ["softmax"],
    "poisson": ["sigmoid", "softplus", "softmax"],
}


PAIRS = [
    (output, cost)
    for cost in reference.COSTS
    for output in OUTPUTS.get(cost, list(reference.ACTIVATIONS))
]


ELEMENTWISE = [name for name in reference.ACTIVATIONS if name != "softmax"]


FUSED = [pair for pair in PAIRS if pair[1] in OUTPUTS]


def sigma(name, z):
    """σ(z) of one neuron."""
    [[a]] = reference.forward([[[1]]], [[0]], [[z]], output=name)
    return a


def prime(name, z):
    """σ'(z) of one neuron."""
    [[delta]] = reference.bp2([[1]], [[1]], [[z]], activation=name)
    return delta


def cost_of(z, y, **kinds):
    """C of an output layer that has the given z."""
    width = len(z[0])
    identity = [[float(j == k) for k in range(width)] for j in range(width)]
    return reference.cost([identity], [[0] * width], z, y, **kinds)
