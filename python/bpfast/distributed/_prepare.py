"""What happens to the shards before the first step: checks, held-out examples, class weights."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bpfast._training.arguments.weights import balanced, parse_class_weight
from bpfast._training.data.held_out import refuse_zero_weights, split_rows
from bpfast._validation.numbers import format_number
from bpfast.distributed._held_out import HeldOutExamples
from bpfast.distributed._plan import Plan
from bpfast.distributed._shards.changes import HoldOut, WeighClasses
from bpfast.distributed._shards.facts import CheckShard, Count, CountClasses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpfast._network import Network
    from bpfast._typing import Metric
    from bpfast.distributed._engines.engine import Engine
    from bpfast.distributed._shards.facts import ShardFacts
    from bpfast.distributed._shards.task import Model


@dataclass
class Shards:
    """The shards of a training, wherever they are."""

    engine: Engine
    model: Model
    plan: Plan
    # The number of the first row of each shard among all rows that the user gave.
    first: list[int]

    def check(self, *, finite: bool) -> None:
        """Raise ValueError for numbers that cannot be used, by the number of their row."""
        self.engine.run(CheckShard(self.model, self.first, finite=finite))


def checked(engine: Engine, model: Model, *, finite: bool) -> Shards:
    """The shards as the user gave them, after all checks.

    Raises
    ------
    ValueError
        Shards do not fit each other, or have numbers that cannot be used.
    """
    engine.refuse_other_shards(model)
    plan = Plan(engine.run(Count(model)))
    shards = Shards(engine, model, plan, plan.first)
    shards.check(finite=finite)
    return shards


def hold_out(
    shards: Shards, net: Network, share: float, seed: int, metrics: dict[str, Metric]
) -> tuple[HeldOutExamples, dict[str, Metric]]:
    """Hold out a fraction of all examples, the same rows as `Network.fit` with this seed.

    Returns them, and the metrics for their y.

    Raises
    ------
    ValueError
        One of the two parts would be empty or have only weights of 0, or a weight of a held-out
        example is negative.
    """
    n, engine, model = shards.plan.n, shards.engine, shards.model
    _, held_rows = split_rows(share, n, seed)
    rows = shards.plan.by_shard(held_rows.astype(np.int64))
    engine.change(HoldOut({number: of_shard for number, (of_shard, _) in rows.items()}))
    facts = engine.run(Count(model, held_out=True))
    _refuse_negative(facts, shards.first)
    others = engine.run(Count(model))
    refuse_zero_weights(trained_on=_has_weight(others), held_out=_has_weight(facts))
    shards.plan = Plan(others)
    examples = HeldOutExamples(shards, net, facts)
    return examples, examples.metrics_for(metrics)


def _has_weight(facts: tuple[ShardFacts, ...]) -> bool:
    """Whether an example has a weight above 0, or none has a weight."""
    weights = [fact.weights for fact in facts]
    return None in weights or any(weights)


def _refuse_negative(facts: tuple[ShardFacts, ...], first: list[int]) -> None:
    """Raise ValueError if a weight of a validation is negative: its cost is a mean."""
    for number, fact in enumerate(facts):
        if fact.first_negative is not None:
            row, weight = fact.first_negative
            expected = "a finite weight, 0 or above, of the examples for validation"
            got = format_number(weight)
            where = f"shard {number}: sample_weight[{first[number] + row}]"
            raise ValueError(f"{where}: expected {expected}, got {got}")


def weigh_classes(shards: Shards, class_weight: Mapping[int, float] | str, outputs: int) -> None:
    """Multiply the weights of the examples by those of their classes.

    "balanced" counts the classes of all examples that are trained on, in all shards.

    Raises
    ------
    ValueError
        An example does not have one class, or no weight is above 0.
    """
    engine, model = shards.engine, shards.model
    counts = Counter[int]()
    for of_shard in engine.run(CountClasses(model)):
        counts.update(of_shard)
    weights = parse_class_weight(class_weight, outputs)
    engine.change(WeighClasses(balanced(counts) if weights is None else weights, outputs))
    shards.plan = Plan(engine.run(Count(model)), "class_weight")
