"""An iterable may fill the same memory with each batch: the bits of batches with their own.

Each batch waits, before the step looks at it, until the thread that fetches batches has had the
memory filled with the next one: what is taken of a batch too late is the next one's.
"""

import array
import threading
from collections import deque
from typing import Any, NamedTuple

import numpy as np
import pytest

import bpfast
from bpfast._training.data import sources as _sources

RNG = np.random.default_rng(0)
COUNT, SIZE = 6, 8
VALUES = {
    "x": RNG.standard_normal((COUNT, SIZE, 3)),
    "y": RNG.random((COUNT, SIZE, 2)),
    "sample_weight": RNG.random((COUNT, SIZE)) + 0.1,
    "labels": RNG.integers(0, 2, (COUNT, SIZE)),
}
LIMIT = 30  # seconds, until a thread that never comes fails the test


class Tensor:
    """Shares its memory with NumPy as torch.Tensor does, even if a copy is requested."""

    def __init__(self, memory):
        self.memory = memory

    def __array__(self, dtype=None, copy=None):
        return self.memory


class Interface:
    """Memory by the protocol that NumPy had before."""

    def __init__(self, memory):
        self.memory, self.__array_interface__ = memory, memory.__array_interface__


def fill(memory, values):
    memory[...] = values


def fill_lists(lists, values):
    for k, value in enumerate(values.tolist() if isinstance(values, np.ndarray) else values):
        if isinstance(value, list):
            fill_lists(lists[k], value)
        else:
            lists[k] = value


def fill_table(table, values):
    table.iloc[...] = values


def table(values):
    pandas = pytest.importorskip("pandas")
    return (pandas.DataFrame if values.ndim > 1 else pandas.Series)(values.copy())


def in_memory(wrap=lambda memory: memory, like=np.array):
    """A part that `wrap` makes of an array, which is filled."""

    def make(values):
        memory = like(values)
        return wrap(memory), lambda values: fill(memory, values)

    return make


def filled(part, how):
    return part, lambda values: how(part, values)


# What makes a part of the first batch, and fills it with the values of another.
PARTS = {
    "ndarray": in_memory(),
    "Fortran": in_memory(like=lambda values: np.array(values, order="F")),
    "view": in_memory(lambda memory: memory[:]),
    "subclass": in_memory(lambda memory: memory.view(np.recarray)),
    "masked array": in_memory(np.ma.asarray),
    "memoryview": in_memory(memoryview),
    "__array__": in_memory(Tensor),
    "__array_interface__": in_memory(Interface),
    "lists": lambda values: filled(values.tolist(), fill_lists),
    "list of views": in_memory(lambda memory: [memory[k, ...] for k in range(len(memory))]),
    "deque of views": in_memory(lambda memory: deque(memory[k, ...] for k in range(len(memory)))),
    "table": lambda values: filled(table(values), fill_table),
}


def batches_of(parts, make):
    """Batches of one tuple of parts, which says before each what it has been asked for."""

    def batches(asked):
        given, fills = zip(
            *(make.get(name, in_memory())(VALUES[name][0]) for name in parts), strict=True
        )
        for k in range(COUNT + 1):
            for name, fill in zip(parts, fills, strict=True):
                fill(VALUES[name][k] if k < COUNT else np.zeros_like(VALUES[name][0]))
            if k > 0:
                asked.release()
            if k < COUNT:
                yield given

    return batches


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """How often a batch has been asked for behind the first; each waits for the next one."""
    asked, parts_of = threading.Semaphore(0), _sources.x_y_weight
    asked.limit = LIMIT

    def waiting(batch):
        found = asked.acquire(timeout=asked.limit)
        assert found or asked.limit < LIMIT
        return parts_of(batch)

    monkeypatch.setattr(_sources, "x_y_weight", waiting)
    return asked


def fitted(batches, *, labels=False, epochs=2):
    config = {"output": "softmax", "cost": "log_likelihood"} if labels else {}
    net = bpfast.Network([3, 4, 2], hidden="tanh", seed=0, **config)
    net.fit(batches, epochs=epochs, optimizer=bpfast.SGD(0.1))
    return net.params.tobytes(), net.history.cost.tolist()


def expected(parts, epochs=2, of=lambda x: x):
    """What comes of batches in memory of their own."""
    batches = [(of(x), *others) for x, *others in zip(*map(VALUES.get, parts), strict=True)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_sources, "x_y_weight", lambda batch: (*batch, None)[:3])
        return fitted(batches, labels="labels" in parts, epochs=epochs)


