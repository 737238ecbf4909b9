"""A cause of slow learning that a report names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _none() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Finding:
    """A cause of slow learning, with its evidence.

    Attributes
    ----------
    kind : str
        The name of the cause, one of `bpfast.inside.CAUSES`.
    cause : str
        What is the matter, in a sentence.
    equation : str
        Where it enters: BP1 to BP4, forward, or the step.
    evidence : dict of str to float
        The numbers from which it was concluded, by name.
    suggestion : str
        What to change.
    layer : int or None
        The layer in the book's numbering, 1 for the input; None if it is not of one layer.
    neurons : ndarray of int64
        The neurons of that layer that it concerns, the worst first; features for layer 1. Empty if
        it concerns all.
    examples : ndarray of int64
        The rows of x that show it best, the worst first; empty if all do.
    because : str
        "weights" or "biases" for saturated and dead neurons, else empty.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> x = np.random.default_rng(0).random((50, 4))
    >>> net = bpfast.Network([4, 5, 1], init="zeros")
    >>> finding = bpfast.inside.explain(net, x, x[:, :1]).main
    >>> finding.kind, finding.layer, finding.equation
    ('symmetric_neurons', 2, 'BP2')
    """

    kind: str
    cause: str
    equation: str
    evidence: dict[str, float]
    suggestion: str
    layer: int | None = None
    neurons: NDArray[np.int64] = field(default_factory=_none)
    examples: NDArray[np.int64] = field(default_factory=_none)
    because: str = ""

    @property
    def title(self) -> str:
        """The name of the cause in words: "saturated hidden neurons"."""
        return CAUSES[self.kind]

    def __str__(self) -> str:
        """The finding in a few lines."""
        from textwrap import fill

        where = "" if self.layer is None else f", layer {self.layer}"
        parts = [f"{self.title}{where} ({self.equation}): {self.cause}"]
        if self.evidence:
            numbers = ", ".join(f"{k} {_number(v)}" for k, v in self.evidence.items())
            parts.append(f"evidence: {numbers}")
        if self.neurons.size:
            parts.append(f"{'features' if self.layer == 1 else 'neurons'}: {_listed(self.neurons)}")
        if self.examples.size:
            parts.append(f"examples: {_listed(self.examples)}")
        parts.append(f"try: {self.suggestion}")
        first, *rest = parts
        lines = [fill(first, WIDTH, subsequent_indent=INDENT)]
        hanging = INDENT + "  "
        lines += [
            fill(part, WIDTH, initial_indent=INDENT, subsequent_indent=hanging) for part in rest
        ]
        return "\n".join(lines)


def _number(value: Any) -> str:
    number = float(value)
    if not np.isfinite(number):
        return str(number)
    return f"{number:.0f}" if number == int(number) and abs(number) < 1e6 else f"{number:.3g}"


def _listed(indices: NDArray[np.int64], most: int = 8) -> str:
    text = ", ".join(str(int(k)) for k in indices[:most])
    return text + (f", … ({indices.size} in all)" if indices.size > most else "")


# Of the text.
WIDTH, INDENT = 96, "   "

# The causes in the order in which they are looked for: an earlier one often makes a later one.
CAUSES = {
    "constant_features": "constant features",
    "uneven_features": "features of very different scale",
    "uncentred_features": "features far from zero mean",
    "unscaled_features": "unscaled features",
    "quiet_inputs": "quiet inputs",
    "target_range": "targets outside the range of the outputs",
    "target_scale": "unscaled targets",
    "symmetric_neurons": "identical neurons",
    "dead_neurons": "dead neurons",
    "saturated_hidden": "saturated hidden neurons",
    "large_weights": "initial weights too large",
    "small_weights": "initial weights too small",
    "vanishing_gradient": "vanishing gradient",
    "saturated_output": "saturated output neurons",
    "contradicting_examples": "contradicting examples",
    "class_imbalance": "class imbalance",
    "unrelated_targets": "targets unrelated to the inputs",
    "large_step": "step too large",
    "small_step": "step too small",
}

Finding.__module__ = "bpfast.inside"  # the public module
