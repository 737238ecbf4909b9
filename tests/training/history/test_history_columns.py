"""A `History` is used as a mapping of its columns' names, as a pandas table is."""

import copy

import numpy as np
import pytest

import bpfast
from tests.helpers.refuses import refuses

NAMES = ("epoch", "cost", "seconds", "learning_rate", "accuracy")


@pytest.fixture(params=[0, 1, 3])
def history(request):
    history = bpfast.History()
    history.append({"cost": 1, "seconds": 2, "learning_rate": 3, "accuracy": 4})
    for _ in range(1, request.param):
        history.append({"cost": 1, "seconds": 2, "learning_rate": 3, "accuracy": 4})
    return history if request.param else bpfast.History()


def test_all_views_of_the_columns_agree(history):
    names = NAMES if len(history) else NAMES[:-1]
    assert history.keys() == history.names == names
    assert list(history) == [*names] == [name for name, _ in history.items()]
    table = dict(history)
    assert [*table] == [*names] == [*dict(history.items())]
    assert {**history}.keys() == table.keys()
    for name, values in zip(names, history.values(), strict=True):
        assert name in history
        for column in (table[name], dict(history.items())[name], values, history.get(name)):
            assert len(column) == len(history)
            assert not column.flags.writeable
            np.testing.assert_array_equal(column, history[name])
    assert {name: column.tolist() for name, column in table.items()} == history.to_dict()


def test_unknown_columns(history):
    for name in ("f1", "keys", 0, None, []):
        assert name not in history
        assert history.get(name) is None
        assert history.get(name, 7) == 7
    with pytest.raises(KeyError):
        history["keys"]
    with pytest.raises(TypeError):
        reversed(history)


@pytest.mark.parametrize("name", ["keys", "values", "items", "get"])
def test_no_metric_may_have_the_name_of_a_method(name):
    net = bpfast.Network([1, 1], seed=0)
    with refuses(ValueError, f"a name that no attribute of History has, got '{name}'", net):
        net.fit([[1]], [[1]], epochs=1, metrics={name: lambda a, y: 1})


def test_arrays_are_not_in_a_history():
    assert bpfast.History().get(np.zeros(0), "none") == "none"
    assert np.zeros(0) not in bpfast.History()


@pytest.mark.parametrize("kind", [bpfast.History, bpfast.inside.Monitor])
def test_objects_whose_init_has_not_run_have_no_columns(kind):
    half_built = kind.__new__(kind)
    assert not hasattr(half_built, "cost")
    assert not hasattr(half_built, "names")
    assert "cost" not in dir(half_built)
    with pytest.raises(AttributeError):
        copy.copy(half_built).cost  # noqa: B018, it must not recurse
