"""The machine's own limit, from the peak of benches/kernels/products.rs: an FMA loop a core."""

import statistics

from benches.machine import cargo

Rates = dict[str, dict[str, float]]  # FLOP/s by dtype, then by number of threads


class Peak:
    """The peak at a SIMD level, measured anew by each call of `measure`; the median counts."""

    def __init__(self, level: str, *, wanted: bool = True) -> None:
        self.level = level
        self.rounds: list[Rates] = []
        self.missing = "" if wanted else "it was not asked for"

    def measure(self) -> None:
        """Measure one round, if it can be measured."""
        if self.missing:
            return
        try:
            self.rounds.append(cargo.ask("peak", self.level))
        except cargo.Unmeasured as reason:
            self.missing = str(reason)

    def result(self) -> Rates | None:
        """The median of the rounds."""
        if not self.rounds:
            return None
        return {
            dtype: {k: statistics.median(r[dtype][k] for r in self.rounds) for k in rates}
            for dtype, rates in self.rounds[0].items()
        }

    def spread(self) -> dict[str, dict[str, list[float]]]:
        """The lowest and the highest round."""
        if not self.rounds:
            return {}
        return {
            dtype: {k: [f(r[dtype][k] for r in self.rounds) for f in (min, max)] for k in rates}
            for dtype, rates in self.rounds[0].items()
        }
