"""`fit` on the workers of a Dask cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._training.arguments.training_data import check_cost, parse_callbacks
from bpfast._training.loop import EndOfEpoch, Training
from bpfast._training.stopping.divergence import DivergenceError
from bpfast.distributed._arguments import refuse_step_monitors
from bpfast.distributed._engines.choice import connect
from bpfast.distributed._prepare import checked, hold_out, weigh_classes
from bpfast.distributed._settings import ShardSettings
from bpfast.distributed._shards.task import Model
from bpfast.distributed._steps.lbfgs import minimise
from bpfast.distributed._steps.runner import ShardRunner
from bpfast.history._history import History
from bpfast.optimizers import SGD
from bpfast.sklearn._distributed.examples import class_weight_of, shards_of
from bpfast.sklearn._distributed.score import score_of
from bpfast.sklearn._solvers import lbfgs, stochastic
from bpfast.sklearn._solvers.training import EstimatorTraining
from bpfast.sklearn._targets import validation

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpfast._network import Network
    from bpfast._training.data.examples import Measured
    from bpfast.distributed._engines.engine import Engine
    from bpfast.sklearn._solvers.checkpoints import Start
    from bpfast.sklearn._targets.examples import EstimatorExamples
    from bpfast.sklearn._targets.validation import Rows


def fit_stochastic(
    estimator: Any,
    client: Any,
    net: Network,
    examples: EstimatorExamples,
    held_out: Rows | None,
    start: Start,
) -> bool:
    """Train `net` by the solver "sgd" or "adam". Returns whether the training has a result.

    `held_out` are the validation examples of this process. Without them, `early_stopping` holds out
    dask data where they are.
    """
    seed = stochastic.seed_of(estimator, start)
    callbacks = parse_callbacks(() if estimator.callbacks is None else estimator.callbacks)
    refuse_step_monitors(callbacks)
    optimizer, scale = stochastic.new_optimizer(estimator), estimator._loss_scale()
    has_result = False

    def train(engine: Engine) -> History:
        nonlocal has_result
        shards = checked(engine, model, finite=True)
        weighted = shards.plan.mean_weight
        if examples.rows is None:
            start.checkpoints.describe_dask(shards.plan.n, examples.n_features)
        measured: Measured | None = None
        score: Callable[[float], float] | None = None
        if held_out is not None:
            targets = estimator._targets(held_out.y, net)
            measured = validation.HeldOut(net, held_out.x, targets, held_out.weight)
            score = validation.score_of(estimator, net, held_out, scale)
        elif estimator.early_stopping:
            measured, _ = hold_out(shards, net, estimator.validation_fraction, seed, {})
            score = score_of(estimator, measured, scale)
        if class_weight is not None:
            weigh_classes(shards, class_weight, net.sizes[-1])
        plan = shards.plan
        options, penalty = stochastic.step_options(estimator, plan.n, plan.mean_weight or 1.0, seed)
        settings = ShardSettings(net, "steps", 1, **options)
        settings.shards = plan.shards
        if isinstance(measured, validation.HeldOut):
            check_cost(measured, settings)
        if measured is not None:
            estimator._begin_validation()
        end = EndOfEpoch(
            validation=measured,
            early_stopping=stochastic.new_convergence(estimator, by_score=measured is not None),
            callbacks=callbacks,
        )
        training = EstimatorTraining(
            net, ShardRunner(net, settings, optimizer, shards, penalty_per_example=True),
            settings, optimizer, History(seed=seed), end,
            estimator=estimator, penalty=penalty, loss_scale=scale, score=score,
        )  # fmt: skip
        has_result = stochastic.run(estimator, training, start, weighted)
        return training.history

    class_weight = class_weight_of(estimator, examples)
    model = Model.of(net)
    data = shards_of(estimator, examples, net)
    connect(net, optimizer, model, data, client=client, comm=None)(train)
    return has_result


def fit_lbfgs(estimator: Any, client: Any, net: Network, examples: EstimatorExamples) -> bool:
    """Train `net` by L-BFGS in float64, with SciPy in this process.

    Returns whether there is a result: not if the loss of the start is not finite.
    """
    work = net if net.dtype == np.float64 else net.astype(np.float64)
    optimizer = SGD()  # not used
    has_result = False

    def train(engine: Engine) -> History:
        nonlocal has_result
        shards = checked(engine, model, finite=True)
        if shards.plan.has_negative:
            expected = "weights of 0 or above with solver='lbfgs' on a cluster"
            raise ValueError(f"sample_weight: expected {expected}, got one below 0")
        if class_weight is not None:
            weigh_classes(shards, class_weight, net.sizes[-1])
        plan = shards.plan
        alpha = float(estimator.alpha) / (plan.n * (plan.mean_weight or 1.0))
        settings = ShardSettings(
            work, "lbfgs", 1, batch_size=None, l1=0.0, l2=alpha, dropout=0.0, max_norm=None,
            clip_norm=None, shuffle=None, seed=0, check_finite=True,
        )  # fmt: skip
        runner = ShardRunner(work, settings, optimizer, shards)
        training = Training(work, runner, settings, optimizer, History(), EndOfEpoch())
        try:
            found = minimise(training, runner, lbfgs.options_of(estimator))
        except DivergenceError:
            return training.history
        if work is not net:
            net.params[...] = work.params
        lbfgs.finish(estimator, work, found, alpha, estimator._loss_scale())
        has_result = True
        return training.history

    class_weight = class_weight_of(estimator, examples)
    model = Model.of(work)
    data = shards_of(estimator, examples, work)
    connect(work, optimizer, model, data, client=client, comm=None)(train)
    return has_result
