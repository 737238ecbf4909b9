"""Backpropagation in pure Python: the oracle that the fast path is tested against.

It is written to be read beside chapter 2 of M. Nielsen, *Neural Networks and Deep Learning*
(http://neuralnetworksanddeeplearning.com): one function per equation, a loop per neuron, the
standard library alone. The functions have the names and signatures of those in :mod:`bpfast`, and
these parameters in common (layers are numbered 1, the input, to L; layer l has n_l neurons; a
batch has n examples, one a row):

- ``weights``: W^2 … W^L, so ``weights[0]`` is W^2; W^l has shape (n_l, n_{l-1}).
- ``biases``: b^2 … b^L; b^l has shape (n_l,).
- ``x``: (n, n_1), n ≥ 1. ``y``: (n, n_L), or n class labels (ints) for the costs cross_entropy and
  log_likelihood: 0 … n_L - 1, or 0 and 1 where n_L = 1.
- ``hidden``: a name from ``ACTIVATIONS`` other than softmax, or a list of them, one per hidden
  layer. ``output``: a name from ``ACTIVATIONS``.
- ``cost``: a name from ``COSTS``, or a callable ``cost(a, y)`` that is given a^L and y, each as
  n lists of n_L floats, and returns C_x, shape (n,), and ∇_a C_x, shape (n, n_L). One written
  for NumPy arrays serves here too if it begins with ``a, y = np.asarray(a), np.asarray(y)``.
- ``sample_weight``: s, shape (n,), finite and not negative. ``reduction``: "mean" makes
  C = Σ_x s_x C_x / Σ_x s_x (all s_x = 1 if not given), "sum" makes C = Σ_x s_x C_x.
  :func:`cost` takes "none" too: s_x C_x of each example.

Arrays are nested sequences of real numbers, or anything with a ``tolist()`` that gives them, such
as NumPy's. Results are nested lists of floats. A wrong shape, length, name or number raises
ValueError, a wrong type or dtype TypeError, each naming the argument; what a cost callable raises
comes through. NaN and infinity flow through. ``docs/mathematics.md`` derives every formula here.
"""

from bpfast.reference._checks import ACTIVATIONS, COSTS
from bpfast.reference._functions import (
    Trace,
    backprop,
    bp1,
    bp2,
    bp3,
    bp4,
    cost,
    errors,
    forward,
    trace,
)

__all__ = [
    "ACTIVATIONS",
    "COSTS",
    "Trace",
    "backprop",
    "bp1",
    "bp2",
    "bp3",
    "bp4",
    "cost",
    "errors",
    "forward",
    "trace",
]
