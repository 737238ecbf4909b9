"""Backpropagation in pure Python, which the tests of bpfast compare against.

Read it together with chapter 2 of M. Nielsen, *Neural Networks and Deep Learning*
(http://neuralnetworksanddeeplearning.com): one function per equation, a loop per neuron, only the
standard library. The functions have the names and signatures of those in :mod:`bpfast`;
:func:`taylor` and :func:`backprop_taylor` are methods of :class:`bpfast.Network`. They share
these parameters (layers are numbered 1, the input, to L; layer l has n_l neurons; a batch has n
examples, one per row):

- ``weights``: W^2 … W^L, so ``weights[0]`` is W^2; W^l has shape (n_l, n_{l-1}).
- ``biases``: b^2 … b^L; b^l has shape (n_l,), or is None if the layer has no biases. None in place
  of the list: no layer has any. Gradients have None at the same places.
- ``x``: (n, n_1), n ≥ 1. ``y``: (n, n_L), or n class labels (ints) for the costs cross_entropy and
  log_likelihood: 0 … n_L - 1, or 0 and 1 if n_L = 1.
- ``hidden``: a name from ``ACTIVATIONS`` other than softmax, or a list of them, one per hidden
  layer. ``output``: a name from ``ACTIVATIONS``. leaky_relu and elu may have a parameter:
  ``"leaky_relu(0.2)"``, ``"elu(0.5)"``.
- ``cost``: a name from ``COSTS``, or a callable ``cost(a, y)``. It is called with a^L and y, each
  n lists of n_L floats, and returns C_x, shape (n,), and ∇_a C_x, shape (n, n_L). A cost written
  for NumPy arrays works if it begins with ``a, y = np.asarray(a), np.asarray(y)``.
- ``v_weights``, ``v_biases``: a vector v in parameter space, in the shapes of ``weights`` and
  ``biases``. Products with matrices of second derivatives return such a pair.
- ``sample_weight``: s, shape (n,), finite; with "mean" 0 or above. ``reduction``: "mean" is
  C = Σ_x s_x C_x / Σ_x s_x (all s_x = 1 if not given), "sum" is C = Σ_x s_x C_x.
  :func:`cost` also accepts "none": s_x C_x of each example; for :func:`errors` that is "sum".

Arrays are nested sequences of real numbers, or objects whose ``tolist()`` returns them, such as
NumPy arrays. Results are nested lists of floats. A wrong shape, length, name or number raises
ValueError, a wrong type or dtype TypeError; each message names the argument. Exceptions of a
callable cost propagate, and so do NaN and infinity in the input. ``docs/mathematics.md`` derives
every formula.
"""

from bpfast.reference._backward_pass import backprop, cost, errors
from bpfast.reference._checks import ACTIVATIONS, COSTS
from bpfast.reference._derivatives.by_inputs import input_gradient, jacobian
from bpfast.reference._derivatives.clipped import clipped_backprop
from bpfast.reference._derivatives.curvature import empirical_fisher_vp, ggn_vp, hvp
from bpfast.reference._derivatives.directions import jvp, vjp
from bpfast.reference._derivatives.forward_from import forward_from
from bpfast.reference._derivatives.per_example import per_example_gradients, per_example_norms
from bpfast.reference._derivatives.statistics import gradient_statistics
from bpfast.reference._derivatives.taylor import backprop_taylor, taylor
from bpfast.reference._derivatives.taylor_arguments import Taylor
from bpfast.reference._equations import bp1, bp2, bp3, bp4
from bpfast.reference._forward_pass import Trace, forward, trace

__all__ = [
    "ACTIVATIONS",
    "COSTS",
    "Taylor",
    "Trace",
    "backprop",
    "backprop_taylor",
    "bp1",
    "bp2",
    "bp3",
    "bp4",
    "clipped_backprop",
    "cost",
    "empirical_fisher_vp",
    "errors",
    "forward",
    "forward_from",
    "ggn_vp",
    "gradient_statistics",
    "hvp",
    "input_gradient",
    "jacobian",
    "jvp",
    "per_example_gradients",
    "per_example_norms",
    "taylor",
    "trace",
    "vjp",
]

for _name in __all__:
    if callable(_public := globals()[_name]):
        _public.__module__ = __name__
