"""The tables of a report: a head, and rows of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfast.inside._factors import GRADIENT_FACTORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bpfast.inside._facts import Facts
    from bpfast.inside._report.rows import NeuronFactors

# The most neurons in a table, those with the smallest factors.
MAX_NEURONS = 8


def layer_table(
    facts: Facts, medians: Mapping[int, Mapping[str, float]]
) -> tuple[list[str], list[list[str]]]:
    """The medians of each layer."""
    names = [*GRADIENT_FACTORS, "gradient"]
    if facts.step is not None:
        names.append("step")
    head = ["layer", "neurons", "activation"]
    head += ["step / ‖w‖" if name == "step" else name for name in names]
    rows = [
        [str(layer.number), str(len(layer.biases)), layer.activation]
        + [f"{medians[layer.number][name]:.3g}" for name in names]
        for layer in facts.layers
    ]
    return head, rows


def neuron_table(rows: Sequence[NeuronFactors]) -> tuple[list[str], list[list[str]]]:
    """The neurons with the smallest factors."""
    slow = sorted((row for row in rows if row.smallest), key=lambda row: row.relative)
    head = ["layer", "neuron", "why", "factor", "relative", "examples"]
    cells = [
        [str(row.layer), str(row.neuron), row.words, row.smallest, f"{row.relative:.3g}",
         ", ".join(map(str, row.examples[:3]))]
        for row in slow[:MAX_NEURONS]
    ]  # fmt: skip
    return head, cells
