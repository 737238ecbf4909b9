"""The state of an estimator in a file: plain containers and arrays, which skops reads too."""

from __future__ import annotations

from typing import Any

from bpfast._core import _restore
from bpfast._network import Network
from bpfast.optimizers import Optimizer, from_config
from bpfast.sklearn import _network

# What is made anew from the rest.
DERIVED = ("coefs_", "intercepts_", "_views")


def to_state(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes, with the network and the optimizer as configurations and arrays."""
    state = dict(attributes)
    net = state.get("network_")
    if net is None:
        return state
    for name in DERIVED:
        state.pop(name, None)
    state["network_"] = {"config": net.config, "params": net.params.copy()}
    if "_optimizer" in state:
        state["_optimizer"] = _optimizer_state(state["_optimizer"])
    return state


def from_state(state: dict[str, Any]) -> dict[str, Any]:
    """The attributes that `to_state` took."""
    attributes = dict(state)
    saved = attributes.get("network_")
    if not isinstance(saved, dict):
        return attributes
    net = _restore(Network, saved["config"])
    net.params[...] = saved["params"]
    attributes["network_"] = net
    attributes["coefs_"], attributes["intercepts_"] = _network.views(net)
    attributes["_views"] = (*attributes["coefs_"], *attributes["intercepts_"])
    optimizer = attributes.get("_optimizer")
    if isinstance(optimizer, dict):
        made = from_config(optimizer["config"])
        made.state = optimizer["state"]
        attributes["_optimizer"] = made
    return attributes


def _optimizer_state(optimizer: Optimizer) -> Any:
    """The configuration and state; the optimizer itself if its rate is a callable of the user."""
    try:
        return {"config": optimizer.config, "state": optimizer.state}
    except TypeError:
        return optimizer