@pytest.mark.parametrize("name", ["x", "y", "sample_weight", "labels"])
@pytest.mark.parametrize("kind", PARTS)
def test_a_refilled_batch_entry(kind, name, asked):
    parts = ("x", "labels") if name == "labels" else ("x", "y", "sample_weight")
    batches = batches_of(parts, {name: PARTS[kind]})
    assert fitted(lambda: batches(asked), labels=name == "labels") == expected(parts)


def test_an_array_of_the_standard_library(asked):
    def make(values):
        memory = array.array("d", values)
        return memory, lambda values: fill(np.frombuffer(memory), values)

    parts = ("x", "y", "sample_weight")
    batches = batches_of(parts, {"sample_weight": make})
    assert fitted(lambda: batches(asked)) == expected(parts)


def fill_data(x, values):
    x.data[...] = values


SPARSE = {
    "csr": lambda x, values: fill_data(x, values.ravel()),
    "csc": lambda x, values: fill_data(x, values.T.ravel()),
    "coo": lambda x, values: fill_data(x, values[x.row, x.col]),
    "bsr": lambda x, values: fill_data(x, values.reshape(x.data.shape)),
    "lil": lambda x, values: fill_lists(x.data, values.tolist()),
    "dok": lambda x, values: [x.__setitem__(key, values[key]) for key in [*x.keys()]],
}


@pytest.mark.parametrize("format_", SPARSE)
def test_a_sparse_x(format_, asked):
    sparse = pytest.importorskip("scipy.sparse")

    def make(values):
        x = sparse.csr_array(values + 10 * (values == 0))
        blocks = {"blocksize": (SIZE, 3)} if format_ == "bsr" else {}
        x = x.tobsr(**blocks) if blocks else x.asformat(format_)
        return filled(x, SPARSE[format_])

    batches = batches_of(("x", "y"), {"x": make})
    found = fitted(batches(asked), epochs=1)
    assert found == expected(("x", "y"), 1, sparse.csr_array)


class Batch(NamedTuple):
    """A tuple whose parts have names."""

    x: Any
    y: Any


class Iterator:
    """No generator."""

    def __init__(self, batches):
        self.batches = iter(batches)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.batches)


@pytest.mark.parametrize("of", [Iterator, iter, lambda batches: map(Batch._make, batches)])
def test_other_iterables(of, asked):
    batches = batches_of(("x", "y"), {})
    assert fitted(lambda: of(batches(asked))) == expected(("x", "y"))


def test_a_reused_list_as_batch(asked):
    batches, batch = batches_of(("x", "y"), {}), [None, None]

    def same_list():
        for given in batches(asked):
            batch[:] = [part.copy() for part in given]
            yield batch
            batch[:] = [None, None]

    assert fitted(same_list) == expected(("x", "y"))


RECORD = np.dtype([("expected", float, 2), ("name", "U4")])


def records(k):
    found = np.empty(SIZE, RECORD)
    found["expected"], found["name"] = VALUES["y"][k], f"of {k}"
    return found


def fill_rows(rows, values):
    rows[:] = values


# Kinds of y for a callable cost: for batch k, how it is filled, and what the cost receives.
ANYTHING = {
    "objects": (lambda k: [{"y": y, "k": k} for y in VALUES["y"][k]], fill_rows),
    "the same objects": (
        lambda k: [{"y": y, "k": k} for y in VALUES["y"][k]],
        lambda rows, values: [row.update(value) for row, value in zip(rows, values, strict=True)],
    ),
    "records": (records, fill),
    "text": (lambda k: [f"{k} {row}" for row in range(SIZE)], fill_rows),
    "complex": (lambda k: VALUES["y"][k] * 1j, fill),
    "numbers": (lambda k: VALUES["y"][k].copy(), fill),
}


@pytest.mark.parametrize("kind", ANYTHING)
def test_targets_of_a_custom_cost(kind, asked):
    """What is no array of numbers is used before the next batch is asked for."""
    make, fill = ANYTHING[kind]
    asked.limit, seen = 0.02, []  # it waits in vain, unless somebody asks too early

    def batches():
        y = make(0)
        for k in range(COUNT):
            fill(y, make(k))
            if k > 0:
                asked.release()
            yield VALUES["x"][k], y

    def cost(a, y):
        seen.append(repr(y.tolist()))
        return np.zeros(len(a)), np.zeros_like(a)

    net = bpfast.Network([3, 2], cost=cost, seed=0)
    net.fit(batches(), epochs=1, optimizer=bpfast.SGD(0.1))
    assert seen == [repr(np.asarray(make(k)).tolist()) for k in range(COUNT)]
