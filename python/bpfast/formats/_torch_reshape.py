"""Reshapes in a forward method that keep one row per example, as ``x.view(x.size(0), -1)``."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import torch
from torch import fx, nn

if TYPE_CHECKING:
    from bpfast.formats._chain import Chain


class Rows(nn.Module):  # type: ignore[misc] # PyTorch is no dependency of the checks
    """One row per example, with this number of columns; None: with all that it has."""

    def __init__(self, columns: int | None, text: str) -> None:
        super().__init__()
        self.columns, self.text = columns, text


def sizes_of(graph: fx.Graph) -> tuple[set[fx.Node], set[fx.Node]]:
    """The nodes that are shapes or numbers of rows, and those of them that are numbers of rows."""
    shapes: set[fx.Node] = set()
    counts: set[fx.Node] = set()
    for node in graph.nodes:
        match (node.target, *node.args):
            case ("size", fx.Node()) if node.op == "call_method":
                (counts if node.kwargs == {"dim": 0} else shapes).add(node)
            case ("size", fx.Node(), 0) if node.op == "call_method":
                counts.add(node)
            case (target, fx.Node(), "shape") if target is getattr:
                shapes.add(node)
            case (target, fx.Node() as shape, 0) if target is operator.getitem and shape in shapes:
                counts.add(node)
    return shapes | counts, counts


def rows_of_reshape(node: fx.Node, counts: set[fx.Node]) -> Rows | None:
    """What ``x.view(...)`` or ``x.reshape(...)`` does, None if it may not keep the rows."""
    is_method = node.op == "call_method" and node.target in ("view", "reshape")
    if not (is_method or node.target is torch.reshape) or node.kwargs:
        return None
    sizes: Any = node.args[1:]
    if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        sizes = sizes[0]
    if len(sizes) != 2:
        return None
    rows, columns = sizes
    is_counted = isinstance(rows, fx.Node) and rows in counts
    text = f"{getattr(node.target, '__name__', node.target)}({rows}, {columns})"
    if columns == -1 and is_counted:
        return Rows(None, text)
    if isinstance(columns, int) and columns > 0 and (is_counted or rows == -1):
        return Rows(columns, text)
    return None


def refuse_other_rows(chain: Chain, name: str, module: Rows, width: int) -> None:
    """Raise ValueError if a reshape does not keep rows of this width."""
    if module.columns not in (None, width):
        expected = f"expected one row per example, with {width} columns for the layers around it"
        chain.refuse(name, expected, module.text)
