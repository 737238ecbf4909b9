"""Checks of arguments of `fit` that `Network.fit` does not have, or has with another meaning."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from bpfast._training.arguments.training_data import check_cost, parse_validation
from bpfast._training.metrics.named import parse as parse_metrics
from bpfast._training.steps.monitor import step_monitors
from bpfast._validation.naming import naming
from bpfast._validation.numbers import is_number, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfast._network import Network
    from bpfast._training.data.examples import Examples
    from bpfast._training.loop import Callback
    from bpfast._typing import Metric
    from bpfast.distributed._settings import ShardSettings

ShardMethod: TypeAlias = Literal["steps", "full", "lbfgs", "local"]
METHODS: tuple[str, ...] = get_args(ShardMethod)
# What each method does not use.
UNUSED_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "steps": ("average_every",),
    "full": ("average_every", "batch_size", "shuffle"),
    "lbfgs": (
        "average_every", "batch_size", "shuffle", "optimizer", "learning_rate", "l1", "dropout",
        "max_norm", "clip_norm", "progress", "checkpoint", "resume",
    ),
    "local": (),
}  # fmt: skip


def is_zero(value: Any) -> bool:
    """Whether a number is 0, which has no effect."""
    return is_number(value) and float(value) == 0


def refuse_unused(method: str, **given: Any) -> None:
    """Raise ValueError for an argument that is not None although the method does not use it.

    Examples
    --------
    >>> refuse_unused("full", average_every=None, batch_size=10, shuffle=None)
    Traceback (most recent call last):
    ValueError: batch_size: expected none with method='full', got 10
    """
    for name in UNUSED_ARGUMENTS[method]:
        if given[name] is not None:
            raise ValueError(f"{name}: expected none with method={method!r}, got {given[name]!r}")


def need_scipy() -> None:
    """Raise ImportError without SciPy, which only the driver imports."""
    if find_spec("scipy") is None:
        raise ImportError("method='lbfgs' needs SciPy: pip install scipy")


def refuse_step_monitors(callbacks: Sequence[Callback]) -> None:
    """Raise ValueError for a callback that records steps."""
    for k, callback in enumerate(callbacks):
        if step_monitors([callback]):
            expected = "a Monitor of epochs, as steps are not recorded here"
            raise ValueError(f"callbacks[{k}]: expected {expected}, got one with every_steps")


def parse_held_out(
    net: Network, validation: Any, metrics: Any, settings: ShardSettings
) -> tuple[float | None, Examples | None, dict[str, Metric]]:
    """The fraction to hold out, or the examples for validation on the driver; and the metrics."""
    measures = parse_metrics(metrics)
    if is_number(validation):
        return number("validation", validation), None, measures
    held_out, measures = parse_validation(net, validation, measures)
    if measures and held_out is None:
        raise ValueError("metrics: expected validation, which they measure, got none")
    if held_out is not None:
        with naming("validation"):
            check_cost(held_out, settings)
    return None, held_out, measures
