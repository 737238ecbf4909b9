"""Mean and variance of the gradient over the examples of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._derivatives.arguments import number_of_examples, with_custom_cost
from bpfast._underflow import underflows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bpfast import _core
    from bpfast._core import Gradient, Trace
    from bpfast._core import _Inputs as Inputs


@dataclass(frozen=True, eq=False)
class GradientStatistics:
    """The gradients ∂C_x of n examples, summed up; `Network.gradient_statistics` returns it.

    Each `Gradient` has a number for each parameter, in the network's dtype: ``flat``, (P,),
    ``weights``, each (n_l, n_(l-1)), and ``biases``, each (n_l,).

    Parameters
    ----------
    n : int
        The number of examples.
    mean : Gradient
        The gradient of the batch, Σ ∂C_x / n. Its `cost` is C.
    variance : Gradient
        The variance of ∂C_x of each parameter, with the divisor n - 1. Its `cost` is NaN.
    standard_deviation : Gradient
        The root of the variance. It is in the range of float32 where the variance is not.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> statistics = net.gradient_statistics([[1], [1], [1]], [[1], [2], [3]])  # ∂C_x = -y, -y
    >>> statistics.mean.flat, statistics.variance.flat
    (array([-2., -2.]), array([1., 1.]))
    >>> statistics.signal_to_noise
    array([2., 2.])
    """

    n: int
    mean: Gradient
    variance: Gradient
    standard_deviation: Gradient

    @property
    def signal_to_noise(self) -> NDArray[Any]:
        """The absolute mean over the standard deviation: its size in units of the noise.

        Returns
        -------
        ndarray, (P,)
            In the network's dtype and in the order of ``net.params``. NaN where both are 0.
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
            ratio: NDArray[Any] = np.abs(self.mean.flat) / self.standard_deviation.flat
        return ratio

    @property
    @underflows
    def noise_scale(self) -> float:
        """Tr Σ / ‖G‖²: the batch size from which on larger batches gain little.

        ‖G‖² is estimated without bias by ‖mean‖² - tr Σ / n.

        Returns
        -------
        float
            inf if the estimate is not positive, which says that n is too small to tell. NaN if a
            gradient is not finite.

        References
        ----------
        McCandlish et al., *An Empirical Model of Large-Batch Training*, 2018.
        """
        mean = self.mean.flat.astype(np.float64)
        deviation = self.standard_deviation.flat.astype(np.float64)
        if not (np.isfinite(mean).all() and np.isfinite(deviation).all()):
            return np.nan
        # The scale cancels, and keeps the squares in range.
        largest = max(np.abs(mean).max(), deviation.max())
        if largest > 0:
            mean, deviation = mean / largest, deviation / largest
        trace = float(deviation @ deviation)
        squared = float(mean @ mean) - trace / self.n
        return trace / squared if squared > 0 else np.inf


GradientStatistics.__module__ = "bpfast"


def gradient_statistics(self: _core.Network, x: Inputs | Trace, y: ArrayLike) -> GradientStatistics:
    """Mean and variance of ∂C_x over the examples, without storing the gradient of each.

    One forward and one backward pass; δ_j a_k of each example is formed in float64 and summed about
    the values of another example, so that a variance keeps its digits beside a large mean.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1), or Trace
        The examples, at least two, one per row, or the trace of them that `trace` returned with the
        present parameters: then no forward pass is computed. No Trace with a callable cost.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.

    Returns
    -------
    GradientStatistics
        `mean`, `variance`, `standard_deviation`, `signal_to_noise` and `noise_scale`.

    Raises
    ------
    ValueError
        Shapes do not match, x has fewer than two rows, or labels are out of range or the cost takes
        none.
    TypeError
        An argument is not of real numbers.

    Notes
    -----
    The sums are computed in float64 and use 16 bytes for each parameter, beside the three results.
    The mean is that of `backprop` up to rounding.

    References
    ----------
    Chan, Golub and LeVeque, *Algorithms for Computing the Sample Variance*, 1983.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> statistics = net.gradient_statistics([[0], [0]], [[1], [3]])
    >>> statistics.mean.biases[0], statistics.variance.biases[0]  # of -1 and -3
    (array([-2.]), array([2.]))
    """
    x, y, _ = with_custom_cost(self, x, y, None)
    mean, variance, deviation = self._gradient_statistics(x, y)
    return GradientStatistics(number_of_examples(x), mean, variance, deviation)
