"""`fit`: check the arguments, find the shards, and train."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast import _core
from bpfast._training.arguments.optimizer import parse_optimizer
from bpfast._training.arguments.settings import ARGUMENT_SYNONYMS, parse_early_stopping
from bpfast._training.arguments.training_data import (
    check_cost,
    parse_callbacks,
    parse_validation,
)
from bpfast._training.checkpoint.policy import AnyPath, CheckpointPolicy
from bpfast._training.locks import RUNNING, lock, refuse_another_network
from bpfast._training.metrics.named import Metrics
from bpfast._training.metrics.named import parse as parse_metrics
from bpfast._validation.names import by_name, one_of
from bpfast._validation.naming import naming
from bpfast._validation.numbers import flag, is_number, whole
from bpfast.distributed._engines.choice import connect
from bpfast.distributed._lbfgs import minimise
from bpfast.distributed._plan import Plan
from bpfast.distributed._shards.tasks import Model
from bpfast.distributed._training import ShardSettings, ShardTraining
from bpfast.history._history import History

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from bpfast._network import Network
    from bpfast._training.early_stopping import EarlyStopping
    from bpfast._training.loop import Callback
    from bpfast._typing import Metric, MetricName, OptimizerName
    from bpfast._validation.seed import Seed
    from bpfast.distributed._engines.engine import Engine
    from bpfast.optimizers import Optimizer
    from bpfast.optimizers._optimizer import Rate

METHODS = ("steps", "full", "lbfgs", "local")
BATCH_SIZE, AVERAGE_EVERY = 1024, 16
SYNONYMS = {key: value for key, value in ARGUMENT_SYNONYMS.items() if "Network" not in value}
# What each method does not use.
WITHOUT: dict[str, tuple[str, ...]] = {
    "steps": ("average_every",),
    "full": ("average_every", "batch_size", "shuffle"),
    "lbfgs": (
        "average_every", "batch_size", "shuffle", "optimizer", "learning_rate", "l1", "max_norm",
        "clip_norm", "checkpoint", "resume",
    ),
    "local": (),
}  # fmt: skip


@by_name(SYNONYMS, is_method=False)
def fit(
    net: Network,
    x: Any,
    y: ArrayLike | None = None,
    *,
    client: Any = None,
    comm: Any = None,
    sample_weight: ArrayLike | None = None,
    shard_rows: int | None = None,
    method: str = "steps",
    epochs: int = 10,
    batch_size: int | None = None,
    average_every: int | None = None,
    optimizer: OptimizerName | Optimizer | None = None,
    learning_rate: Rate | None = None,
    shuffle: bool | None = None,
    validation: Sequence[Any] | None = None,
    metrics: MetricName | Metric | Metrics = (),
    l1: float = 0.0,
    l2: float = 0.0,
    max_norm: float | None = None,
    clip_norm: float | None = None,
    early_stopping: int | EarlyStopping | None = None,
    callbacks: Callback | Iterable[Callback] = (),
    progress: bool = False,
    seed: Seed = None,
    check_finite: bool = True,
    checkpoint: AnyPath | None = None,
    every: int | None = None,
    resume: bool | AnyPath | None = None,
) -> History:
    r"""Train on data in shards: in one process, on Dask workers, or on MPI ranks.

    The data are cut into shards of `shard_rows` rows. The gradient of a shard is computed where the
    shard is. The gradients are added along a fixed binary tree over the numbers of the shards, and
    the driver does the step. So the trained parameters have the same bits on any number of workers,
    whichever worker has which shard, also if workers are lost.

    Parameters
    ----------
    net : Network
        The network to train.
    x : array_like, SciPy sparse, LocalShards, list, dask array or dask frame
        The examples, as in `LocalShards`. A dask array or frame is cut into shards where it is; so
        is a list of dask delayed objects, each of which gives ``(x, y)`` or ``(x, y,
        sample_weight)`` and is one shard.
    y : array_like or dask, (n, n_L) or (n,), optional
        The targets. Not with a list or `LocalShards`, which contain them.
    client : dask.distributed.Client, optional
        Train on the workers of this cluster. Dask data without a client use the current one. Arrays
        of this process are sent through the scheduler once; larger data should be dask collections,
        or files that the workers read.
    comm : mpi4py.MPI.Comm, optional
        Train on the ranks of this communicator: every rank makes this call with the same arguments.
        Each reads only its own shards of `x`, so pass memory maps, callables or paths. Rank 0 does
        the steps, calls callbacks and writes checkpoints; the networks of all ranks get its
        parameters, and all ranks get the history.
    sample_weight : array_like or dask, (n,), optional
        The weight s_x of each example, as in `Network.fit`.
    shard_rows : int, optional
        The number of rows of a shard, 4096 by default. Only with arrays and frames. Another number
        gives other last bits; the number of workers does not.
    method : {"steps", "full", "lbfgs", "local"}, default "steps"
        "steps": mini-batches, drawn by seed and epoch from all shards, as in `Network.fit`. "full":
        one step per epoch, over all examples. "lbfgs": SciPy's L-BFGS-B over all examples, where an
        epoch is an iteration. "local": each shard is trained alone for `average_every` steps, then
        parameters and optimizer state are averaged: another algorithm, with few messages.
    epochs : int, default 10
        The number of passes over the examples, or of iterations of L-BFGS at most.
    batch_size : int, optional
        The number of examples per step, 1024 by default; of each shard with "local". Not with
        "full" and "lbfgs".
    average_every : int, optional
        With "local": the number of steps between two averages, 16 by default.
    optimizer : str or Optimizer, optional
        As in `Network.fit`: "adam" by default. Not with "lbfgs".
    learning_rate : float or schedule, optional
        As in `Network.fit`.
    shuffle : bool, optional
        Whether each epoch has a new random order; True by default. Not with "full" and "lbfgs".
    validation : (x, y) or (x, y, sample_weight), optional
        Examples on the driver, whose cost and metrics are computed after each epoch.
    metrics : str or callable, list of these or dict of str to these, default ()
        As in `Network.fit`, for the validation examples.
    l1, l2 : float, default 0
        Penalties on the weights, not on the biases.
    max_norm : float, optional
        After each step, the weights into a neuron are scaled down to this norm if they are longer.
    clip_norm : float, optional
        The gradient of C, over all parameters, is scaled down to this norm if it is longer.
    early_stopping : int or EarlyStopping, optional
        As in `Network.fit`.
    callbacks : callable or list of callable, default ()
        Called on the driver as ``callback(net, history)`` after each epoch. Return True to stop.
    progress : bool, default False
        Show a progress bar on the driver. Not with "lbfgs".
    seed : None, int, Generator, BitGenerator or SeedSequence
        Determines the order of each epoch, as in `Network.fit`.
    check_finite : bool, default True
        Whether the examples are checked before the first step, and the training stops with an error
        if a number becomes NaN or infinite.
    checkpoint : str, bytes or os.PathLike, optional
        A file that the driver writes after epochs. Not with "lbfgs".
    every : int, optional
        With `checkpoint`: write after every `every` epochs, 1 by default.
    resume : bool, str, bytes or os.PathLike, optional
        The checkpoint to continue from, as in `Network.fit`, with any number of workers.

    Returns
    -------
    History
        As of `Network.fit`. ``learning_rate`` is 1 for iterations of L-BFGS.

    Raises
    ------
    ValueError
        An argument is out of range or has no effect with this method; a shard is empty or has
        another width than the network or the first shard, or contains NaN (the message has the
        shard and the global row numbers); a checkpoint belongs to other arguments or shards.
    TypeError
        An argument has the wrong type.
    ImportError
        The package of the cluster, or SciPy with "lbfgs", is not installed.
    RuntimeError
        A worker or rank cannot give the same bits: it has no bpfast, another version, or no fused
        multiply-add where the driver has it. The message names it.
    ConnectionError
        The scheduler is lost. The network has the parameters of its last whole step.
    DivergenceError
        The numbers are no longer finite. The network keeps the last finite parameters.

    Notes
    -----
    The sums equal those of `Network.fit` up to rounding, but not bit by bit, because a shard is
    added up before it meets the next one; sums over shards are in float64. "local" is another
    algorithm than `Network.fit`, whose result depends on the shards: one shard is one replica.

    A Dask worker uses as many threads as it was started with.

    Examples
    --------
    >>> import numpy as np, bpfast
    >>> x = np.linspace(-1, 1, 100)[:, np.newaxis]
    >>> net = bpfast.Network([1, 8, 1], hidden="tanh", output="identity", seed=0)
    >>> history = bpfast.distributed.fit(
    ...     net, x, x**2, shard_rows=16, batch_size=20, epochs=30, learning_rate=0.02, seed=0
    ... )
    >>> bool(history.cost[-1] < 0.01)
    True
    """
    if not isinstance(net, _core.Network):
        raise TypeError(f"net: expected a Network, got {type(net).__name__}")
    method = one_of("method", method, METHODS)
    given = {
        "average_every": average_every, "batch_size": batch_size, "shuffle": shuffle,
        "optimizer": optimizer, "learning_rate": learning_rate, "l1": l1 or None,
        "max_norm": max_norm, "clip_norm": clip_norm, "checkpoint": checkpoint, "resume": resume,
    }  # fmt: skip
    for name in WITHOUT[method]:
        if given[name] is not None:
            raise ValueError(f"{name}: expected none with method={method!r}, got {given[name]!r}")
    if method == "lbfgs":
        _need_scipy()
    if is_number(validation):
        expected = "(x, y) or (x, y, sample_weight) on the driver"
        raise ValueError(f"validation: expected {expected}, got a fraction")
    epochs, progress = whole("epochs", epochs, 1), flag("progress", progress)
    checkpoints = CheckpointPolicy(checkpoint, every, resume)
    settings = ShardSettings(
        net,
        method,
        AVERAGE_EVERY if average_every is None else whole("average_every", average_every, 1),
        batch_size=BATCH_SIZE if batch_size is None else batch_size,
        l1=l1,
        l2=l2,
        max_norm=max_norm,
        clip_norm=clip_norm,
        shuffle=shuffle,
        seed=checkpoints.seed(seed),
        check_finite=check_finite,
    )
    own = parse_optimizer("adam" if optimizer is None else optimizer, learning_rate)
    parsed: dict[str, Any] = {
        "optimizer": own,
        "early_stopping": parse_early_stopping(early_stopping),
        "callbacks": parse_callbacks(callbacks),
    }
    for k, callback in enumerate(parsed["callbacks"]):
        if getattr(callback, "_every_steps", None) is not None:
            expected = "a Monitor of epochs, as steps are not recorded here"
            raise ValueError(f"callbacks[{k}]: expected {expected}, got one with every_steps")
    held_out, measures = parse_validation(net, validation, parse_metrics(metrics))
    if measures and held_out is None:
        raise ValueError("metrics: expected validation=(x, y), which they measure, got none")
    if held_out is not None:
        with naming("validation"):
            check_cost(held_out, settings)
    model = Model.of(net)
    connected = connect(
        net, own, model, x, y, client=client, comm=comm, sample_weight=sample_weight,
        shard_rows=shard_rows,
    )  # fmt: skip

    def train(engine: Engine) -> History:
        settings.plan = Plan(engine, model, check_finite=settings.check_finite)
        training = ShardTraining(
            engine, model, settings.plan, net=net, settings=settings,
            history=History(seed=settings.seed), metrics=measures, validation=held_out, **parsed,
        )  # fmt: skip
        return _train(training, checkpoints, epochs, progress=progress)

    return connected(train)


def _train(
    training: ShardTraining, checkpoints: CheckpointPolicy, epochs: int, *, progress: bool
) -> History:
    """Train on the driver."""
    net, optimizer, stopping = training.net, training.optimizer, training.early_stopping
    ticket = object()
    try:
        lock(ticket, network=net, optimizer=optimizer, early_stopping=stopping)
        refuse_another_network(optimizer, net)
        begins_anew = checkpoints.read is None
        # Whether there are weights is in the plan.
        weighted = None if training.plan.mean_weight is None else training.plan
        checkpoints.begin(training, epochs, share=None, class_weight=None, sample_weight=weighted)
        if stopping is not None and begins_anew:
            stopping.reset()
        if training.settings.method == "lbfgs":
            minimise(training, epochs)
        else:
            training.run(epochs, progress, checkpoints.save)
        return training.history
    finally:
        RUNNING.pop(ticket, None)


def _need_scipy() -> None:
    from importlib.util import find_spec

    if find_spec("scipy") is None:  # only the driver imports it
        raise ImportError("method='lbfgs' needs SciPy: pip install scipy")


fit.__module__ = "bpfast.distributed"  # the public module
