"""The order of a sum over shards follows from their number, not from who adds what and when."""

import math

import numpy as np
import pytest

from bpfast.distributed._engines.engine import root
from bpfast.distributed._ordered_sum.tree import Tree
from bpfast.distributed._ordered_sum.values import (
    Buffers,
    Failure,
    Part,
    combine,
    exact_sum,
    ordered_sum,
)

COUNTS = [1, 2, 3, 5, 8, 13, 31, 64, 100]


def parts(count):
    """A vector for each shard, of sizes that differ, so that the order of additions matters."""
    rng = np.random.default_rng(count)
    return [
        Part(rng.standard_normal(40) * 10.0 ** rng.integers(-8, 8, 40), float(k), 1.0)
        for k in range(count)
    ]


def added_by(groups, count):
    """The sum if each group of shards is added by itself, and the results in this order."""
    nodes = {}
    values = parts(count)
    for group in groups:
        tree = Tree(count)
        for shard in group:
            tree.add((0, int(shard)), values[shard])
        nodes |= tree.nodes
    return root(nodes, count)


@pytest.mark.parametrize("count", COUNTS)
def test_same_bits_for_any_workers(count):
    one = added_by([range(count)], count)
    rng = np.random.default_rng(0)
    for workers in (1, 2, 3, 8):
        order = rng.permutation(count)
        owner = rng.integers(workers, size=count)
        groups = [[k for k in order if owner[k] == worker] for worker in range(workers)]
        found = added_by(groups, count)
        assert found.vector.tobytes() == one.vector.tobytes()
        assert (found.cost, found.examples) == (one.cost, count)


def test_another_order_would_give_other_bits():
    """So the test above can fail."""
    in_turn = sum(part.vector for part in parts(100))
    assert in_turn.tobytes() != added_by([range(100)], 100).vector.tobytes()


@pytest.mark.parametrize("count", COUNTS)
def test_neighbours_end_up_in_few_nodes(count):
    for first in range(0, count, 3):
        for end in range(first + 1, count + 1, 5):
            tree = Tree(count)
            for shard in range(first, end):
                tree.add((0, shard), (shard,))
            assert len(tree.nodes) <= max(2 * (end - first).bit_length(), 1)
            covered = sorted(shard for value in tree.nodes.values() for shard in value)
            assert covered == list(range(first, end))


def test_shards_without_rows_change_nothing():
    a = Part(np.array([-0.0, 1.0]), 1.0, 2.0)
    assert combine(None, a) is a
    assert combine(a, None) is a
    assert combine(None, None) is None


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_the_error_of_the_first_shard_is_raised(order):
    tree = Tree(4)
    for shard in order:
        value = Failure(shard, ValueError("wrong")) if shard in (1, 3) else parts(4)[shard]
        tree.add((0, shard), value)
    with pytest.raises(ValueError, match=r"^shard 1: wrong$"):
        root(tree.nodes, 4)


@pytest.mark.parametrize("count", COUNTS)
def test_sums_in_place_have_the_same_bits(count):
    expected = added_by([range(count)], count)
    buffers, found = Buffers(), []
    for size in (40, 40, 3, 40):  # the memory of other sizes is not used
        tree = Tree(count, buffers.combine)
        for shard, part in enumerate(parts(count)):
            vector = buffers.copy(part.vector[:size])
            tree.add((0, shard), Part(vector, part.cost, part.examples))
        found.append(tree.root)
    # No sum is in the memory of a later one.
    for part in found:
        assert part.vector.tobytes() == expected.vector[: part.vector.size].tobytes()
        assert (part.cost, part.examples) == (expected.cost, count)


def test_parts_are_not_changed():
    """Dask may need them again; what comes from another process is read-only."""
    left, right = parts(2)
    left.vector.flags.writeable = right.vector.flags.writeable = False
    assert (combine(left, right).vector == left.vector + right.vector).all()


def test_ordered_sum():
    for n in (0, 1, 2, 7, 1000):
        values = np.arange(float(n))
        assert ordered_sum(values) == n * (n - 1) / 2 * (n > 0)
        assert ordered_sum(np.stack([values, 2 * values], 1)).tolist() == (
            [n * (n - 1) / 2, n * (n - 1)] if n else 0.0
        )


def test_exact_sum():
    assert exact_sum([]) == 0
    assert exact_sum([1e16, 1.0, 1.0, -1e16]) == 2
    most = np.finfo(float).max
    assert exact_sum([most, most, -most]) == most
    for sign in (1, -1):
        assert exact_sum([sign * most] * 2) == sign * np.inf
        assert exact_sum([most, most, sign * np.inf]) == sign * np.inf
    assert math.isnan(exact_sum([most, most, np.inf, -np.inf]))
