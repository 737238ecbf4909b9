"""The solvers "sgd" and "adam": from the parameters of an estimator to a training."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from bpfast import _core
from bpfast._training.arguments.settings import Settings
from bpfast._training.arguments.training_data import check_cost, new_source, parse_callbacks
from bpfast._training.arguments.unusual_targets import warn_of_targets
from bpfast._training.data.examples import Examples
from bpfast._training.locks import RUNNING, lock, refuse_another_network
from bpfast._validation.caller import stack_level
from bpfast.history._history import History
from bpfast.optimizers import SGD, Adam
from bpfast.sklearn._random import training_seed
from bpfast.sklearn._solvers.convergence import Convergence
from bpfast.sklearn._solvers.trainer import EstimatorTrainer
from bpfast.sklearn._solvers.training import EstimatorTraining, Penalty
from bpfast.sklearn._targets.validation import HeldOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfast._network import Network
    from bpfast.optimizers import Optimizer
    from bpfast.sklearn._solvers.checkpoints import Start

# scikit-learn allows a momentum of 1.
MOST_MOMENTUM = np.nextafter(1.0, 0.0)
AUTO_BATCH_SIZE = 200


class Data(NamedTuple):
    """Examples as the network takes them."""

    x: Any
    y: Any
    weight: Any


def new_optimizer(estimator: Any) -> Optimizer:
    """The optimizer of an estimator's parameters."""
    schedule = estimator.learning_rate
    # A copy, because a training may change the state of a schedule.
    rate = estimator.learning_rate_init if isinstance(schedule, str) else deepcopy(schedule)
    if estimator.solver == "adam":
        return Adam(rate, beta1=estimator.beta_1, beta2=estimator.beta_2, epsilon=estimator.epsilon)
    momentum = min(estimator.momentum, MOST_MOMENTUM)
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


def fit_stochastic(
    estimator: Any,
    net: Network,
    data: Data,
    validation: Data | None,
    *,
    loss_scale: float,
    score: Callable[[float], float] | None,
    start: Start,
) -> bool:
    """Train `net`, and set the attributes of the estimator after each epoch.

    `loss_scale` times the cost of the network is the loss of the estimator. Returns whether the
    training has a result: not if its loss is no longer finite and no parameters are restored.
    """
    callbacks = () if estimator.callbacks is None else estimator.callbacks
    checkpoints, incremental, seed = start.checkpoints, start.incremental, start.seed
    if seed is None:
        seed = training_seed(estimator.random_state, start.random)
    n = data.x.shape[0]
    size = batch_size(estimator, n)
    weight_mean = 1.0 if data.weight is None else float(np.abs(data.weight).mean())
    penalty = Penalty(float(estimator.alpha), float(estimator.l1), weight_mean)
    divisor = size * weight_mean
    settings = Settings(
        net,
        batch_size=size,
        l1=penalty.l1 / divisor if divisor else 0.0,
        l2=penalty.alpha / divisor if divisor else 0.0,
        dropout=estimator.dropout,
        max_norm=estimator.max_norm,
        clip_norm=estimator.clip_norm,
        shuffle=bool(estimator.shuffle),
        seed=seed,
        check_finite=False,
        sparse=None,
    )
    optimizer = getattr(estimator, "_optimizer", None) if incremental else None
    if optimizer is None:
        optimizer = new_optimizer(estimator)
    convergence = new_convergence(estimator, by_score=validation is not None)
    ticket = object()
    try:
        lock(ticket, network=net, optimizer=optimizer)
        refuse_another_network(optimizer, net)
        examples = Examples(net, data.x, data.y, data.weight, signed=True)
        examples.weigh(None)
        if net.config["output"] != "identity":  # of any scale, as in scikit-learn
            warn_of_targets(net, examples.y, examples.sample_weight)
        batches = cast("_core.Trainer", EstimatorTrainer(net, optimizer, settings))
        source = new_source(batches, settings, examples)
        held_out = None
        if validation is not None:
            held_out = HeldOut(net, *validation)
            check_cost(held_out, settings)
        training = EstimatorTraining(
            net,
            batches,
            settings,
            source,
            optimizer,
            History(seed=settings.seed),
            metrics={},
            training=None,
            validation=held_out,
            early_stopping=convergence,
            callbacks=parse_callbacks(callbacks),
            estimator=estimator,
            loss_scale=loss_scale,
            penalty=penalty,
            score=score,
        )
        estimator._optimizer = optimizer
        epochs = 1 if incremental else int(estimator.max_iter)
        checkpoints.begin(
            training, epochs, share=None, class_weight=None, sample_weight=data.weight
        )
        if len(training.history):
            training.resume()
        elif convergence.restore_best:
            training.best = _core.copy_params(net)
        try:
            training.run(epochs, False, checkpoints.save)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=stack_level())
            if training.best is not None:
                _core.assign_params(net, training.best)
    finally:
        RUNNING.pop(ticket, None)
    if training.history.stopped == "diverged" and training.best is None:
        return False
    if not incremental:
        _warn(estimator, training.history)
    return True


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
