"""`fit_many`: train several networks at once."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast import _core
from bpfast._many.arguments import (
    for_each,
    naming_network,
    parse_networks,
    rows_for_each,
    weights_for_each,
)
from bpfast._many.ensemble import Ensemble
from bpfast._many.member import Member, Options, new_member, own_rate
from bpfast._many.rounds import train
from bpfast._many.shared import SharedData
from bpfast._training.arguments.optimizer import parse_optimizer
from bpfast._training.arguments.settings import ARGUMENT_SYNONYMS, Settings, parse_early_stopping
from bpfast._training.locks import RUNNING, lock, refuse_another_network
from bpfast._training.metrics.named import parse as parse_metrics
from bpfast._validation.arrays import as_array
from bpfast._validation.names import by_name
from bpfast._validation.numbers import flag, fraction, whole
from bpfast._validation.seed import parse_seed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from bpfast._network import Network
    from bpfast._training.metrics.named import Metrics
    from bpfast._typing import Metric, MetricName
    from bpfast.optimizers import Optimizer

SYNONYMS = {key: value for key, value in ARGUMENT_SYNONYMS.items() if "Network" not in value}


@by_name(SYNONYMS, is_method=False)
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

    An argument for which the table of parameters names *each* takes one value for all networks, or
    a list with one for each.

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
        As in `fit`. One optimizer object for all is copied for each network; it must not have done
        a step.
    learning_rate : float or schedule, each, optional
        The learning rate of optimizers given by name. One schedule for all is copied for each.
    shuffle : bool, default True
        Whether each epoch has a new random order.
    validation : (x, y), (x, y, sample_weight) or float, each, optional
        Examples to evaluate after each epoch, or the fraction of its rows that each network holds
        out, drawn from its seed.
    validation_rows : list of int arrays, each, optional
        Rows of x to evaluate after each epoch instead. Without `rows` a network trains with all
        others.
    metrics : str or callable, list of these or dict of str to these, default ()
        As in `fit`.
    l1, l2 : float, each, default 0
        Penalties on the weights.
    dropout : float or list of float, each, default 0
        The probability that a hidden neuron is dropped. A list has one entry for each network,
        which is a number or a list with one for each hidden layer.
    max_norm, clip_norm : float, each, optional
        As in `fit`.
    class_weight : dict or "balanced", each, optional
        As in `fit`.
    sample_weight : array_like, (n,), or (k, n) or a list of k arrays, optional
        The weights of all n examples, for all networks or for each.
    rows : list of int arrays, or (k, m), optional
        The rows of x that each network trains with, also several times, as in a bootstrap; None in
        the list: all.
    early_stopping : int or EarlyStopping, each, optional
        As in `fit`. One object for all is copied for each network.
    keep : float, optional
        Successive halving: after every `every` epochs this fraction of the networks goes on, those
        with the lowest validation cost, or cost if there is no validation.
    every : int, optional
        With `keep`: the number of epochs between two choices.
    progress : bool, default False
        Show a tqdm progress bar over all networks, or lines if tqdm is not installed.
    seed : int, Generator or None, each, optional
        Determines order, dropout and what is held out, as in `fit`. An integer s for all: network k
        gets s + k. A generator for all: one integer is drawn for each.
    sparse : bool, optional
        As in `fit`.
    check_finite : bool, default True
        Whether a network whose cost or parameters become NaN or infinite stops there, with its last
        finite parameters, and a warning. The others go on.

    Returns
    -------
    Ensemble
        The networks and their histories.

    Raises
    ------
    ValueError
        An argument is out of range, a list has another length than `nets`, a network occurs twice,
        x or y does not fit one of them (the message names it), or x or y has a number that is not
        finite.
    TypeError
        An argument has the wrong type.

    Notes
    -----
    After Ctrl-C each network has the parameters of its last completed step. A callable cost runs on
    the calling thread, network by network. ``history.seconds`` is the time of an epoch on its
    thread.

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
    count = len(found)
    progress = flag("progress", progress)
    if keep is not None:
        keep = fraction("keep", keep)
        every = whole("every", 1 if every is None else every, 1)
    elif every is not None:
        raise ValueError(f"every: expected only with keep, got {every!r}")
    lists: dict[str, list[Any]] = {
        name: for_each(name, value, count)
        for name, value in {
            "epochs": epochs, "batch_size": batch_size, "optimizer": optimizer,
            "learning_rate": learning_rate, "l1": l1, "l2": l2, "dropout": dropout,
            "max_norm": max_norm, "clip_norm": clip_norm, "class_weight": class_weight,
            "early_stopping": early_stopping, "validation": validation,
        }.items()
    }  # fmt: skip
    seeds = _seeds(seed, count)
    weights = weights_for_each(sample_weight, count)
    n = len(as_array("y", y)) if np.ndim(y) else 0
    of_rows = rows_for_each("rows", rows, count, n)
    held = rows_for_each("validation_rows", validation_rows, count, n)
    measures = parse_metrics(metrics)
    data, validations = SharedData(x, y), dict[int, SharedData]()
    members: list[Member] = []
    used: list[Any] = []
    stops: list[Any] = []
    for k, net in enumerate(found):
        with naming_network(k) if count > 1 else nullcontext():
            one = {name: values[k] for name, values in lists.items()}
            settings = Settings(
                net, batch_size=one["batch_size"], l1=one["l1"], l2=one["l2"],
                dropout=one["dropout"], max_norm=one["max_norm"], clip_norm=one["clip_norm"],
                shuffle=shuffle, seed=seeds[k], check_finite=check_finite, sparse=sparse,
            )  # fmt: skip
            own = parse_optimizer(one["optimizer"], own_rate(one["learning_rate"]))
            stop = parse_early_stopping(one["early_stopping"])
            if not isinstance(optimizer, list) and own is optimizer:
                own = _new(own)
            if stop is not None:
                stop = copy.deepcopy(stop) if stop is early_stopping else stop
                stop.reset()
            _refuse_again("optimizer", own, used)
            _refuse_again("early_stopping", stop, stops)
            refuse_another_network(own, net)
            options = Options(
                whole("epochs", one["epochs"], 1), settings, own, stop, measures,
                one["validation"], one["class_weight"], weights[k], of_rows[k], held[k],
            )  # fmt: skip
            members.append(new_member(data, validations, net, options))
    ticket = object()
    try:
        objects = {f"nets[{k}]": net for k, net in enumerate(found)}
        objects |= {f"optimizer[{k}]": own for k, own in enumerate(used)}
        lock(ticket, **objects)
        for member in members:
            training = member.training
            _core.set_training(training.net, training.history, training.optimizer)
        train(members, progress=progress, keep=keep, every=every)
    finally:
        RUNNING.pop(ticket, None)
    return Ensemble(found, [member.training.history for member in members])


def _seeds(seed: Any, count: int) -> list[int]:
    """The seed of each network."""
    if isinstance(seed, list):
        return [parse_seed(one) for one in for_each("seed", seed, count)]
    if seed is None or hasattr(seed, "random") or not hasattr(seed, "__index__"):
        return [parse_seed(seed) for _ in range(count)]
    first = parse_seed(seed)
    return [parse_seed(first + k) for k in range(count)]


def _new(optimizer: Optimizer) -> Optimizer:
    """A copy of an optimizer that is given for all networks."""
    if optimizer.steps:
        expected = "one without steps, or a list with one for each network"
        raise ValueError(f"optimizer: expected {expected}, got one of {optimizer.steps} steps")
    return copy.deepcopy(optimizer)


def _refuse_again(argument: str, value: object, others: list[Any]) -> None:
    """Add to the objects that networks keep their state in, each its own."""
    if value is not None and any(value is other for other in others):
        expected = "one for each network, as it keeps state"
        raise ValueError(f"{argument}: expected {expected}, got one again")
    others.append(value)


fit_many.__module__ = "bpfast"  # the public module
