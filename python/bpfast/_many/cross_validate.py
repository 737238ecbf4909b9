"""`cross_validate`: train a network on the rest of each fold."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bpfast import _core
from bpfast._by_identity import by_identity
from bpfast._many.arguments import listed_rows, parse_rows
from bpfast._many.ensemble.ranking import final_value
from bpfast._many.fit_many import fit_many
from bpfast._training.arguments.settings import FUNCTION_SYNONYMS
from bpfast._training.data.held_out import HELD_OUT_EPOCH
from bpfast._training.metrics.named import parse as parse_metrics
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.arrays.inputs import checked_x, count, rows_of
from bpfast._validation.arrays.labels_or_columns import as_targets
from bpfast._validation.names import refuse_arguments
from bpfast._validation.network import check_network
from bpfast._validation.numbers import integer, is_number
from bpfast._validation.seed import parse_seed
from bpfast._validation.target_shape import rows_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from bpfast._many.ensemble.ensemble import Ensemble
    from bpfast._network import Network

# Arguments of `fit_many` that the folds determine, and those that are left.
_BY_FOLDS = ("nets", "rows", "validation", "validation_rows")
# Those of successive halving: scores of folds that end early are not comparable.
_OF_HALVING = ("keep", "every")
_ARGUMENTS = (
    "net", "x", "y", "folds",
    *(name for name in signature(fit_many).parameters
      if name not in (*_BY_FOLDS, *_OF_HALVING, "x", "y")),
)  # fmt: skip
_SYNONYMS = FUNCTION_SYNONYMS | {
    "cv": "folds", "nfolds": "folds", "nsplits": "folds", "k": "folds", "kfold": "folds",
    "groups": "folds=[rows, ...]", "scoring": "metrics",
}  # fmt: skip


@by_identity
class CrossValidation(NamedTuple):
    """What `cross_validate` returns.

    Parameters
    ----------
    ensemble : Ensemble
        The trained networks, one for each fold, with their histories.
    rows : list of ndarray of int
        The rows of x that each network has not seen.
    outputs : ndarray, (n, n_L)
        The output for each example by the network that has not seen it, the last one if there are
        several; NaN for an example in no fold. A network that diverged has its last finite
        parameters.
    scores : dict of str to ndarray of float64, (folds,)
        Each validation column at the epoch whose parameters the network has, the best one after
        early stopping, else the last whole one: "validation_cost" and the metrics. NaN for a fold
        whose network diverged in its first epoch.
    """

    ensemble: Ensemble
    rows: list[NDArray[np.int64]]
    outputs: NDArray[Any]
    scores: dict[str, NDArray[np.float64]]

    def __repr__(self) -> str:
        means = ", ".join(f"{name} {np.mean(each):.4g}" for name, each in self.scores.items())
        return f"CrossValidation({len(self.rows)} folds: {means})"


def cross_validate(
    net: Network,
    x: Any,
    y: ArrayLike,
    folds: int | Sequence[ArrayLike] = 5,
    *,
    seed: Any = None,
    **options: Any,
) -> CrossValidation:
    """Train copies of a network, each on all examples but those of one fold.

    Each copy starts from the parameters of `net`, which is not changed. All train at once, as by
    `fit_many`.

    Parameters
    ----------
    net : Network
        The network.
    x : array_like or SciPy sparse, (n, n_1)
        The examples.
    y : array_like, (n, n_L) or (n,)
        The targets.
    folds : int or list of int arrays, default 5
        The number of folds, drawn at random from the seed: with class labels, each fold has the
        classes in equal shares. Or the rows of each fold, or n of True and False for each.
    seed : None, int, Generator, BitGenerator or SeedSequence
        Determines the folds and the trainings. An integer s, or one that is drawn: the network of
        fold k trains with the seed s + k.
    **options
        Further arguments of `fit_many`, without `rows` and `validation`.

    Returns
    -------
    CrossValidation
        ``ensemble``, ``rows``, ``outputs`` and ``scores``.

    Raises
    ------
    ValueError
        There are fewer than two folds, more folds than examples, a fold has no rows, all rows or
        rows that x does not have, or an argument is out of range.
    TypeError
        An argument has the wrong type.

    Warns
    -----
    UserWarning
        The network of a fold diverged: the message names it.

    References
    ----------
    Stone, *Cross-Validatory Choice and Assessment of Statistical Predictions*, 1974.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> x = np.random.default_rng(0).standard_normal((200, 2))
    >>> y = (x[:, 0] > x[:, 1]).astype(int)
    >>> net = bpfast.Network([2, 4, 2], output="softmax", cost="log_likelihood", seed=0)
    >>> options = {"epochs": 40, "learning_rate": 0.05, "metrics": "accuracy"}
    >>> found = bpfast.cross_validate(net, x, y, 4, seed=0, **options)
    >>> bool(found.scores["validation_accuracy"].min() > 0.9)
    True
    """
    check_network(net, "net")
    for name in _BY_FOLDS:
        if name in options:
            kind = type(options[name]).__name__
            raise TypeError(f"{name}: expected none, as the folds determine it, got {kind}")
    for name in _OF_HALVING:
        if options.get(name) is not None:
            kind = type(options[name]).__name__
            raise TypeError(f"{name}: expected none, as all folds train to the end, got {kind}")
    refuse_arguments("cross_validate", _ARGUMENTS, 4, 4, options, _SYNONYMS)
    number = parse_seed(seed)
    targets, given = as_array("y", y), checked_x(x)
    n = count(given, net.sizes[0])
    if len(targets.shape) not in (1, 2) or targets.shape[0] != n:
        got = tuple(int(length) for length in targets.shape)
        raise rows_error(n, got)
    labels = as_targets(net, targets)  # labels may be floats
    rows = _folds(folds, labels if labels.ndim == 1 else targets, n, number)
    nets = [net.copy() for _ in rows]
    metrics = parse_metrics(options.pop("metrics", ()))
    ensemble = fit_many(nets, x, y, validation_rows=rows, seed=number, metrics=metrics, **options)
    outputs = np.full((n, net.sizes[-1]), np.nan, net.dtype)
    for trained, held in zip(nets, rows, strict=True):
        outputs[held] = trained.forward(rows_of(given, held))
    histories: list[Any] = ensemble.histories
    names = [f"validation_{name}" for name in ("cost", *metrics)]
    scores = {name: np.array([final_value(each, name) for each in histories]) for name in names}
    return CrossValidation(ensemble, rows, outputs, scores)


def _folds(folds: Any, y: NDArray[Any], n: int, seed: int) -> list[NDArray[np.int64]]:
    """The rows of each fold."""
    if not is_number(folds):
        return _given_folds(folds, n)
    number = integer("folds", folds, 2)
    if number > n:
        raise ValueError(f"folds: expected at most {n}, as many as examples, got {number}")
    order = _core.permutation(seed, HELD_OUT_EPOCH, n).astype(np.int64)
    if y.ndim == 1 and y.dtype.kind in "biu":
        # The classes one after the other, each in random order: dealing keeps their shares equal.
        order = order[np.argsort(y[order], kind="stable")]
    return [np.sort(order[k::number]) for k in range(number)]


def _given_folds(folds: Any, n: int) -> list[NDArray[np.int64]]:
    if hasattr(folds, "split") and hasattr(folds, "get_n_splits"):
        got = "a splitter: [test for _, test in folds.split(x, y)] are the rows of its folds"
        raise TypeError(f"folds: expected a number, or the rows of each fold, got {got}")
    entries = listed_rows("folds", folds, "a number, or the rows of each fold")
    for k, entry in enumerate(entries):
        if isinstance(entry, tuple) and len(entry) == 2 and any(map(np.ndim, entry)):
            got = "a pair, as of a splitter: [test for _, test in splits] are the rows of its folds"
            raise TypeError(f"folds[{k}]: expected the rows of a fold, got {got}")
    found = [parse_rows(f"folds[{k}]", rows, n) for k, rows in enumerate(entries)]
    if len(found) < 2:
        raise ValueError(f"folds: expected two folds or more, got {len(found)}")
    for k, rows in enumerate(found):
        if len(np.unique(rows)) == n:
            raise ValueError(f"folds[{k}]: expected rows that leave others to train with, got all")
    return [rows.astype(np.int64) for rows in found]


CrossValidation.__module__ = cross_validate.__module__ = "bpfast"  # the public module
