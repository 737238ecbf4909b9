"""`fit`: check the arguments, find the shards, and train."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._training.arguments.optimizer import fresh_rate, parse_optimizer
from bpfast._training.arguments.settings import FUNCTION_SYNONYMS, parse_early_stopping
from bpfast._training.arguments.training_data import parse_callbacks
from bpfast._training.arguments.weights import parse_class_weight
from bpfast._training.checkpoint.policy import AnyPath, CheckpointPolicy
from bpfast._training.loop import EndOfEpoch
from bpfast._validation.names import by_name, one_of
from bpfast._validation.network import check_network
from bpfast._validation.numbers import flag, integer
from bpfast.distributed._arguments import (
    METHODS,
    ShardMethod,
    is_zero,
    need_scipy,
    parse_held_out,
    refuse_step_monitors,
    refuse_unused,
)
from bpfast.distributed._driver import ShardTraining
from bpfast.distributed._engines.choice import connect
from bpfast.distributed._settings import ShardSettings
from bpfast.distributed._shards.data import ShardData
from bpfast.distributed._shards.task import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from bpfast._network import Network
    from bpfast._training.loop import Callback
    from bpfast._training.metrics.named import Metrics
    from bpfast._training.stopping.early_stopping import EarlyStopping
    from bpfast._typing import Metric, MetricName, OptimizerName
    from bpfast._validation.seed import Seed
    from bpfast.history._history import History
    from bpfast.optimizers import Optimizer
    from bpfast.optimizers._optimizer import Rate

DEFAULT_BATCH_SIZE, DEFAULT_AVERAGE_EVERY = 1024, 16


@by_name(FUNCTION_SYNONYMS, is_method=False)
def fit(
    net: Network,
    x: Any,
    y: ArrayLike | None = None,
    *,
    client: Any = None,
    comm: Any = None,
    sample_weight: ArrayLike | None = None,
    shard_rows: int | None = None,
    method: ShardMethod = "steps",
    epochs: int = 10,
    batch_size: int | None = None,
    average_every: int | None = None,
    optimizer: OptimizerName | Optimizer | None = None,
    learning_rate: Rate | None = None,
    shuffle: bool | None = None,
    validation: Sequence[Any] | float | None = None,
    metrics: MetricName | Metric | Metrics = (),
    l1: float = 0.0,
    l2: float = 0.0,
    dropout: float | Iterable[float] = 0.0,
    max_norm: float | None = None,
    clip_norm: float | None = None,
    class_weight: Mapping[int, float] | str | None = None,
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
        is a list of dask delayed objects or futures, each of which gives ``(x, y)`` or ``(x, y,
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
        The weight s_x of each example, finite. Only ratios matter: a step uses the gradient of
        Σ s_x C_x / (n s̄), where s̄ is the mean of \|s_x\| over all examples that are trained on.
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
        "sgd", "adam", "adamw", "rmsprop" or "adagrad", which starts a new optimizer; or one of
        `bpfast.optimizers`, which continues from its state. "adam" by default. Not with "lbfgs".
    learning_rate : float or schedule, optional
        The learning rate of an optimizer that is given by name or omitted. Not with "lbfgs".
    shuffle : bool, optional
        Whether each epoch has a new random order; True by default. Not with "full" and "lbfgs".
    validation : (x, y), (x, y, sample_weight) or float, optional
        Examples on the driver, whose cost and metrics are computed after each epoch; or the
        fraction of all examples to hold out for this, drawn by the seed, the same rows as in
        `Network.fit`. Held-out examples stay in their shards; only their outputs and y come to the
        driver, and only for metrics.
    metrics : str or callable, list of these or dict of str to these, default ()
        What to compute for the validation examples after each epoch: "accuracy", "r2", another name
        of `bpfast.metrics`, or your own ``metric(a, y) -> float``. Those of the examples that are
        trained on are not computed.
    l1, l2 : float, default 0
        Penalties on the weights, not on the biases; `l1` not with "lbfgs".
    dropout : float or list of float, default 0
        The probability that a hidden neuron is dropped for an example, one for all hidden layers or
        one per layer. Kept neurons are scaled by 1/(1 - p). The neurons of a step depend on the
        seed, the step, and the place of the example in the step, not on shards or workers; with
        "local", on the shard too. Not with "lbfgs".
    max_norm : float, optional
        After each step, the weights into a neuron are scaled down to this norm if they are longer.
    clip_norm : float, optional
        The gradient of C, over all parameters, is scaled down to this norm if it is longer.
    class_weight : dict or "balanced", optional
        The weight of the examples of each class, 1 for classes that are not given. It multiplies
        `sample_weight`. "balanced": n / (classes · examples of the class), counted over all shards
        before the first step. y must have one class per example.
    early_stopping : int or EarlyStopping, optional
        Stop after this many epochs without a better validation cost, or without a better cost if
        there is no validation. The network then gets its best parameters back.
    callbacks : callable or list of callable, default ()
        Called on the driver as ``callback(net, history)`` after each epoch. Return True to stop.
    progress : bool, default False
        Show a progress bar on the driver. Not with "lbfgs".
    seed : None, int, Generator, BitGenerator or SeedSequence
        Determines the order of each epoch, dropout, and which examples are held out. The same
        integer gives the same bits each time; None takes one from the system's random source.
        ``history.seed`` is the integer.
    check_finite : bool, default True
        Whether the examples are checked before the first step, and the training stops with an error
        if a number becomes NaN or infinite.
    checkpoint : str, bytes or os.PathLike, optional
        A file that the driver writes after epochs. Not with "lbfgs".
    every : int, optional
        With `checkpoint`: write after every `every` epochs, 1 by default.
    resume : bool, str, bytes or os.PathLike, optional
        The checkpoint to continue from, until there are `epochs` epochs in total, with any number
        of workers. True: the file of `checkpoint` if it exists. Not with "lbfgs".

    Returns
    -------
    History
        A row per epoch: ``cost``, which is Σ s_x C_x / Σ \|s_x\| over the examples that are trained
        on, each C_x with the parameters before its step; ``seconds``, ``learning_rate`` (1 for
        iterations of L-BFGS), ``validation_cost`` and metrics.

    Warns
    -----
    UserWarning
        y, if it is a NumPy array, is far outside the range of the outputs, or of another scale.

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
        The scheduler is lost. The network has the parameters of its last completed step.
    DivergenceError
        The numbers are no longer finite. The network keeps the last finite parameters.

    Notes
    -----
    The sums equal those of `Network.fit` up to rounding, but not bit by bit, because a shard is
    added up before it meets the next one; sums over shards are in float64. "local" is another
    algorithm than `Network.fit`, whose result depends on the shards: one shard is one replica.

    A Dask worker uses as many threads as it was started with. "accuracy" takes its meaning from y
    of the validation examples.

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
    check_network(net, "net")
    how = one_of("method", method, METHODS)
    epochs, progress = integer("epochs", epochs, 1), flag("progress", progress)
    refuse_unused(
        how,
        average_every=average_every, batch_size=batch_size, shuffle=shuffle, optimizer=optimizer,
        learning_rate=learning_rate, dropout=None if is_zero(dropout) else dropout,
        l1=None if is_zero(l1) else l1, max_norm=max_norm, clip_norm=clip_norm,
        progress=progress or None, checkpoint=checkpoint, resume=resume,
    )  # fmt: skip
    if how == "lbfgs":
        need_scipy()
    checkpoints = CheckpointPolicy(checkpoint, every, resume)
    settings = ShardSettings(
        net,
        how,
        DEFAULT_AVERAGE_EVERY
        if average_every is None
        else integer("average_every", average_every, 1),
        batch_size=DEFAULT_BATCH_SIZE if batch_size is None else batch_size,
        l1=l1,
        l2=l2,
        dropout=dropout,
        max_norm=max_norm,
        clip_norm=clip_norm,
        shuffle=shuffle,
        seed=checkpoints.seed(seed),
        check_finite=check_finite,
    )
    rate = fresh_rate(learning_rate)
    own = parse_optimizer("adam" if optimizer is None else optimizer, rate)
    stopping = parse_early_stopping(early_stopping)
    calls = parse_callbacks(callbacks)
    refuse_step_monitors(calls)
    if class_weight is not None:
        parse_class_weight(class_weight, net.sizes[-1])  # here, before any data are loaded
    share, held_out, measures = parse_held_out(net, validation, metrics, settings)
    model = Model.of(net)
    data = ShardData(x, y, sample_weight, shard_rows)
    connected = connect(net, own, model, data, client=client, comm=comm)
    data.warn_of_targets(net)

    training = ShardTraining(
        net=net,
        model=model,
        settings=settings,
        optimizer=own,
        checkpoints=checkpoints,
        end=EndOfEpoch(measures, None, held_out, stopping, calls),
        share=share,
        class_weight=class_weight,
        epochs=epochs,
        progress=progress,
    )
    return connected(training.run)


fit.__module__ = "bpfast.distributed"  # the public module
