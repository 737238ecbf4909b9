"""The training on the driver, whose examples are in shards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bpfast._training.locks import RUNNING, lock, refuse_another_network
from bpfast._training.loop import EndOfEpoch, Training
from bpfast.distributed._prepare import checked, hold_out, weigh_classes
from bpfast.distributed._steps.lbfgs import minimise
from bpfast.distributed._steps.runner import ShardRunner
from bpfast.history._history import History

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfast._network import Network
    from bpfast._training.checkpoint.policy import CheckpointPolicy
    from bpfast.distributed._engines.engine import Engine
    from bpfast.distributed._plan import Plan
    from bpfast.distributed._prepare import Shards
    from bpfast.distributed._settings import ShardSettings
    from bpfast.distributed._shards.task import Model
    from bpfast.optimizers import Optimizer


@dataclass(frozen=True, kw_only=True)
class ShardTraining:
    """What `fit` was called with, checked; the data are found later, by an engine.

    Attributes
    ----------
    net, model : Network and Model
        The network, and what a shard needs of it.
    settings, optimizer, checkpoints : ShardSettings, Optimizer and CheckpointPolicy
        How to train, and which files to read and write.
    end : EndOfEpoch
        Metrics, callbacks, early stopping, and validation examples on the driver if there are any.
    share : float or None
        The fraction of all examples to hold out in their shards instead.
    class_weight : dict or "balanced" or None
        The weights of the classes.
    epochs : int
        The number of epochs.
    progress : bool
        Whether to show a progress bar.
    """

    net: Network
    model: Model
    settings: ShardSettings
    optimizer: Optimizer
    checkpoints: CheckpointPolicy
    end: EndOfEpoch
    share: float | None
    class_weight: Mapping[int, float] | str | None
    epochs: int
    progress: bool

    def run(self, engine: Engine) -> History:
        """Train on the shards of the engine."""
        shards = checked(engine, self.model, finite=self.settings.check_finite)
        weighted = None if shards.plan.mean_weight is None else shards.plan
        training, runner = self._prepared(shards)
        ticket, stopping = object(), self.end.early_stopping
        try:
            lock(ticket, network=self.net, optimizer=self.optimizer, early_stopping=stopping)
            refuse_another_network(self.optimizer, self.net)
            self._begin(training, weighted)
            if self.settings.method == "lbfgs":
                minimise(training, runner, {"maxiter": self.epochs})
            else:
                training.run(self.epochs, self.progress, self.checkpoints.save)
            return training.history
        finally:
            RUNNING.pop(ticket, None)

    def _prepared(self, shards: Shards) -> tuple[Training, ShardRunner]:
        """The training and its steps, after examples are held out and the classes are weighed."""
        net, settings, end = self.net, self.settings, self.end
        if self.share is not None:
            held_out, metrics = hold_out(shards, net, self.share, settings.seed, {**end.metrics})
            end = end._replace(validation=held_out, metrics=metrics)
        if self.class_weight is not None:
            weigh_classes(shards, self.class_weight, net.sizes[-1])
        settings.shards = shards.plan.shards
        runner = ShardRunner(net, settings, self.optimizer, shards)
        history = History(seed=settings.seed)
        return Training(net, runner, settings, self.optimizer, history, end), runner

    def _begin(self, training: Training, weighted: Plan | None) -> None:
        """Read the checkpoint, if there is one; early stopping begins anew without one."""
        stopping, begins_anew = self.end.early_stopping, self.checkpoints.read is None
        self.checkpoints.begin(
            training,
            self.epochs,
            share=self.share,
            class_weight=self.class_weight,
            sample_weight=weighted,
        )
        if stopping is not None and begins_anew:
            stopping.reset()
