"""The result of `check_gradients`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tally:
    """The result of one kind of check.

    Attributes
    ----------
    checked, skipped, failed : int
        The number of derivatives that were compared; that were skipped because the cost has a kink
        there; and that were compared and wrong (0 in a returned report).
    error : float
        The largest abs(analytic - numeric) as a multiple of the tolerance: above 1 is wrong.
    worst : str
        Its place: ``weights[0][2, 1]``, ``z of layer 3, neuron 1, example 4``, …
    analytic, numeric : float
        The derivatives there by backpropagation and by finite differences.
    """

    checked: int = 0
    skipped: int = 0
    failed: int = 0
    error: float = -1.0
    worst: str = "none"
    analytic: float = 0.0
    numeric: float = 0.0

    def __str__(self) -> str:
        """The result in one line."""
        return (
            f"{self.checked} checked, {self.failed} wrong, {self.skipped} skipped; worst: "
            f"{self.worst}, analytic {self.analytic:.10g}, numeric {self.numeric:.10g}, "
            f"{max(self.error, 0):.2g} of the tolerance"
        )


@dataclass(frozen=True)
class GradientReport:
    """The result of `check_gradients`: the tolerance, and a `Tally` for each kind of check.

    Attributes
    ----------
    dtype : str
        The dtype of the network.
    rtol : float
        The relative tolerance.
    directions, parameters, weighted_inputs : Tally
        Derivatives of C along random directions, with respect to single parameters, and with
        respect to single weighted inputs z^l_j.
    """

    dtype: str
    rtol: float
    directions: Tally
    parameters: Tally
    weighted_inputs: Tally

    def __str__(self) -> str:
        """The result in four lines."""
        return (
            f"gradients of a {self.dtype} network, tolerance {self.rtol:.0e}\n"
            f"  directions:      {self.directions}\n"
            f"  parameters:      {self.parameters}\n"
            f"  weighted_inputs: {self.weighted_inputs}"
        )
