"""Training, and steps of an optimizer."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import bpfast
from bpfast import optimizers, schedules
from tests.out_of_memory.call import ROWS, SOFTMAX, Call, classes, net, numbers, several, squared


@several
def fit() -> Iterator[tuple[str, Callable[[], Call]]]:
    def of(*, y: Any = classes, x: Any = None, partial: bool = False, **options: Any) -> Any:
        def make() -> Call:
            made = net(30, 60, 10, **SOFTMAX)
            given, expected = (x or (lambda: numbers(ROWS, 30)))(), y()
            options.setdefault("epochs", 1)
            if partial:
                return lambda: made.partial_fit(given, expected)
            return lambda: made.fit(given, expected, **options)

        return make

    yield "labels", of()

    def many_labels() -> Call:
        made = net(2, 4, **SOFTMAX)
        x, y = np.ones((500_000, 2)), classes(500_000, 4)
        return lambda: made.fit(x, y, epochs=1)

    yield "many labels", many_labels
    yield "one-hot", of(y=lambda: np.eye(10)[classes()])
    yield "large batches", of(batch_size=8000)
    yield "float32", of(x=lambda: numbers(ROWS, 30).astype("f4"), batch_size=512)
    yield "zeros", of(x=lambda: np.eye(30)[classes(width=30)], sparse=True)
    yield "validation", of(validation=0.2, metrics=("accuracy",))
    yield "weights", of(sample_weight=np.ones(ROWS), class_weight="balanced")
    yield "norms", of(max_norm=1.0, clip_norm=1.0, dropout=0.2, l1=1e-5, l2=1e-5, batch_size=2000)
    for name in ("SGD", "Adam", "RMSprop", "Adagrad"):
        yield name, of(optimizer=getattr(optimizers, name)())
    yield "schedule", of(optimizer=optimizers.SGD(schedules.Step(0.1, every=1)))
    yield (
        "early stopping",
        of(
            validation=0.2,
            epochs=3,
            early_stopping=bpfast.EarlyStopping(patience=1, restore_best=True),
        ),
    )
    yield "progress", of(progress=True)
    yield "partial_fit", of(partial=True)

    def wide() -> Call:
        made, x = net(900, 900), numbers(300, 900)
        return lambda: made.fit(x, x, epochs=1, batch_size=100)

    yield "wide", wide

    def cost(rows: int, batch_size: int, width: int = 4) -> Callable[[], Call]:
        def make() -> Call:
            made, x = net(2, width, cost=squared), np.ones((rows, 2))
            y = np.ones((rows, width))
            return lambda: made.fit(x, y, epochs=1, batch_size=batch_size, shuffle=False)

        return make

    yield "callable, one batch", cost(300_000, 300_000)
    yield "callable, batches", cost(40_000, 20_000)
    yield "callable, wide", cost(1000, 1000, 500)

    def batches() -> Call:
        made = net(30, 60, 10, **SOFTMAX)
        pairs = [(numbers(2000, 30), classes(2000))] * 6
        return lambda: made.fit(iter(pairs), epochs=1)

    yield "batches", batches

    def mapped() -> Call:
        folder = tempfile.mkdtemp()
        for name, array in (("x", numbers(ROWS, 30)), ("y", classes())):
            np.save(Path(folder, name), array)
        x, y = (np.load(Path(folder, f"{name}.npy"), mmap_mode="r") for name in "xy")
        made = net(30, 60, 10, **SOFTMAX)
        return lambda: made.fit(x, y, epochs=1)

    yield "memory-mapped", mapped

    def checkpoint() -> Call:
        path = Path(tempfile.mkdtemp(), "net.checkpoint")
        made, x, y = net(30, 600, 10, **SOFTMAX), numbers(2000, 30), classes(2000)
        return lambda: made.fit(x, y, epochs=2, checkpoint=path)

    def resume() -> Call:
        path = Path(tempfile.mkdtemp(), "net.checkpoint")
        made, x, y = net(30, 600, 10, **SOFTMAX), numbers(2000, 30), classes(2000)
        made.fit(x, y, epochs=2, checkpoint=path, validation=0.2)
        other = net(30, 600, 10, **SOFTMAX)
        return lambda: other.fit(x, y, epochs=3, resume=path, validation=0.2)

    yield "checkpoint", checkpoint
    yield "resume", resume


@several
def evaluate() -> Iterator[tuple[str, Callable[[], Call]]]:
    def of(**options: Any) -> Callable[[], Call]:
        def make() -> Call:
            made, x, y = net(30, 60, 10, **SOFTMAX), numbers(ROWS, 30), classes()
            return lambda: made.evaluate(x, y, **options)

        return make

    yield "labels", of()
    yield "metrics", of(metrics="accuracy", sample_weight=np.ones(ROWS))

    def callable_cost() -> Call:
        made, x, y = net(30, 10, cost=squared), numbers(ROWS, 30), numbers(ROWS, 10)
        return lambda: made.evaluate(x, y, metrics=["mean_squared_error", "r2"])

    yield "callable", callable_cost


@several
def step() -> Iterator[tuple[str, Callable[[], Call]]]:
    def of(params: Any, gradient: Any) -> Callable[[], Call]:
        def make() -> Call:
            made = optimizers.Adam()
            arrays, slopes = params(), gradient()
            return lambda: made.step(arrays, slopes)

        return make

    yield "one", of(lambda: numbers(400_000), lambda: numbers(400_000))
    yield "strided", of(lambda: numbers(800, 1000)[:, ::2], lambda: numbers(800, 500))
    yield "converted", of(lambda: numbers(400_000), lambda: numbers(400_000).astype("f4"))
    many = 3000
    yield (
        "many",
        of(lambda: [np.zeros(1) for _ in range(many)], lambda: [np.ones(1) for _ in range(many)]),
    )
