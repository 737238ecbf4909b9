"""The literals in annotations are the names that the package takes."""

from typing import Any, get_args

import pytest

import bpfast
from bpfast import _typing
from bpfast.optimizers._registry import OPTIMIZERS


def names(alias: Any) -> set[str]:
    """The literals in an alias, those of unions in it too."""
    return {name for part in get_args(alias) for name in (names(part) or {part})}


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        (_typing.ActivationName, bpfast.ACTIVATIONS),
        (_typing.HiddenActivationName, {*bpfast.ACTIVATIONS} - {"softmax"}),
        (_typing.CostName, bpfast.COSTS),
        (_typing.Initialisation, bpfast.INITIALISATIONS),
        (_typing.OptimizerName, OPTIMIZERS),
        (_typing.MetricName, bpfast.METRICS),
    ],
)
def test_literal_types_list_all_names(alias: Any, expected: Any) -> None:
    assert names(alias) == {*expected}


def test_the_reductions() -> None:
    name: Any
    for name in (*names(_typing.Reduction), "none"):
        bpfast.cost([[[1.0]]], [[0.0]], [[1.0]], [[1.0]], reduction=name)
