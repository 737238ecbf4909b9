"""`Network.partial_fit`: check the arguments and take the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpfast import _core
from bpfast._training.arguments.optimizer import parse_optimizer
from bpfast._training.arguments.settings import ARGUMENT_SYNONYMS, Settings
from bpfast._training.arguments.training_data import WHOLE_BATCH, new_source, new_trainer
from bpfast._training.data.examples import Examples
from bpfast._training.locks import RUNNING, lock, refuse_another_network
from bpfast._training.loop import EndOfEpoch, Training
from bpfast._training.steps.runner import TrainerRunner
from bpfast._validation.names import by_name
from bpfast._validation.network import check_network
from bpfast.history._history import History
from bpfast.schedules._rates import as_schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike

    from bpfast._network import Network
    from bpfast._typing import OptimizerName
    from bpfast._validation.seed import Seed
    from bpfast.optimizers import Optimizer
    from bpfast.optimizers._optimizer import Rate


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
    r"""Take one step with all given examples, or several steps in order with `batch_size`.

    Each step changes the parameters by the gradient of Σ s_x C_x / n + l2/2 Σ w² + l1 Σ \|w\| over
    its n examples.

    Parameters
    ----------
    x : array_like or SciPy sparse, (n, n_1)
        The examples, one per row. Other dtypes are converted to the network's.
    y : array_like, (n, n_L) or (n,)
        The targets; shape (n,) for a single output. With cross_entropy and log_likelihood also
        class labels of shape (n,), from 0 to n_L - 1 (0 or 1 if n_L = 1).
    batch_size : int, optional
        The number of examples per step, in their given order. Default: all in one step.
    optimizer : str or Optimizer, optional
        One of `bpfast.optimizers`, or a name: "sgd", "adam", "adamw", "rmsprop" or "adagrad".
        Default: the optimizer of the last training of this network, or a new Adam. The name of its
        kind continues with it too; another name starts a new optimizer.
    learning_rate : float or schedule, optional
        The learning rate of an optimizer given by name or omitted. If the optimizer of the last
        training continues, its `learning_rate` is set to this one and its state is kept.
    l1, l2 : float, default 0
        Penalties on the weights, not on the biases.
    dropout : float or list of float, default 0
        The probability that a hidden neuron is dropped for an example, one for all hidden layers or
        one per layer. Kept neurons are scaled by 1/(1 - p).
    max_norm : float, optional
        After each step, the weights into a neuron are scaled down to this norm if they are longer.
    clip_norm : float, optional
        The gradient of C, over all parameters, is scaled down to this norm if it is longer.
    class_weight : dict, optional
        The weight of the examples of each class, 1 for classes that are not given. "balanced" is an
        error, because it needs the classes of all examples.
    sample_weight : array_like, (n,), optional
        The weight s_x of each example, used as given: finite, of either sign, such as the
        advantages of a policy gradient. If all are 0, penalties and momentum still apply.
    seed : None, int, Generator, BitGenerator or SeedSequence
        Determines dropout, together with the number of the step. An integer from 0 to 2^63 - 1 is
        used as it is, from a generator one integer is drawn, and None draws one from the system's
        random source.
    check_finite : bool, default True
        Whether a cost of a step or a parameter that is NaN or infinite is an error.

    Returns
    -------
    float
        Σ s_x C_x / n over all n examples, without penalties. Each C_x is computed with the
        parameters before its step.

    Raises
    ------
    ValueError
        An argument is out of range; shapes do not match; x, y or the parameters contain NaN or
        infinity; the cost has no minimum for y; a cost or schedule changes the parameters or the
        optimizer during the step; or another training uses the network or the optimizer.
    TypeError
        An argument has the wrong type.
    DivergenceError
        The numbers are no longer finite. The network keeps the last finite parameters.

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
        batch_size=WHOLE_BATCH if batch_size is None else batch_size,
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
        # Validated here, before anything is changed, and assigned after all other checks.
        rate = None if learning_rate is None else as_schedule("learning_rate", learning_rate)
    else:
        optimizer = parse_optimizer("adam" if optimizer is None else optimizer, learning_rate)
        rate = None
    ticket = object()
    try:
        lock(ticket, network=self, optimizer=optimizer)
        refuse_another_network(optimizer, self)
        data = Examples(self, x, y, sample_weight, signed=True)
        data.add_class_weight(class_weight)
        trainer = new_trainer(self, settings, optimizer, settings.batch_size)
        training = Training(
            self,
            TrainerRunner(self, trainer, new_source(trainer, settings, data), optimizer),
            settings,
            optimizer,
            History(),
            EndOfEpoch(),
        )
        if rate is not None and learning_rate is not None:
            optimizer.learning_rate = learning_rate
        _core.set_training(self, self.history, optimizer)
        return training.train_once()
    finally:
        RUNNING.pop(ticket, None)
