"""The warnings of a monitor: of a cause of slow learning, or of a record that cannot be made."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from bpfast._validation.caller import stack_level
from bpfast.inside._explain import explain
from bpfast.inside._monitor.sample import MAX_EXPLAINED

if TYPE_CHECKING:
    from bpfast._network import Network
    from bpfast.inside._monitor.probe import Probe
    from bpfast.inside._monitor.sample import Sample

# The causes are looked for while more than this part of what there is to learn is left.
COST_LEFT = 0.5


class Watch:
    """Warns once, in one line.

    Attributes
    ----------
    warned : str
        The kind of the cause that was warned of, "failure", or "".
    """

    def __init__(self, *, is_on: bool) -> None:
        self._is_on = is_on
        self._next = 1
        self.warned = ""

    def begin(self) -> None:
        """Start again at the first epoch of a training."""
        self._next = 1

    def is_due(self, epoch: int) -> bool:
        """Whether to look for causes after this epoch: 1, 2, 4, 8, … until there was a warning."""
        if not self._is_on or self.warned or epoch < self._next:
            return False
        self._next = 2 * epoch
        return True

    def look_for_causes(self, net: Network, probe: Probe, sample: Sample) -> None:
        """Warn of the main cause that `explain` names, if the cost is still high."""
        if probe.scale.left(probe.cost(net)) <= COST_LEFT:
            return
        x, y, weight = sample.first(MAX_EXPLAINED)
        report = explain(net, x, y, sample_weight=weight)
        if report.main is None:
            return
        where = "" if report.main.layer is None else f" in layer {report.main.layer}"
        self._warn(
            report.main.kind,
            f"{report.main.title}{where} ({report.main.equation}); "
            "print(bpfast.inside.explain(net, x, y)) says why, and what to try",
        )

    def tell_failure(self, error: Exception) -> None:
        """Warn of a record that cannot be made."""
        if self._is_on and not self.warned:
            self._warn("failure", f"a record could not be made: {error}")

    def _warn(self, kind: str, message: str) -> None:
        self.warned = kind
        warnings.warn(f"Monitor: {message}", UserWarning, stacklevel=stack_level())
