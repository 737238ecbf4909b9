"""`fit_many`: train several networks at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast import _core
from bpfast._many.arguments import (
    for_each,
    parse_networks,
    rows_for_each,
    weights_for_each,
)
from bpfast._many.ensemble.ensemble import Ensemble
from bpfast._many.ensemble.ranking import warn_of_comparison
from bpfast._many.training.new_member import new_members
from bpfast._many.training.options import (
    callbacks_for_each,
    copies_for_each,
    parse_options,
    seeds_for_each,
)
from bpfast._many.training.rounds import parse_halving, train
from bpfast._training.arguments.settings import FUNCTION_SYNONYMS
from bpfast._training.locks import RUNNING, lock
from bpfast._training.metrics.named import parse as parse_metrics
from bpfast._validation.arrays.array_likes import as_array
from bpfast._validation.names import by_name
from bpfast._validation.numbers import flag

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from numpy.typing import ArrayLike

    from bpfast._many.training.member import Member
    from bpfast._many.training.rounds import Halving
    from bpfast._network import Network
    from bpfast._training.metrics.named import Metrics
    from bpfast._typing import Metric, MetricName


@by_name(FUNCTION_SYNONYMS, is_method=False)
def fit_many(
    nets: Iterable[Network],
    x: Any,
    y: ArrayLike,
    *,
    epochs: int | list[int] = 10,
    batch_size: Any = None,
    optimizer: Any = "adam",
    learning_rate: Any = None,
    shuffle: bool = True,
    validation: Any = None,
    validation_rows: Any = None,
    metrics: MetricName | Metric | Metrics = (),
    l1: float | list[float] = 0.0,
    l2: float | list[float] = 0.0,
    dropout: Any = 0.0,
    max_norm: Any = None,
    clip_norm: Any = None,
    class_weight: Any = None,
    sample_weight: Any = None,
    rows: Any = None,
    early_stopping: Any = None,
    callbacks: Any = (),
    keep: float | None = None,
    every: int | None = None,
    progress: bool = False,
    seed: Any = None,
    sparse: bool | None = None,
    check_finite: bool = True,
) -> Ensemble:
    r"""Train several networks at once, each on one thread.

    Sizes, activations, costs and dtypes may differ. Each network gets the parameters, and its
    history the costs, that ``net.fit`` alone gives, bit by bit. x is held once for all.

    An argument marked *each* below takes one value for all networks, or a list with one for each. A
    tuple, a range and a one-dimensional array are lists too, except for `dropout`, `validation` and
    `callbacks`, where they are one value.

    Parameters
    ----------
    nets : list of Network
        The networks, each once.
    x : array_like or SciPy sparse, (n, n_1)
        The examples, the same for all networks.
    y : array_like, (n, n_L) or (n,)
        The targets, the same for all networks.
    epochs : int, each, default 10
        The number of passes over the examples.
    batch_size : int, each, optional
        The number of examples per step, 32 by default.
    optimizer : str or Optimizer, each, default "adam"
        "sgd", "adam", "adamw", "rmsprop" or "adagrad", or one of `bpfast.optimizers`, which
        continues from its state. One object for all is copied for each network; it must not have
        done a step.
    learning_rate : float or schedule, each, optional
        The learning rate of optimizers given by name. One schedule for all is copied for each.
    shuffle : bool, default True
        Whether each epoch has a new random order.
    validation : (x, y), (x, y, sample_weight) or float, each, optional
        Examples to evaluate after each epoch, or the fraction of its rows that each network holds
        out, drawn from its seed.
    validation_rows : int array, or list of these or (k, m), optional
        Rows of x to evaluate after each epoch, as `rows`; not beside `validation`. Without `rows` a
        network trains with all others.
    metrics : str or callable, list of these or dict of str to these, default ()
        What to compute after each epoch, for all networks: "accuracy", "r2" and other names that
        `Network.fit` lists, or your own ``metric(a, y) -> float``.
    l1, l2 : float, each, default 0
        Penalties on the weights, l2/2 Σ w² + l1 Σ \|w\|.
    dropout : float or list of float, each, default 0
        The probability that a hidden neuron is dropped. A list has one entry for each network,
        which is a number or a list with one for each hidden layer.
    max_norm : float, each, optional
        After each step, the weights into a neuron are scaled down to this norm if they are longer.
    clip_norm : float, each, optional
        The gradient of C, over all parameters, is scaled down to this norm if it is longer.
    class_weight : dict or "balanced", each, optional
        The weight of the examples of each class in the steps, 1 for classes that are not given.
        "balanced": n / (classes · examples of the class).
    sample_weight : array_like, (n,), or (k, n) or a list of k arrays, optional
        The weights of all n examples, for all networks or for each.
    rows : int array, or list of these or (k, m), optional
        The rows of x to train with, for all networks or for each; also several times, as in a
        bootstrap. n of True and False choose rows too; None in the list: all.
    early_stopping : int or EarlyStopping, each, optional
        A network stops after this many epochs without a better validation cost, or cost if there is
        no validation, and gets its best parameters back. One object for all is copied for each.
    callbacks : callable, each, default ()
        Called as ``callback(net, history)`` after each epoch of a network. Return True to stop that
        network. A tuple of callables: all of them for every network. An entry of a list may be None
        or a list. A `Monitor` belongs to one network.
    keep : float, optional
        Successive halving: after every `every` epochs this fraction of the networks, above 0 and
        below 1, continues, at least one: those with the lowest validation cost, or cost if there
        is no validation.
    every : int, optional
        The number of epochs between two choices. Needed with `keep`, and an error without it.
    progress : bool, default False
        Show a tqdm progress bar over all networks, or lines if tqdm is not installed.
    seed : None, int, Generator, BitGenerator or SeedSequence, each, optional
        Determines the order of each epoch, dropout, and what is held out. An integer s for all:
        network k gets s + k. A generator for all, or a SeedSequence, of which one is made: one
        integer is drawn for each. None: integers from the system's random source.
    sparse : bool, optional
        Whether to compute only with the nonzero elements of a dense x. By default, if few enough
        elements of a network's rows are nonzero for this to be faster; never for a memory-mapped x.
    check_finite : bool, default True
        Whether a network whose cost or parameters become NaN or infinite stops there, with its last
        finite parameters, and a warning. The others continue.

    Returns
    -------
    Ensemble
        The networks and their histories.

    Warns
    -----
    UserWarning
        A network diverged; or, with `keep`, the networks are evaluated on different examples or
        have different cost functions, so their costs cannot be compared.

    Raises
    ------
    ValueError
        An argument is out of range, a list has another length than `nets`, a network occurs twice,
        x or y does not fit one of them (the message names it), or x or y has a number that is not
        finite.
    TypeError
        An argument has the wrong type.
    Exception
        What a callback, metric, schedule or callable cost raises, with a note that names the
        network. The others end after the same epoch.

    Notes
    -----
    After Ctrl-C each network has the parameters of its last completed step. Callbacks, metrics and
    callable costs run on the calling thread, network by network. ``history.seconds`` is the time of
    an epoch on its thread.

    References
    ----------
    Jamieson and Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter
    Optimization*, 2016 (successive halving).

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> nets = [bpfast.Network([1, width, 1], output="identity", seed=0) for width in (4, 8, 16)]
    >>> ensemble = bpfast.fit_many(nets, x, x**2, epochs=30, learning_rate=0.01, seed=0)
    >>> alone = bpfast.Network([1, 8, 1], output="identity", seed=0)
    >>> history = alone.fit(x, x**2, epochs=30, learning_rate=0.01, seed=1)
    >>> bool((alone.params == ensemble[1].params).all())
    True
    """
    found = parse_networks(nets)
    k, progress, halving = len(found), flag("progress", progress), parse_halving(keep, every)
    targets = as_array("y", y)
    n = len(targets) if targets.ndim else 0
    each = {
        "epochs": for_each("epochs", epochs, k),
        "batch_size": for_each("batch_size", batch_size, k),
        "optimizer": copies_for_each("optimizer", optimizer, k),
        "learning_rate": for_each("learning_rate", learning_rate, k),
        "l1": for_each("l1", l1, k),
        "l2": for_each("l2", l2, k),
        "dropout": for_each("dropout", dropout, k, only_lists=True),
        "max_norm": for_each("max_norm", max_norm, k),
        "clip_norm": for_each("clip_norm", clip_norm, k),
        "class_weight": for_each("class_weight", class_weight, k),
        "sample_weight": weights_for_each(sample_weight, k),
        "rows": rows_for_each("rows", rows, k, n),
        "validation": for_each("validation", validation, k, only_lists=True),
        "validation_rows": rows_for_each("validation_rows", validation_rows, k, n),
        "early_stopping": copies_for_each("early_stopping", early_stopping, k),
        "callbacks": callbacks_for_each(callbacks, k),
        "seed": seeds_for_each(seed, k),
    }
    options = parse_options(
        found, each, parse_metrics(metrics),
        shuffle=shuffle, check_finite=check_finite, sparse=sparse,
    )  # fmt: skip
    members = new_members(x, y, options)
    validation_sets = _numbered([member.validation_key for member in members])
    if halving is not None:
        has_validation = all(member.training.validation for member in members)
        warn_of_comparison(found, "validation_cost" if has_validation else "cost", validation_sets)
    _run(members, progress=progress, halving=halving)
    histories = [member.training.history for member in members]
    return Ensemble._of(found, histories, validation_sets)


def _run(members: Sequence[Member], *, progress: bool, halving: Halving | None) -> None:
    """Train, with a lock on all that keeps state."""
    ticket = object()
    try:
        objects: dict[str, Any] = {}
        for k, member in enumerate(members):
            training = member.training
            objects[f"nets[{k}]"] = training.net
            objects[f"optimizer[{k}]"] = training.optimizer
            objects[f"early_stopping[{k}]"] = training.early_stopping
        lock(ticket, **objects)
        for member in members:
            training = member.training
            _core.set_training(training.net, training.history, training.optimizer)
        train(members, progress=progress, halving=halving)
    finally:
        RUNNING.pop(ticket, None)


def _numbered(keys: Sequence[Hashable]) -> list[int | None]:
    """Numbers that are equal where the keys are; None for None."""
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return [None if key is None else numbers[key] for key in keys]


fit_many.__module__ = "bpfast"  # the public module
