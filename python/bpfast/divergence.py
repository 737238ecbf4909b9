"""The error of a training whose numbers are no longer finite."""

from __future__ import annotations


class DivergenceError(ArithmeticError):
    """The cost, or a parameter, became NaN or infinite; the network kept its last finite numbers.

    Attributes
    ----------
    epoch, step : int
        The epoch, from 1, and the step in it, from 0, that could not be done.
    """

    epoch: int
    step: int

    def __init__(self, epoch: int, step: int, what: str) -> None:
        super().__init__(
            f"epoch {epoch}, step {step}: {what} is no longer finite; the network keeps the "
            "parameters from before this step. Try a lower learning rate, clip_norm=1.0, inputs "
            "scaled to about 1, or float64; check_finite=False trains on"
        )
        self.epoch, self.step, self._what = epoch, step, what

    def __reduce__(self) -> tuple[type[DivergenceError], tuple[int, int, str]]:
        return type(self), (self.epoch, self.step, self._what)
