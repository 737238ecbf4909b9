"""`Network.evaluate`: cost and metrics of examples, with the definitions of `fit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._training.arguments.weights import refuse_all_zero
from bpfast._training.data.examples import Examples
from bpfast._training.data.sources import refuse_y_with_batches
from bpfast._training.metrics.accuracy import for_targets, refuse_nan
from bpfast._training.metrics.named import parse
from bpfast._validation.names import by_name
from bpfast._validation.network import check_network
from bpfast._validation.numbers import integer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bpfast._network import Network
    from bpfast._training.metrics.named import Metrics
    from bpfast._typing import Metric, MetricName

EVALUATE_SYNONYMS = {"metric": "metrics", "scoring": "metrics", "weights": "sample_weight"}


@by_name(EVALUATE_SYNONYMS)
def evaluate(
    self: Network,
    x: Any,
    y: ArrayLike,
    *,
    metrics: MetricName | Metric | Metrics = (),
    sample_weight: ArrayLike | None = None,
    batch_size: int | None = None,
) -> dict[str, float]:
    """The cost and metrics of examples.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row. Other dtypes are converted to the network's. A memory map is read
        in blocks.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). A callable cost gets
        ``numpy.asarray(y)``, which may have any shape with n entries.
    metrics : str or callable, list of these or dict of str to these, default ()
        What to compute besides the cost: names of `bpfast.METRICS`, functions of `bpfast.metrics`,
        or your own ``metric(a, y) -> float``, called with all outputs. Functions of
        ``sklearn.metrics`` are called with y first, and those that compare classes with classes.
        The key in the result is the key of the dict, or the name of the function. "accuracy" means
        what it means in `fit`: the fraction of examples whose class is right, or "subset_accuracy"
        for multi-label y.
    sample_weight : array_like, (n,), optional
        The weights s_x in the cost, finite and 0 or above. Metrics ignore them.
    batch_size : int, optional
        The number of examples to compute at a time. It changes results only by rounding. Default:
        all, or a block of a memory map. A callable cost is called once for each such part.

    Returns
    -------
    dict of str to float
        "cost", which is Σ s_x C_x / Σ s_x without penalties, then the metrics in the given order.
        The columns ``validation_cost``, ``validation_accuracy``, … of ``fit(validation=...)`` have
        the same definitions.

    Raises
    ------
    ValueError
        Shapes do not match, x has no rows, a name is unknown, the cost or an accuracy does not
        accept y, such as NaN, or all weights are 0.
    TypeError
        An argument has the wrong type, or a metric does not return a number.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.evaluate([[1], [2]], [[1], [3]], metrics=["mean_absolute_error", "r2"])
    {'cost': 2.5, 'mean_absolute_error': 2.0, 'r2': -4.0}
    """
    check_network(self)
    measures = parse(metrics)
    size = None if batch_size is None else integer("batch_size", batch_size, 1)
    refuse_y_with_batches(x)
    examples = Examples(self, x, y, sample_weight, at_a_time=size)
    refuse_all_zero("sample_weight", examples.sample_weight)
    examples.check_targets()
    measures, kind = for_targets(measures, examples.y, self)
    if kind is not None:
        refuse_nan(examples.y)
    return {"cost": examples.cost(), **examples.metrics(measures, "")}
