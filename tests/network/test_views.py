"""`Views`, the type of `weights` and `biases`, is a `collections.abc.Sequence`."""

from collections.abc import Sequence

import numpy as np
import pytest

import bpfast


@pytest.fixture
def net():
    return bpfast.Network([3, 4, 4, 2], seed=0)


@pytest.fixture(params=["net.weights", "net.biases", "g.weights", "g.biases"])
def views(request, net):
    owner, name = request.param.split(".")
    g = net.backprop(np.ones((2, 3)), np.zeros((2, 2)))
    return getattr(net if owner == "net" else g, name)


def test_it_is_a_sequence(views):
    assert isinstance(views, Sequence)
    assert issubclass(bpfast.Views, Sequence)
    assert not isinstance(views, list | tuple)
    match views:
        case [first, *_, last]:
            assert first is views[0]
            assert last is views[2]
        case _:
            pytest.fail("no sequence to match")
    assert all(hasattr(views, name) for name in dir(Sequence) if not name.startswith("_"))


def test_index_and_slice(views):
    items = [views[0], views[1], views[2]]
    assert views[-1] is items[2]
    assert views[-3] is items[0]
    assert views[np.int64(1)] is items[1]
    for part in (slice(None), slice(1, None), slice(None, None, -1), slice(-2, 9), slice(5, 9)):
        found = views[part]
        assert type(found) is list
        assert [id(view) for view in found] == [id(view) for view in items[part]]
    for bad in (3, -4, 2**70, -(2**70)):
        with pytest.raises(IndexError, match="of 3 layers"):
            views[bad]


def test_iteration_both_ways(views):
    items = [views[k] for k in range(3)]
    assert [id(view) for view in views] == [id(view) for view in items]
    assert [id(view) for view in reversed(views)] == [id(view) for view in items[::-1]]


def test_in_index_and_count_compare_shape_and_numbers(views):
    for k in range(3):
        assert views[k] in views
        assert views[k].copy() in views
        assert views[k].tolist() in views
        assert views.index(views[k]) == views.index(views[k].tolist()) == k
        assert views.count(views[k].copy()) == 1
    for other in (views[0] + 1, views[0][:1], "text", None, 0.0, [[1], [2, 3]], object()):
        assert other not in views
        assert views.count(other) == 0
        with pytest.raises(ValueError, match=r"^value: expected one of the arrays of (w|b)"):
            views.index(other)


def test_equal_arrays_are_counted(net):
    net.biases[1] = net.biases[0]
    assert net.biases.count(net.biases[0]) == 2
    assert net.biases.index(net.biases[1]) == 0
    assert net.biases.index(net.biases[1], 1) == 1 == net.biases.index(net.biases[1], -2, -1)
    with pytest.raises(ValueError, match="value"):
        net.biases.index(net.biases[0], 2)
    with pytest.raises(ValueError, match="value"):
        net.biases.index(net.biases[0], 3, 1)


def test_a_view_with_nan_is_found_by_identity_alone(net):
    net.biases[0][0] = np.nan
    assert net.biases[0] in net.biases
    assert net.biases[0].copy() not in net.biases
