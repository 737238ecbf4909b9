"""Validation in :mod:`bpfast.reference`: arguments become nested lists of floats, or raise.

Each error names its argument. A wrong shape, length, name or number is a ValueError, a wrong type
or dtype a TypeError.
"""

from bpfast.reference._checks.costs import Cost, custom, named
from bpfast.reference._checks.names import (
    ACTIVATIONS,
    COSTS,
    REDUCTIONS,
    REDUCTIONS_OF_COST,
    activation_name,
    elementwise_name,
    name,
    output_and_cost,
)
from bpfast.reference._checks.network import Network, layers, network, none_if_absent, same_shapes
from bpfast.reference._checks.numbers import positive
from bpfast.reference._checks.targets import targets
from bpfast.reference._checks.weights import shares

__all__ = [
    "ACTIVATIONS",
    "COSTS",
    "REDUCTIONS",
    "REDUCTIONS_OF_COST",
    "Cost",
    "Network",
    "activation_name",
    "custom",
    "elementwise_name",
    "layers",
    "name",
    "named",
    "network",
    "none_if_absent",
    "output_and_cost",
    "positive",
    "same_shapes",
    "shares",
    "targets",
]
