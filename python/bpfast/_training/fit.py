"""`Network.fit`: check the arguments and start the training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfast._training.arguments.optimizer import fresh_rate, parse_optimizer
from bpfast._training.arguments.settings import ARGUMENT_SYNONYMS, Settings, parse_early_stopping
from bpfast._training.arguments.training_data import (
    Request,
    parse_callbacks,
    parts_of_arrays,
    parts_of_batches,
    refuse_with_batches,
)
from bpfast._training.checkpoint.policy import AnyPath, CheckpointPolicy
from bpfast._training.locks import RUNNING, lock, refuse_another_network
from bpfast._training.loop import Callback, EndOfEpoch, Training
from bpfast._training.metrics.named import Metrics
from bpfast._training.metrics.named import parse as parse_metrics
from bpfast._training.steps.runner import TrainerRunner
from bpfast._validation.names import by_name
from bpfast._validation.network import check_network
from bpfast._validation.numbers import flag, integer
from bpfast.history._history import History

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from bpfast._network import Network
    from bpfast._training.stopping.early_stopping import EarlyStopping
    from bpfast._typing import Metric, MetricName, OptimizerName
    from bpfast._validation.seed import Seed
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
    r"""Train on mini-batches for several epochs.

    Each step changes the parameters by the gradient of C + l2/2 Σ w² + l1 Σ \|w\| over its n
    examples, with C = Σ s_x C_x / (n s̄), where s̄ is the mean of \|s_x\| over all training
    examples. So the gradient of a step is an unbiased estimate of the gradient of Σ s_x C_x / Σ
    \|s_x\| over all training examples, for any `batch_size`. The training loop runs in Rust.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1); or iterable, or callable
        The examples. A memory map is read in blocks. Without `y`: an iterable of batches ``(x, y)``
        or ``(x, y, sample_weight)``, each of which is one step, or a callable that returns such an
        iterable for each epoch. A thread fetches the next batch during the current step, unless the
        batches are in a list or tuple; the iterable must not change the network or the optimizer.
        Numbers of a batch are copied before the next one is requested. Weights of a batch are used
        as given (s̄ = 1), because the weights of all examples are not known. Do not change arrays
        before `fit` returns.
    y : array_like, (n, n_L) or (n,), optional
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1). Needed unless x is an
        iterable of batches.
    epochs : int, default 10
        The number of passes over the examples.
    batch_size : int, optional
        The number of examples per step, 32 by default. The last step of an epoch has the remaining
        examples. Not allowed with batches of an iterable.
    optimizer : str or Optimizer, default "adam"
        "sgd", "adam", "adamw", "rmsprop" or "adagrad", which starts a new optimizer with its
        defaults; or one of `bpfast.optimizers`, which continues from its state. A stateful
        optimizer belongs to one network. ``optimizer=net.optimizer`` continues with that of the
        last training.
    learning_rate : float or schedule, optional
        The learning rate of an optimizer given by name or omitted: ``fit(x, y, optimizer="sgd",
        learning_rate=0.1)`` is ``fit(x, y, optimizer=bpfast.SGD(0.1))``. An error together with an
        optimizer object, which has its own. A schedule with a state, such as `Plateau`, is copied.
        A callable schedule is called for many steps in advance, and must not change the
        optimizer.
    shuffle : bool, optional
        Whether each epoch has a new random order; True by default. Batches of an iterable are not
        shuffled, so True is an error for them.
    validation : (x, y), (x, y, sample_weight) or float, optional
        Examples whose cost and metrics are computed after each epoch, or the fraction of the
        examples to hold out for this, drawn at random from the seed.
    metrics : str or callable, list of these or dict of str to these, default ()
        What to compute after each epoch for the training and the validation examples: "accuracy",
        "subset_accuracy", "binary_accuracy", "mean_squared_error", "mean_absolute_error", "r2", or
        your own ``metric(a, y) -> float``. Functions of ``sklearn.metrics`` are called with y
        first, as these expect, and those that compare classes with classes. The column is named by
        the key of the dict, or by the function. Metrics ignore weights, and need one forward pass
        per epoch over each of the two sets. Batches of an iterable are not measured; they need
        validation examples.

        The meaning of "accuracy" depends on all of y. If each example has one class, by a label or
        a row, it is the fraction of examples whose largest output is that class. (A row such as
        (0.5, 0.5, 0) has two most likely classes: either is right with softmax outputs, and the row
        is an error with sigmoid outputs.) If y of several outputs is 0 and 1, it is
        "subset_accuracy", the fraction of examples with all outputs on the correct side of 1/2.
        Multi-label y in which each row happens to have a single 1 looks like classes: pass
        "subset_accuracy" for multi-label y. "binary_accuracy" is the fraction of outputs on the
        correct side.
    l1, l2 : float, default 0
        Penalties on the weights, not on the biases. Nielsen's λ is l2 times the number of examples.
    dropout : float or list of float, default 0
        The probability that a hidden neuron is dropped for an example, one for all hidden layers or
        one per layer. Kept neurons are scaled by 1/(1 - p).
    max_norm : float, optional
        After each step, the weights into a neuron are scaled down to this norm if they are longer.
    clip_norm : float, optional
        The gradient of C, over all parameters, is scaled down to this norm if it is longer.
    class_weight : dict or "balanced", optional
        The weight of the examples of each class in the steps, 1 for classes that are not given. It
        multiplies `sample_weight`. "balanced": n / (classes · examples of the class). y must have
        one class per example.
    sample_weight : array_like, (n,), optional
        The weight s_x of each example, finite, at least one above 0. Only ratios matter: the cost
        is Σ s_x C_x over the sum of the weights' absolute values. A negative weight raises C_x, as
        in a policy gradient.
    early_stopping : int or EarlyStopping, optional
        Stop after this many epochs without a better validation cost, or without a better cost if
        there is no validation. The network then gets its best parameters back.
    callbacks : callable or list of callable, default ()
        Called as ``callback(net, history)`` after each epoch. Return True to stop. An exception
        propagates. A callback may change the parameters, the learning rate and the optimizer's
        state.
    progress : bool, default False
        Show a tqdm progress bar, or print a line per epoch if tqdm is not installed.
    seed : None, int, Generator, BitGenerator or SeedSequence
        Determines the order of each epoch, dropout, and which examples are held out. An integer
        from 0 to 2^63 - 1 gives the same bits each time. From a generator of ``numpy.random`` one
        integer is drawn, ``rng.integers(2**63)``. None: an integer from the system's random source.
        ``history.seed`` is the integer.
    sparse : bool, optional
        Whether to compute only with the nonzero elements of a dense x. True: always. False: never.
        By default, if few enough elements are nonzero for this to be faster. Results are equal up
        to rounding. True is an error with batches of an iterable.
    check_finite : bool, default True
        Whether the training stops with an error if the cost of a step or a parameter becomes NaN or
        infinite.
    checkpoint : str, bytes or os.PathLike, optional
        A file to write after epochs and at the end, from which the training can be continued: see
        *Checkpoints* in the manual. An existing file is replaced.
    every : int, optional
        With `checkpoint`: write after every `every` epochs, 1 by default.
    resume : bool, str, bytes or os.PathLike, optional
        The checkpoint to continue from, until there are `epochs` epochs in total, with the bits of
        an uninterrupted training. True: the file of `checkpoint` if it exists; otherwise the
        training starts from the beginning.

    Returns
    -------
    History
        Cost and metrics by epoch. ``cost`` is Σ s_x C_x / Σ \|s_x\| over the examples of the epoch,
        or Σ s_x C_x / n for batches of an iterable, without penalties. Each C_x is computed with
        the parameters before its step.

    Raises
    ------
    ValueError
        An argument is out of range or has no effect; shapes do not match; x, y or the parameters
        contain NaN or infinity; the cost has no minimum for y, as for values below 0 or above 1
        with cross_entropy and below 0 with log_likelihood and poisson; a cost or schedule changes
        the parameters or the optimizer during a step; another training uses the network, the
        optimizer or the early stopping; or a checkpoint is damaged or belongs to a training with
        other arguments.
    TypeError
        An argument has the wrong type.
    DivergenceError
        The numbers are no longer finite. The network keeps the last finite parameters.
    OSError
        A checkpoint cannot be written, and the old file is unchanged; or it cannot be read.

    Warns
    -----
    UserWarning
        With quadratic, huber or absolute cost, y is far outside the range of the outputs, or has
        another scale than about 1; with log_likelihood, a row of y is all 0. Not checked for memory
        maps and batches. Or the cost has grown to more than 1,000,000 times that of the first step.

    Notes
    -----
    The same seed gives the same bits at any number of threads. After Ctrl-C or any other exception,
    the parameters are those of the last completed step, ``net.optimizer`` has counted the completed
    steps, and ``net.history`` has the completed epochs.

    References
    ----------
    Nielsen, *Neural Networks and Deep Learning*, ch. 1 and 3.

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
    epochs = integer("epochs", epochs, 1)
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
    optimizer = parse_optimizer(optimizer, fresh_rate(learning_rate))
    stopping = parse_early_stopping(early_stopping)
    calls = parse_callbacks(callbacks)
    measures = parse_metrics(metrics)
    ticket = object()
    try:
        lock(ticket, network=self, optimizer=optimizer, early_stopping=stopping)
        refuse_another_network(optimizer, self)
        request = Request(self, settings, optimizer, validation, measures)
        weights: dict[str, Any] = {"class_weight": class_weight, "sample_weight": sample_weight}
        if y is None:
            arrays = {
                "batch_size": batch_size,
                "shuffle": shuffle or None,
                "sparse": sparse or None,
            }
            refuse_with_batches(validation, weights=weights, arrays=arrays)
            data = parts_of_batches(request, x)
        else:
            data = parts_of_arrays(request, x, y, **weights)
        training = Training(
            self,
            TrainerRunner(self, data.trainer, data.source, optimizer, calls),
            settings,
            optimizer,
            History(seed=settings.seed),
            EndOfEpoch(data.metrics, data.training, data.validation, stopping, calls),
        )
        begins_anew = checkpoints.read is None
        checkpoints.begin(training, epochs, share=data.share, **weights)
        # After the checkpoint was accepted, because a refused one must not change anything.
        if stopping is not None and begins_anew:
            stopping.reset()
        training.run(epochs, progress, checkpoints.save)
        return training.history
    finally:
        RUNNING.pop(ticket, None)
