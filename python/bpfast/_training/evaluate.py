"""`Network.evaluate`: cost and metrics of examples, as `fit` measures them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._calls import check_network
from bpfast._training.accuracy import for_targets
from bpfast._training.data.examples import Examples
from bpfast._training.data.sources import refuse_y_beside_batches
from bpfast._training.metrics import parse
from bpfast._training.weights import refuse_all_zero
from bpfast._validation.names import by_name
from bpfast._validation.numbers import whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bpfast._network import Network
    from bpfast._training.metrics import Metrics
    from bpfast._typing import Metric, MetricName

ARGUMENT_SYNONYMS = {"metric": "metrics", "scoring": "metrics", "weights": "sample_weight"}


@by_name(ARGUMENT_SYNONYMS)
def evaluate(
    self: Network,
    x: Any,
    y: ArrayLike,
    *,
    metrics: MetricName | Metric | Metrics = (),
    sample_weight: ArrayLike | None = None,
    batch_size: int | None = None,
) -> dict[str, float]:
    """The cost of some examples, and metrics of the answers to them.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1)
        The examples. A memory map stays in its file.
    y : array_like, (n, n_L) or (n,)
        The outputs wanted, or class labels, as for `cost`.
    metrics : str or callable, list of these or dict of str to these, default ()
        What to measure beside the cost: names of `bpfast.METRICS`, functions of `bpfast.metrics`,
        or ``metric(a, y) -> float``, which is given all outputs. The key in the answer is that of
        the dict, or the name of the function. What "accuracy" means depends on y, as for `fit`: the
        share of examples whose class is right, or "subset_accuracy" where y is multi-label.
    sample_weight : array_like, (n,), optional
        s_x: how much each example counts in the cost. Metrics do not take weights.
    batch_size : int, optional
        How many examples to compute at a time; it changes results by rounding at most. Left out:
        all of them, or, where they are in files, as many as are read at a time. A cost that is a
        callable is given so many examples.

    Returns
    -------
    dict of str to float
        "cost", Σ s_x C_x / Σ s_x without penalties, then the metrics in their order: what the
        columns ``validation_cost``, ``validation_accuracy``, … of ``fit(validation=...)`` hold.

    Raises
    ------
    ValueError
        Shapes that do not fit, no rows, unknown names, a y that the cost or an accuracy is not for,
        weights that are all 0.
    TypeError
        An argument of another type, or a metric that gave no number.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.evaluate([[1], [2]], [[1], [3]], metrics=["mean_absolute_error", "r2"])
    {'cost': 2.5, 'mean_absolute_error': 2.0, 'r2': -4.0}
    """
    check_network(self)
    measures = parse(metrics)
    size = None if batch_size is None else whole("batch_size", batch_size, 1)
    refuse_y_beside_batches(x)
    examples = Examples(self, x, y, sample_weight, at_a_time=size)
    refuse_all_zero("sample_weight", examples.sample_weight)
    examples.check_targets()
    measures, _ = for_targets(measures, examples.y, self)
    return {"cost": examples.cost(), **examples.metrics(measures, "")}
