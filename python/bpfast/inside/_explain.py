"""`explain`: why a network learns slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpfast._validation.names import by_name
from bpfast.inside._batch import batch_of
from bpfast.inside._causes import findings_of
from bpfast.inside._facts import Facts
from bpfast.inside._report import Report
from bpfast.inside._steps import optimizer_for

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bpfast._core import _Inputs as Inputs
    from bpfast._network import Network
    from bpfast._typing import OptimizerName
    from bpfast.optimizers import Optimizer
    from bpfast.optimizers._optimizer import Rate


@by_name({"lr": "learning_rate", "weights": "sample_weight"}, is_method=False)
def explain(
    net: Network,
    x: Inputs,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    optimizer: OptimizerName | Optimizer | None = None,
    learning_rate: Rate | None = None,
) -> Report:
    r"""Explain why a network learns slowly: the factors of each neuron's gradient, and causes.

    For neuron j of layer l, with :math:`e = \sum_k w^{l+1}_{kj} \delta^{l+1}_k` (in the last layer
    :math:`\partial C / \partial a^L_j`), :math:`\delta = e\, \sigma'(z^l_j)`, and RMS and means
    over the examples:

    .. math::

        \mathrm{RMS}_k\, \frac{\partial C}{\partial w^l_{jk}} = \underbrace{\mathrm{RMS}(e)
        \vphantom{\frac11}}_{\text{arrives}} \cdot
        \underbrace{\frac{\mathrm{RMS}(\delta)}{\mathrm{RMS}(e)}}_{\text{gate}} \cdot
        \underbrace{\frac{\mathrm{RMS}(\delta \|a\|)}
        {\mathrm{RMS}(\delta)\sqrt{n_{l-1}}}}_{\text{inputs}} \cdot
        \underbrace{\frac{\|\mathrm{mean}(\delta a)\|}
        {\mathrm{RMS}(\delta \|a\|)}}_{\text{cancellation}}

    A small factor makes a small gradient: little error from above (BP1, BP2), a saturated neuron
    (BP1, BP2), quiet inputs (BP4), or examples that cancel (BP3, BP4). With an optimizer, the step
    is compared with the weights, with the step that would lower the cost most, and with the largest
    stable learning rate.

    Parameters
    ----------
    net : Network
        The network. It is not changed; the computation uses a float64 copy.
    x : array_like or SciPy sparse, (n, n_1)
        The examples: a few hundred to a few thousand are enough. Sparse x is converted to a dense
        array.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,).
    sample_weight : array_like, (n,), optional
        The weights s_x, finite and 0 or above. Default: 1 for each example.
    optimizer : str or Optimizer, optional
        The optimizer whose next step is examined: a name, or an object with its state, which is not
        changed. Default: the optimizer of the network's last training. If there was no training:
        Adam if `learning_rate` is given; otherwise the report has no information about steps.
    learning_rate : float or schedule, optional
        The learning rate of an optimizer given by name or omitted.

    Returns
    -------
    Report
        ``print(report)`` shows it. ``report.findings`` are the causes, the main one first; none if
        the network is healthy or has learned the examples. ``report.check()`` tests the main one.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, numbers are not finite, labels are out of range, or
        weights are negative or all zero.
    TypeError
        `net` is not a network, or an argument has the wrong type.

    Notes
    -----
    The time is that of 15 to 50 gradients for networks on images of 784 pixels, about a second at
    most for 500 of them, and that of 30 to 400 gradients for small networks, a few to 70 ms. Equal
    arguments give equal reports, as random directions and shuffles have fixed seeds.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 2 (what BP1 to BP4 say), 3 (saturation and
    cost) and 5 (vanishing gradients).

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 4))
    >>> y = (x[:, 0] * x[:, 1] > 0).astype(int)
    >>> net = bpfast.Network([4, 8, 1], cost="cross_entropy", seed=0)
    >>> net.biases[0][:] = 12  # σ(12) is close to 1 for every example
    >>> report = bpfast.inside.explain(net, x, y)
    >>> report.main.kind, report.main.because, report.main.layer
    ('saturated_hidden', 'biases', 2)
    >>> [finding.kind for finding in bpfast.inside.explain(net, 100 * x, y).findings]
    ['unscaled_features', 'saturated_hidden']
    """
    batch = batch_of(net, x, y, sample_weight)
    made, largest_rate = optimizer_for(net, optimizer, learning_rate)
    with np.errstate(all="ignore"):  # exploding networks overflow, and are explained nevertheless
        facts = Facts.of(net.copy(), batch, made, largest_rate)
        return Report(facts, findings_of(facts))


explain.__module__ = "bpfast.inside"  # the public module
