"""`Network.fit` and `Network.partial_fit`: their arguments, checked, and what they start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast import _core
from bpfast._calls import check_network
from bpfast._training.arguments import (
    WHOLE,
    new_source,
    new_trainer,
    of_arrays,
    of_batches,
    parse_callbacks,
    refuse_with_batches,
)
from bpfast._training.checkpoint.policy import AnyPath, CheckpointPolicy
from bpfast._training.data.examples import Examples
from bpfast._training.locks import RUNNING, lock, refuse_another_network
from bpfast._training.loop import Callback, Training
from bpfast._training.metrics import Metrics
from bpfast._training.metrics import parse as parse_metrics
from bpfast._training.settings import (
    ARGUMENT_SYNONYMS,
    Seed,
    Settings,
    flag,
    parse_early_stopping,
    parse_optimizer,
)
from bpfast._validation.names import by_name
from bpfast._validation.numbers import whole
from bpfast.history._history import History
from bpfast.schedules._rates import as_schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from bpfast._network import Network
    from bpfast._training.early_stopping import EarlyStopping
    from bpfast._typing import Metric, MetricName, OptimizerName
    from bpfast.optimizers import Optimizer
    from bpfast.optimizers._optimizer import Rate


@by_name(ARGUMENT_SYNONYMS)
def fit(
    self: Network,
    x: Any,
    y: ArrayLike | None = None,
    *,
    epochs: int = 10,
    batch_size: int | None = None,
    optimizer: OptimizerName | Optimizer = "adam",
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
    sample_weight: ArrayLike | None = None,
    early_stopping: int | EarlyStopping | None = None,
    callbacks: Callback | Iterable[Callback] = (),
    progress: bool = False,
    seed: Seed = None,
    sparse: bool | None = None,
    check_finite: bool = True,
    checkpoint: AnyPath | None = None,
    every: int | None = None,
    resume: bool | AnyPath | None = None,
) -> History:
    r"""Train on mini-batches for some epochs.

    Each step takes `batch_size` examples and changes the parameters by the gradient of
    C + l2/2 Σ w² + l1 Σ \|w\|, with C = Σ s_x C_x / (n s̄) over its n examples, where s̄ is the mean
    weight of all examples that are trained with: an unbiased estimate of Σ s_x C_x / Σ s_x over all
    of these, for any `batch_size`. The steps run in Rust, one after the other, without a return to
    Python in between.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1); or iterable, or callable
        The examples. A memory map stays in its file. Without `y`: an iterable of batches ``(x, y)``
        or ``(x, y, sample_weight)``, each of which is a step, or a callable that gives such an
        iterable for each epoch. Unless they are in a list or tuple, the next batch is fetched, in a
        thread of its own, while one is at work, so the iterable must not change the network or the
        optimizer; the numbers of a batch are copied before. As the weights of all examples are not
        known, those of a batch count as they are: s̄ is 1. Arrays must not change before `fit`
        returns.
    y : array_like, (n, n_L) or (n,), optional
        As for `cost`.
    epochs : int, default 10
        How often to go through the examples.
    batch_size : int, optional
        The examples of a step, 32 where it is left out; the last step of an epoch has what is left.
        Not with batches of an iterable, which have a size of their own.
    optimizer : str or Optimizer, default "adam"
        "sgd", "adam", "adamw", "rmsprop", "adagrad" with their defaults, or one of
        `bpfast.optimizers`, which goes on from its state. What it keeps must be of this network.
        A name makes a new optimizer; ``optimizer=net.optimizer`` goes on with the last one.
    learning_rate : float or schedule, optional
        The learning rate of an `optimizer` that is a name, or left out:
        ``fit(x, y, optimizer="sgd", learning_rate=0.1)`` is
        ``fit(x, y, optimizer=bpfast.SGD(0.1))``. An optimizer itself has its own, so both together
        are an error. A schedule that is a callable is asked for the rates of many steps ahead, and
        must not change the optimizer.
    shuffle : bool, optional
        A new random order for each epoch, unless it is False. Not True with batches of an
        iterable, which stay as they come.
    validation : (x, y), (x, y, sample_weight) or float, optional
        Examples to measure after each epoch, or the fraction of the examples to draw and hold
        out for it.
    metrics : str or callable, list of these or dict of str to these, default ()
        What is measured after each epoch, of the examples and of `validation`: "accuracy",
        "subset_accuracy", "binary_accuracy", "mean_squared_error", "mean_absolute_error", "r2", or
        ``metric(a, y) -> float``. The column is the key of the dict, or the name of the function.
        Either takes a forward pass; batches of an iterable are not measured. Weights do not count
        here. What "accuracy" means depends on all of y: it is of classes, by the largest output,
        where each example has one class, by a label or by a row (of several likeliest classes, such
        as in (0.5, 0.5, 0), either is right with softmax outputs, and the row is an error with
        sigmoid); else, where y of several outputs is 0 and 1, it is "subset_accuracy", the share of
        examples whose outputs are all on the right side of 1/2. Multi-label y in which every row
        happens to have a single 1 looks like classes: say "subset_accuracy" where y is multi-label.
        "binary_accuracy" is the share of outputs on the right side.
    l1, l2 : float, default 0
        Penalties on the weights. Nielsen's λ is l2 times the number of examples.
    dropout : float or list of float, default 0
        The probability that a hidden neuron is left out of a step, for all hidden layers or for
        each. Those that stay count 1/(1 - p) times.
    max_norm : float, optional
        The longest vector of weights into a neuron: longer ones are shortened after each step.
    clip_norm : float, optional
        The longest gradient of C, over all parameters: a longer one is shortened.
    class_weight : dict or "balanced", optional
        How much the examples of each class count in the steps, 1 where nothing is said;
        "balanced": n / (classes · examples of the class). It multiplies `sample_weight`. y has to
        tell one class for each example.
    sample_weight : array_like, (n,), optional
        How much each example counts, relative to the others. Not all 0.
    early_stopping : int or EarlyStopping, optional
        Stop after so many epochs without a better validation cost, or cost without validation;
        the network gets back its best parameters.
    callbacks : callable or list of callable, default ()
        ``callback(net, history)`` after each epoch. True as its answer ends the training; what
        it raises comes through. It may change the parameters, the learning rate and the state of
        the optimizer, and the next epoch goes on from there.
    progress : bool, default False
        Show a tqdm bar, or a line for each epoch where tqdm is not installed.
    seed : None, int, Generator, BitGenerator or SeedSequence
        Decides about shuffling, dropout and what is held out. An integer gives the same bits each
        time. A generator of ``numpy.random`` is drawn one integer from, ``rng.integers(2**63)``.
        None: one is drawn from the system. ``history.seed`` is the integer.
    sparse : bool, optional
        Whether to take the numbers of a dense x that are not 0 alone: with True always, with
        False never. Left out: where they are few enough for it to be faster. The outcome is the
        same but for rounding. Not True with batches of an iterable.
    check_finite : bool, default True
        Whether a cost of the steps, or a parameter, that is NaN or infinite ends the training.
    checkpoint : str, bytes or os.PathLike, optional
        Where to write, after epochs and at the end, all that it takes to go on: see *Checkpoints*
        in the manual. A file that is there is replaced.
    every : int, optional
        With `checkpoint`: after every so many epochs, 1 where it is left out.
    resume : bool, str, bytes or os.PathLike, optional
        The checkpoint to go on from, up to `epochs` in all, with the same bits as if the training
        had never stopped. True: that of `checkpoint` if there is one; else the training begins.

    Returns
    -------
    History
        Cost and metrics by epoch. ``cost`` is Σ s_x C_x / Σ s_x over the examples of the epoch, and
        with batches of an iterable Σ s_x C_x / n, without penalties and each C_x as the parameters
        were at its step.

    Raises
    ------
    ValueError
        An argument out of range, shapes that do not fit, NaN or infinity in x, y or the parameters,
        a y for which the cost has no minimum: below 0 or above 1 with cross_entropy, below 0 with
        log_likelihood and poisson. An argument that would do nothing.
        A cost that changes the parameters or the optimizer in the middle of a step, or a schedule
        that changes the optimizer.
        A network, optimizer or early stopping that another training is at work with. A checkpoint
        that is damaged, or of a training with other arguments.
    TypeError
        An argument of another type.
    DivergenceError
        The numbers are no longer finite: the network keeps the last that were.
    OSError
        A checkpoint cannot be written, and the old one is as it was; or it cannot be read.

    Warns
    -----
    UserWarning
        A y far beyond what the outputs can be, from 0 to 1 of sigmoid and softmax and from -1 to 1
        of tanh, with quadratic, huber or absolute. Not where y lies in a file or comes in batches.

    Notes
    -----
    The same bits for the same seed, at any number of threads. Whatever ends the training, Ctrl-C
    or an exception among it, the network stands where the last whole step left it,
    ``net.optimizer`` has counted the steps, and ``net.history`` holds the epochs so far.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([2, 8, 1], hidden="tanh", cost="cross_entropy", seed=0)
    >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> history = net.fit(x, y, epochs=200, batch_size=4, optimizer=bpfast.Adam(0.05), seed=0)
    >>> net.forward(x).round().ravel()
    array([0., 1., 1., 0.])
    """
    check_network(self)
    epochs = whole("epochs", epochs, 1)
    checkpoints = CheckpointPolicy(checkpoint, every, resume)
    progress = flag("progress", progress)
    settings = Settings(
        self,
        batch_size=batch_size,
        l1=l1,
        l2=l2,
        dropout=dropout,
        max_norm=max_norm,
        clip_norm=clip_norm,
        shuffle=shuffle,
        seed=checkpoints.seed(seed),
        check_finite=check_finite,
        sparse=sparse,
    )
    optimizer = parse_optimizer(optimizer, learning_rate)
    stopping = parse_early_stopping(early_stopping)
    calls = parse_callbacks(callbacks)
    measures = parse_metrics(metrics)
    ticket = object()
    try:
        lock(ticket, network=self, optimizer=optimizer, early_stopping=stopping)
        refuse_another_network(optimizer, self)
        weights: dict[str, Any] = {"class_weight": class_weight, "sample_weight": sample_weight}
        if y is None:
            arrays = {
                "batch_size": batch_size,
                "shuffle": shuffle or None,
                "sparse": sparse or None,
            }
            refuse_with_batches(validation, weights=weights, arrays=arrays)
            parts = of_batches(self, settings, optimizer, x, validation, measures)
        else:
            parts = of_arrays(self, settings, optimizer, x, y, validation, measures, **weights)
        training = Training(
            self,
            parts.trainer,
            settings,
            parts.source,
            optimizer,
            History(seed=settings.seed),
            metrics=parts.metrics,
            training=parts.training,
            validation=parts.validation,
            early_stopping=stopping,
            callbacks=calls,
        )
        begins_anew = checkpoints.read is None
        checkpoints.begin(training, epochs, share=parts.share, **weights)
        # Not before: a checkpoint that is refused changes nothing.
        if stopping is not None and begins_anew:
            stopping.reset()
        training.run(epochs, progress, checkpoints.save)
        return training.history
    finally:
        RUNNING.pop(ticket, None)


@by_name(ARGUMENT_SYNONYMS)
def partial_fit(
    self: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    batch_size: int | None = None,
    optimizer: OptimizerName | Optimizer | None = None,
    learning_rate: Rate | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    dropout: float | Iterable[float] = 0.0,
    max_norm: float | None = None,
    clip_norm: float | None = None,
    class_weight: Mapping[int, float] | str | None = None,
    sample_weight: ArrayLike | None = None,
    seed: Seed = None,
    check_finite: bool = True,
) -> float:
    """Go through the examples once, and do a step with all of them or, with `batch_size`, several.

    Parameters
    ----------
    x, y, l1, l2, dropout, max_norm, clip_norm, check_finite
        As for `fit`, with arrays.
    class_weight : dict, optional
        As for `fit`, but not "balanced", for which all examples would have to be known.
    sample_weight : array_like, (n,), optional
        How much each example counts. The weights are taken as they are: a step follows the
        gradient of Σ s_x C_x / n over its n examples. Where all are 0, penalties and momentum act
        alone.
    batch_size : int, optional
        The examples of a step, in the order in which they stand. Left out: all.
    optimizer : str or Optimizer, optional
        As for `fit`. Left out: that of the last training of this network, or Adam. The name of its
        kind goes on with it too; another name begins anew.
    learning_rate : float or schedule, optional
        As for `fit`. Where the optimizer of the last training goes on, its `learning_rate` is set
        to this one, and its state is kept.
    seed : None, int, Generator, BitGenerator or SeedSequence
        Decides about dropout, with the number of the step: as for `fit`, an integer is taken as it
        is, one is drawn from a generator, and None draws one from the system.

    Returns
    -------
    float
        Σ s_x C_x / n over all n examples, without penalties, each C_x as the parameters were at its
        step.

    Raises
    ------
    ValueError, TypeError, DivergenceError
        As for `fit`.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network([1, 1], output="identity", init="zeros")
    >>> net.partial_fit([[1.0]], [[2.0]], optimizer="sgd", learning_rate=0.5)  # C = (0 - 2)²/2
    2.0
    >>> net.params
    array([1., 1.])
    """
    check_network(self)
    settings = Settings(
        self,
        batch_size=WHOLE if batch_size is None else batch_size,
        l1=l1,
        l2=l2,
        dropout=dropout,
        max_norm=max_norm,
        clip_norm=clip_norm,
        shuffle=False,
        seed=seed,
        check_finite=check_finite,
    )
    if isinstance(class_weight, str) and class_weight == "balanced":
        got = "'balanced', which needs the classes of all examples"
        raise ValueError(f"class_weight: expected a dict in partial_fit, got {got}")
    last = self.optimizer
    if last is not None and (
        optimizer is None or (isinstance(optimizer, str) and optimizer == last.kind)
    ):
        optimizer = last
        # Refused before anything is changed, and set after all else was accepted.
        rate = None if learning_rate is None else as_schedule("learning_rate", learning_rate)
    else:
        optimizer = parse_optimizer("adam" if optimizer is None else optimizer, learning_rate)
        rate = None
    ticket = object()
    try:
        lock(ticket, network=self, optimizer=optimizer)
        refuse_another_network(optimizer, self)
        data = Examples(self, x, y, sample_weight)
        data.add_class_weight(class_weight)
        trainer = new_trainer(self, settings, optimizer, settings.batch_size)
        training = Training(
            self,
            trainer,
            settings,
            new_source(trainer, settings, data),
            optimizer,
            History(),
            metrics={},
            training=None,
            validation=None,
            early_stopping=None,
            callbacks=(),
        )
        if rate is not None and learning_rate is not None:
            optimizer.learning_rate = learning_rate
        _core.set_training(self, self.history, optimizer)
        return training.train_once()
    finally:
        RUNNING.pop(ticket, None)
