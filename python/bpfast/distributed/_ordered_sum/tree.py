"""A sum over shards in a fixed order: a binary tree over the numbers of the shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from bpfast.distributed._ordered_sum.values import combine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Node (l, i) covers the shards from i 2^l to (i + 1) 2^l - 1.
Node: TypeAlias = tuple[int, int]


class Tree:
    """Partial sums over shards, added as soon as both halves of a node are known.

    The sum of a node is that of its left half plus that of its right half, or that of its left half
    if no shard is to the right. So the order of additions follows from the number of shards alone,
    whoever does them and whenever. The sums of m neighbouring shards end up as at most 2 log2 m
    nodes.

    Examples
    --------
    >>> tree = Tree(5)
    >>> for shard in (0, 4, 3, 1):
    ...     tree.add((0, shard), (shard,))
    >>> # Of shard 3, of the shards 0 and 1, and of 4 to 7, of which there is only 4.
    >>> dict(sorted(tree.nodes.items()))
    {(0, 3): (3,), (1, 0): (0, 1), (2, 1): (4,)}
    >>> tree.add((0, 2), (2,))
    >>> tree.root
    (0, 1, 2, 3, 4)
    """

    def __init__(self, count: int, combine: Callable[[Any, Any], Any] = combine) -> None:
        self.count, self._combine = count, combine
        self.nodes: dict[Node, Any] = {}
        self._top = (count - 1).bit_length()

    def add(self, node: Node, value: Any) -> None:
        """Add the sum of a node, and the sums that are complete now."""
        level, index = node
        while level < self._top:
            neighbour = index ^ 1
            if neighbour << level < self.count:
                if (level, neighbour) not in self.nodes:
                    break
                other = self.nodes.pop((level, neighbour))
                pair = (value, other) if index < neighbour else (other, value)
                value = self._combine(*pair)
            level, index = level + 1, index >> 1
        self.nodes[level, index] = value

    def update(self, nodes: Mapping[Node, Any]) -> None:
        """Add the sums of several nodes."""
        for node, value in nodes.items():
            self.add(node, value)

    @property
    def root(self) -> Any:
        """The sum over all shards."""
        (value,) = self.nodes.values()
        return value
