"""The solvers "sgd" and "adam": from the parameters of an estimator to a training."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from bpfast import _core
from bpfast._training.arguments.settings import Settings
from bpfast._training.arguments.training_data import check_cost, new_source, parse_callbacks
from bpfast._training.arguments.unusual_targets import warn_of_targets
from bpfast._training.data.examples import Examples
from bpfast._training.locks import RUNNING, lock, refuse_another_network
from bpfast._training.loop import EndOfEpoch
from bpfast._training.steps.runner import TrainerRunner
from bpfast._validation.caller import stack_level
from bpfast.history._history import History
from bpfast.optimizers import SGD, Adam
from bpfast.sklearn._random import training_seed
from bpfast.sklearn._solvers.convergence import Convergence
from bpfast.sklearn._solvers.training import EstimatorTraining, Penalty
from bpfast.sklearn._targets.validation import HeldOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfast._network import Network
    from bpfast.optimizers import Optimizer
    from bpfast.sklearn._solvers.checkpoints import Start

# scikit-learn allows a momentum of 1.
MAX_MOMENTUM = np.nextafter(1.0, 0.0)
AUTO_BATCH_SIZE = 200


class Data(NamedTuple):
    """Examples as the network takes them."""

    x: Any
    y: Any
    weight: Any


class Problem(NamedTuple):
    """What a training minimises, and what it is measured by after each epoch."""

    data: Data
    loss_scale: float  # times the cost of the network: the loss of the estimator
    validation: Data | None
    score: Callable[[float], float] | None  # of an epoch, from its validation cost


def new_optimizer(estimator: Any) -> Optimizer:
    """The optimizer of an estimator's parameters."""
    schedule = estimator.learning_rate
    # A copy, because a training may change the state of a schedule.
    rate = estimator.learning_rate_init if isinstance(schedule, str) else deepcopy(schedule)
    if estimator.solver == "adam":
        return Adam(rate, beta1=estimator.beta_1, beta2=estimator.beta_2, epsilon=estimator.epsilon)
    momentum = min(estimator.momentum, MAX_MOMENTUM)
    nesterov = bool(estimator.nesterovs_momentum) and momentum > 0
    return SGD(rate, momentum=momentum, nesterov=nesterov)


def batch_size(estimator: Any, n: int) -> int:
    """The number of examples of a step, at most `n`."""
    if isinstance(estimator.batch_size, str):
        return min(AUTO_BATCH_SIZE, n)
    if estimator.batch_size > n:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=stack_level(),
        )
    return min(int(estimator.batch_size), n)


def fit_stochastic(estimator: Any, net: Network, problem: Problem, start: Start) -> bool:
    """Train `net`, and set the attributes of the estimator after each epoch.

    Returns whether the training has a result: not if its loss is no longer finite and no parameters
    are restored.
    """
    data = problem.data
    weight_mean = 1.0 if data.weight is None else float(np.abs(data.weight).mean())
    options, penalty = step_options(
        estimator, data.x.shape[0], weight_mean, seed_of(estimator, start)
    )
    settings = Settings(net, sparse=None, **options)
    optimizer = getattr(estimator, "_optimizer", None) if start.incremental else None
    if optimizer is None:
        optimizer = new_optimizer(estimator)
    training = _new_training(estimator, net, problem, optimizer, settings, penalty)
    return run(estimator, training, start, data.weight)


def run(estimator: Any, training: EstimatorTraining, start: Start, weight: Any) -> bool:
    """Run a training, whose `weight` is None if the examples have none; see `fit_stochastic`."""
    net, optimizer = training.net, training.optimizer
    ticket = object()
    try:
        lock(ticket, network=net, optimizer=optimizer)
        refuse_another_network(optimizer, net)
        estimator._optimizer = optimizer
        epochs = 1 if start.incremental else int(estimator.max_iter)
        start.checkpoints.begin(
            training, epochs, share=None, class_weight=None, sample_weight=weight
        )
        if len(training.history):
            training.resume()
        elif training.convergence.restore_best:
            training.best = _core.copy_params(net)
        try:
            training.run(epochs, False, start.checkpoints.save)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=stack_level())
            if training.best is not None:
                _core.assign_params(net, training.best)
    finally:
        RUNNING.pop(ticket, None)
    if training.history.stopped == "diverged" and training.best is None:
        return False
    if not start.incremental:
        _warn(estimator, training.history)
    return True


