"""The state of an estimator in a file: plain containers and arrays, which skops reads too."""

from __future__ import annotations

from typing import Any

from bpfast import optimizers, schedules
from bpfast._core import _restore
from bpfast._network import Network
from bpfast.sklearn import _network

# What is made anew from the rest.
DERIVED = ("coefs_", "intercepts_", "_views")


def to_state(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes, with the network and the optimizer as configurations and arrays."""
    state = dict(attributes)
    state["client"] = None  # a connection of this process
    for name, class_ in (
        ("_optimizer", optimizers.Optimizer),
        ("learning_rate", schedules.Schedule),
    ):
        if isinstance(state.get(name), class_):
            state[name] = _configured(state[name])
    net = state.get("network_")
    if net is not None:
        for name in DERIVED:
            state.pop(name, None)
        state["network_"] = {"config": net.config, "params": net.params.copy()}
    return state


def from_state(state: dict[str, Any]) -> dict[str, Any]:
    """The attributes that `to_state` took."""
    attributes = dict(state)
    for name, module in (("_optimizer", optimizers), ("learning_rate", schedules)):
        saved = attributes.get(name)
        if isinstance(saved, dict):
            made = module.from_config(saved["config"])
            made.state = saved["state"]
            attributes[name] = made
    saved = attributes.get("network_")
    if isinstance(saved, dict):
        net = _restore(Network, saved["config"])
        net.params[...] = saved["params"]
        attributes["network_"] = net
        attributes["coefs_"], attributes["intercepts_"] = _network.views(net)
        attributes["_views"] = (*attributes["coefs_"], *attributes["intercepts_"])
    return attributes


def _configured(saved: Any) -> Any:
    """The configuration and state; the object itself if it has a callable of the user."""
    try:
        return {"config": saved.config, "state": saved.state}
    except TypeError:
        return saved
