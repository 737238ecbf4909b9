"""The machine's own limit, from the peak of benches/kernels.rs: an FMA loop a core."""

import json
import shutil
import statistics
import subprocess
import sys

from benches.workers import ROOT

Rates = dict[str, dict[str, float]]  # FLOP/s by dtype, then by number of threads

COMMAND = ["cargo", "bench", "--quiet", "--features", "bench", "--bench", "kernels", "--", "peak"]


class Peak:
    """The peak, measured once more whenever `measure` is called; the median counts."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.rounds: list[Rates] = []
        self.missing = "" if wanted else "it was not asked for"
        if wanted and not (ROOT / "benches" / "kernels.rs").exists():
            self.missing = "benches/kernels.rs is not there"
        elif wanted and shutil.which("cargo") is None:
            self.missing = "cargo is not installed"

    def measure(self) -> None:
        """Measure one round, if it can be measured."""
        if self.missing:
            return
        done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode != 0 or not lines:
            sys.stderr.write(done.stderr)
            self.missing = f"`{' '.join(COMMAND)}` failed"
            return
        self.rounds.append(json.loads(lines[-1]))

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
