"""Schedules from their configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bpfast._validation.names import unknown_name
from bpfast._validation.naming import naming_value
from bpfast.schedules._decay import Constant, Cosine, Step
from bpfast.schedules._one_cycle import OneCycle
from bpfast.schedules._plateau import Plateau
from bpfast.schedules._warm_up import WarmUp

if TYPE_CHECKING:
    from bpfast.schedules._schedule import Schedule

_KINDS: dict[str, type[Schedule]] = {
    made.kind: made for made in (Constant, Step, Cosine, OneCycle, WarmUp, Plateau)
}


def from_config(config: Mapping[str, Any]) -> Schedule:
    """Make a schedule from its config.

    No code that the config names is run, so a config from an untrusted source is harmless.

    Parameters
    ----------
    config : mapping
        ``kind``, one of constant, step, cosine, one_cycle, warm_up, plateau, and the arguments by
        name, as `Schedule.config` returns them. Arguments with a default may be omitted.

    Returns
    -------
    Schedule
        A new schedule without reports.

    Raises
    ------
    TypeError
        `config` is not a mapping.
    ValueError
        The kind is unknown, or it does not accept the arguments.

    Examples
    --------
    >>> from bpfast import schedules
    >>> schedules.from_config({"kind": "cosine", "rate": 0.1, "steps": 100})
    Cosine(0.1, steps=100, final=0.0)
    """
    return schedule_of("config", config)


def schedule_of(argument: str, config: Any) -> Schedule:
    """The schedule of a config; errors name `argument`."""
    if not isinstance(config, Mapping):
        raise TypeError(f"{argument}: expected a mapping, got {type(config).__name__}")
    try:
        return _build(argument, config)
    except RecursionError:
        expected, got = "fewer schedules within schedules", "more than Python's stack holds"
        raise ValueError(f"{argument}: expected {expected}, got {got}") from None


def _build(argument: str, config: Mapping[str, Any]) -> Schedule:
    kind = config.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise unknown_name(argument, kind, _KINDS, "kind")
    made = _KINDS[kind]
    given = {name: value for name, value in list(config.items()) if name != "kind"}
    names = made.arguments
    if not set(names[: made.required]) <= set(given) <= set(names):
        got = ", ".join(map(str, given)) or "none"
        raise ValueError(f"{argument}: expected {', '.join(names)} for kind {kind!r}, got {got}")
    if made is WarmUp:
        inner = given["schedule"]
        if not isinstance(inner, Mapping):
            got = type(inner).__name__
            raise ValueError(f"{argument}: schedule: expected a mapping, got {got}")
        given["schedule"] = _build(argument, inner)
    with naming_value(argument):
        return made(**given)