def seed_of(estimator: Any, start: Start) -> int:
    """The seed of a training."""
    if start.seed is not None:
        return start.seed
    seed = training_seed(estimator.random_state, start.random)
    if estimator.warm_start and not start.incremental:
        # Else each fit of a loop would drop the same neurons of the same examples.
        seed += int(estimator.t_) * bool(np.any(np.asarray(estimator.dropout) != 0))
    return seed


def step_options(
    estimator: Any, n: int, weight_mean: float, seed: int
) -> tuple[dict[str, Any], Penalty]:
    """The settings of the steps on n examples, with the penalties of a full mini-batch.

    Returns them, and the penalty.
    """
    size = batch_size(estimator, n)
    penalty = Penalty(float(estimator.alpha), float(estimator.l1), weight_mean)
    divisor = size * weight_mean
    options = {
        "batch_size": size,
        "l1": penalty.l1 / divisor if divisor else 0.0,
        "l2": penalty.alpha / divisor if divisor else 0.0,
        "dropout": estimator.dropout,
        "max_norm": estimator.max_norm,
        "clip_norm": estimator.clip_norm,
        "shuffle": bool(estimator.shuffle),
        "seed": seed,
        "check_finite": False,
    }
    return options, penalty


def _new_training(
    estimator: Any,
    net: Network,
    problem: Problem,
    optimizer: Optimizer,
    settings: Settings,
    penalty: Penalty,
) -> EstimatorTraining:
    """The training on the examples, which are checked against the network."""
    data = problem.data
    examples = Examples(net, data.x, data.y, data.weight, signed=True)
    examples.weigh(None)
    if net.config["output"] != "identity":  # of any scale, as in scikit-learn
        warn_of_targets(net, examples.y, examples.sample_weight)
    trainer = _core.Trainer(
        net, optimizer._rule(), settings.batch_size, settings, penalty_per_example=True
    )
    source = new_source(trainer, settings, examples)
    held_out = None
    if problem.validation is not None:
        held_out = HeldOut(net, *problem.validation)
        check_cost(held_out, settings)
    callbacks = parse_callbacks(() if estimator.callbacks is None else estimator.callbacks)
    return EstimatorTraining(
        net,
        TrainerRunner(net, trainer, source, optimizer, callbacks),
        settings,
        optimizer,
        History(seed=settings.seed),
        EndOfEpoch(
            validation=held_out,
            early_stopping=new_convergence(estimator, by_score=held_out is not None),
            callbacks=callbacks,
        ),
        estimator=estimator,
        penalty=penalty,
        loss_scale=problem.loss_scale,
        score=problem.score,
    )


def new_convergence(estimator: Any, *, by_score: bool) -> Convergence:
    """The rule that ends a training; it continues with the figures of the last one."""
    by_score = by_score and estimator.early_stopping
    monitor: Any = "validation_score" if by_score else "loss"
    convergence = Convergence(monitor, estimator.tol, estimator.n_iter_no_change)
    best = estimator.best_validation_score_ if by_score else estimator.best_loss_
    if best is not None and np.isfinite(best):
        convergence.best, convergence.best_epoch = best, 0
    convergence.count = estimator._no_improvement_count
    return convergence


def _warn(estimator: Any, history: History) -> None:
    if history.stopped == "diverged":
        text = "Stochastic Optimizer: the loss is no longer finite, and the optimization has ended."
    elif history.stopped is None and estimator.n_iter_ >= estimator.max_iter:
        text = (
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the "
            "optimization hasn't converged yet."
        )
    else:
        return
    warnings.warn(text, ConvergenceWarning, stacklevel=stack_level())
