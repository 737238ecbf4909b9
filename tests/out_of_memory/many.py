"""Several networks in one call, and one network on data in shards."""

import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

import bpfast
from bpfast import distributed
from tests.out_of_memory.call import (
    ROWS,
    SOFTMAX,
    Call,
    call,
    classes,
    net,
    numbers,
    several,
    squared,
)


def several_networks() -> list[bpfast.Network]:
    """Networks of three widths."""
    return [net(30, width, 10, **SOFTMAX) for width in (60, 90, 120)]


@several
def fit_many() -> Iterator[tuple[str, Callable[[], Call]]]:
    def of(*, x: Any = numbers, **options: Any) -> Callable[[], Call]:
        def make() -> Call:
            nets, given, y = several_networks(), x(ROWS, 30), classes()
            return lambda: bpfast.fit_many(nets, given, y, epochs=1, **options)

        return make

    yield "labels", of()
    yield "float32", of(x=lambda *shape: numbers(*shape).astype("f4"), batch_size=512)
    yield "rows", of(rows=[np.arange(ROWS) // 2, np.arange(ROWS // 2), None])
    yield "validation", of(validation=0.2, early_stopping=1)
    yield "halving", of(validation=0.2, keep=0.5, every=1)
    yield "examples for validation", of(validation=(numbers(ROWS, 30), classes()))
    yield "dropout", of(dropout=0.2, class_weight="balanced", metrics="accuracy", validation=0.2)
    yield "sparse", of(x=lambda *shape: sparse.csr_array(numbers(*shape)))

    def callable_cost() -> Call:
        nets = [net(30, width, 10, cost=squared) for width in (60, 90)]
        x, y = numbers(ROWS, 30), numbers(ROWS, 10)
        return lambda: bpfast.fit_many(nets, x, y, epochs=1, batch_size=2000)

    yield "callable", callable_cost


@call
def cross_validate() -> Call:
    made, x, y = net(30, 60, 10, **SOFTMAX), numbers(ROWS, 30), classes()
    return lambda: bpfast.cross_validate(made, x, y, folds=3, epochs=1)


@several
def ensemble() -> Iterator[tuple[str, Callable[[], Call]]]:
    def of(use: Callable[[bpfast.Ensemble, Path], object]) -> Callable[[], Call]:
        def make() -> Call:
            made = bpfast.Ensemble(several_networks())
            path = Path(tempfile.mkdtemp(), "nets.safetensors")
            made.save(path)
            return lambda: use(made, path)

        return make

    x = numbers(ROWS, 30)
    yield "predict", of(lambda made, _: made.predict(x))
    yield "quantiles", of(lambda made, _: made.predict(x, quantiles=[0.1, 0.9]))
    yield "save", of(lambda made, path: made.save(path))
    yield "load", of(lambda _, path: bpfast.Ensemble.load(path))


@several
def of_many() -> Iterator[tuple[str, Callable[[], Call]]]:
    def forward() -> Call:
        nets, x = several_networks(), numbers(ROWS, 30)
        return lambda: bpfast.forward_many(nets, x)

    def backprop() -> Call:
        nets, x, y = several_networks(), numbers(ROWS, 30), classes()
        return lambda: bpfast.backprop_many(nets, x, y)

    def of_batches() -> Call:
        nets = several_networks()
        xs, ys = [numbers(2000, 30)] * 3, [classes(2000)] * 3
        return lambda: bpfast.backprop_many(nets, xs, ys)

    yield "forward", forward
    yield "backprop", backprop
    yield "backprop, batches", of_batches


@several
def shards() -> Iterator[tuple[str, Callable[[], Call]]]:
    def of(**options: Any) -> Callable[[], Call]:
        def make() -> Call:
            made, x, y = net(30, 60, 10, **SOFTMAX), numbers(ROWS, 30), classes()
            return lambda: distributed.fit(made, x, y, epochs=1, **options)

        return make

    def local() -> Call:
        x, y = numbers(ROWS, 30), classes()
        return lambda: distributed.LocalShards(x, y)

    def of_files() -> Call:
        made, folder = net(30, 60, 10, **SOFTMAX), Path(tempfile.mkdtemp())
        paths = [folder / f"{k}.npz" for k in range(3)]
        for path in paths:
            np.savez(path, x=numbers(ROWS // 3, 30), y=classes(ROWS // 3))
        given = distributed.LocalShards(paths, keep=False)
        return lambda: distributed.fit(made, given, epochs=1, method="full")

    def checkpoint() -> Call:
        path = Path(tempfile.mkdtemp(), "net.safetensors")
        return of(method="full", checkpoint=path)()

    yield "local", local
    yield "steps", of(batch_size=4096)
    yield "full", of(method="full")
    yield "local steps", of(method="local", average_every=2)
    yield "held out", of(method="full", validation=0.2, metrics="accuracy", dropout=0.2)
    yield "classes", of(method="full", class_weight="balanced", sample_weight=np.ones(ROWS))
    yield "files", of_files
    yield "checkpoint", checkpoint

    def lbfgs() -> Call:
        # OpenBLAS waits for ever for the memory that it lacks while SciPy is loaded.
        import_module("scipy.optimize")
        return of(method="lbfgs")()

    yield "lbfgs", lbfgs
