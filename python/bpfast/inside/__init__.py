"""See inside a network: the demon, why a neuron learns slowly, and quantities over training.

Layers have the book's numbers, 2 to L, where layer 1 is the input; neurons are counted from 0.

- `demon` compares the change of the cost with δ Δz.
- `explain` names the causes of slow learning, and `Report.check` tests them.
- `Monitor` is a callback of `fit` that records saturation and learning speed.
"""

from bpfast.inside._demon import Demon, demon
from bpfast.inside._explain import explain
from bpfast.inside._finding import CAUSES, Finding
from bpfast.inside._monitor.monitor import Monitor
from bpfast.inside._report import Check, NeuronFactors, Report

__all__ = [
    "CAUSES",
    "Check",
    "Demon",
    "Finding",
    "Monitor",
    "NeuronFactors",
    "Report",
    "demon",
    "explain",
]
