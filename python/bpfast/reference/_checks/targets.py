"""The targets y: numbers, or class labels."""

from collections.abc import Sequence

from bpfast.reference._arrays import Matrix, matrix, plain, refuse_masked, shape_of, show
from bpfast.reference._checks.costs import Cost


def targets(y: object, n: int, width: int, cost: Cost) -> Matrix:
    """y of shape (n, n_L). A class label becomes a row with a 1 at the label."""
    refuse_masked("y", y)
    nested = plain("y", y)
    got = shape_of("y", y, nested)
    takes_labels = cost in ("cross_entropy", "log_likelihood")
    if len(got) != 1:
        if takes_labels and got == (n, 1) != (n, width) and _are_whole([x[0] for x in nested]):
            expected = f"y: expected shape {show((n, width))}, got {show(got)}"
            raise ValueError(f"{expected}; labels have one axis: y.ravel()")
        return matrix("y", y if 0 in got else nested, n, width)
    if width == 1 and len(nested) == n and not (takes_labels and _are_labels(y, nested)):
        return [[float(entry)] for entry in nested]  # the targets of the single output
    if not takes_labels or (width == 1 and not _are_labels(y, nested)):
        raise ValueError(_one_axis_error(nested, n, width))
    if len(nested) != n:
        raise ValueError(f"y: expected shape {show((n,))}, got {show(got)}")
    largest = max(width, 2) - 1
    for x, label in enumerate(nested):
        if not (0 <= label <= largest and label == int(label)):
            shown = repr(label).removesuffix(".0")
            raise ValueError(f"y[{x}]: expected a label from 0 to {largest}, got {shown}")
    if width == 1:
        return [[float(label)] for label in nested]
    return [[float(j == label) for j in range(width)] for label in nested]


def _are_labels(y: object, entries: Sequence[object]) -> bool:
    """Whether these entries of y are integers."""
    if not entries:  # the dtype decides; that of an empty list is floating
        return getattr(getattr(y, "dtype", None), "kind", "f") in "biu"
    return all(isinstance(entry, int) for entry in entries)


def _are_whole(entries: Sequence[float]) -> bool:
    return all(isinstance(entry, int) or entry.is_integer() for entry in entries)


def _one_axis_error(nested: Sequence[float], n: int, width: int) -> str:
    """The error for a one-dimensional y that is not accepted."""
    expected, got = f"y: expected shape {show((n, width))}", f"got {show((len(nested),))}"
    if _are_whole(nested) and width > 1:
        takers = "class labels go with 'cross_entropy' and 'log_likelihood'"
        return f"{expected} ({takers}), {got}"
    return f"{expected}, {got}"
