"""The weights s_x of the examples."""

import math

from bpfast.reference._arrays import Vector, array
from bpfast.reference._checks.names import REDUCTIONS, name


def shares(n: int, sample_weight: object, reduction: object) -> tuple[Vector, float]:
    """s_x of each example, and the divisor of Σ s_x C_x: Σ s_x for the mean, 1 for the sum."""
    if isinstance(reduction, str) and reduction == "none":
        got = "'none', which cost and errors alone take"
        raise ValueError(f"reduction: expected 'mean' or 'sum', got {got}")
    name("reduction", reduction, REDUCTIONS)
    weights: Vector = [1.0] * n
    if sample_weight is not None:
        weights = array("sample_weight", sample_weight, (n,))
    expected = "a finite weight" + ", 0 or above" * (reduction == "mean")
    for x, weight in enumerate(weights):
        if not math.isfinite(weight) or (weight < 0.0 and reduction == "mean"):
            hint = "; reduction='sum' takes any sign" * math.isfinite(weight)
            raise ValueError(f"sample_weight[{x}]: expected {expected}, got {weight}{hint}")
    try:
        total = math.fsum(weights)
    except OverflowError:
        raise ValueError("sample_weight: expected a finite sum, got inf") from None
    if reduction == "mean" and total == 0.0:
        raise ValueError(
            "sample_weight: expected a weight above 0 for at least one example, got all zero"
        )
    return weights, total if reduction == "mean" else 1.0
