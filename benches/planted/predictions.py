"""How near the predictions of `Report.check` are to what was measured."""

import math
from collections.abc import Sequence

from bpfast.inside import Check

FACTORS = (1.5, 3.0, 10.0)
# Learning as fast as before, up to this factor.
SAME = 1.5


def distance(predicted: float, measured: float) -> float:
    """The factor between two speeds or ratios, at least 1."""
    if predicted == measured:  # also 0 and 0, and infinity
        return 1.0
    if min(predicted, measured) <= 0 or math.isinf(predicted) or math.isinf(measured):
        return math.inf
    return max(predicted / measured, measured / predicted)


def direction(ratio: float) -> int:
    """1 for faster, -1 for slower, 0 for about as fast or for no learning in both cases."""
    if math.isnan(ratio) or 1 / SAME <= ratio <= SAME:
        return 0
    return 1 if ratio > 1 else -1


def summary(checks: Sequence[Check]) -> str:
    """A table of how many predictions were how near."""
    known = [
        check
        for check in checks
        if not (math.isnan(check.predicted_before) or math.isnan(check.predicted_after))
    ]
    after = [distance(check.predicted_after, check.after) for check in known]
    times = [distance(check.predicted_ratio, check.ratio) for check in known]
    pairs = [(direction(check.predicted_ratio), direction(check.ratio)) for check in known]
    head = ["", *(f"within {factor:g} times" for factor in FACTORS)]
    rows = [head, ["---"] * len(head)]
    for title, found in (("speed with the change", after), ("times as fast", times)):
        rows.append([title, *(str(sum(each <= factor for each in found)) for factor in FACTORS)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    same, opposite = sum(a == b for a, b in pairs), sum(a * b < 0 for a, b in pairs)
    return (
        f"predictions: {len(known)} of {len(checks)} checks have one\n\n{table}\n\n"
        f"the same direction: {same}, the opposite one: {opposite}"
    )
