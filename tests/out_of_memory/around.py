"""Copies, files, views and texts of a network, and what stands around it."""

import contextlib
import copy
import pickle
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import bpfast
from bpfast import inside
from tests.out_of_memory.call import SOFTMAX, Call, classes, net, numbers, several


@several
def around() -> Iterator[tuple[str, Callable[[], Call]]]:
    def of(work: Callable[[bpfast.Network], object], *sizes: int, **options: Any) -> Any:
        def make() -> Call:
            made = net(*(sizes or (1000, 700)), **options)
            made.weights, made.biases  # noqa: B018 - the views are there already
            return lambda: work(made)

        return make

    yield "copy", of(copy.copy)
    yield "deepcopy", of(copy.deepcopy)
    yield "pickle", of(lambda made: pickle.dumps(made, 5))

    def unpickled() -> Call:
        data = pickle.dumps(net(1000, 700), 5)
        return lambda: pickle.loads(data)

    yield "unpickle", unpickled
    yield "astype", of(lambda made: made.astype("float32"))
    yield "set params", of(lambda made: setattr(made, "params", made.params * 2))
    yield "set weights", of(lambda made: setattr(made, "weights", [made.weights[0] * 2]))

    def of_views(work: Callable[[object], object]) -> Callable[[], Call]:
        def make() -> Call:
            made = net(1000, 700)
            work(made.weights[0])  # NumPy loads what it lacks; without memory it ends the process
            return lambda: work(made.weights)

        return make

    yield "views", of_views(pickle.dumps)
    yield "gradient", of(bpfast.Gradient)
    yield "copy of a gradient", lambda: bpfast.Gradient(net(1000, 700)).copy
    many = [1] * 50_000
    yield "repr", of(repr, *many, init="zeros")
    yield "config", of(lambda made: made.config, *many, init="zeros")
    yield "sizes", of(lambda made: made.sizes, *many, init="zeros")
    yield "all views", of(lambda made: list(made.weights), *many[:5000], init="zeros")
    yield "repr of views", of_views(repr)

    def saving(*sizes: int, **options: Any) -> Callable[[], Call]:
        def make() -> Call:
            path, made = Path(tempfile.mkdtemp(), "net"), net(*sizes, **options)
            return lambda: made.save(path)

        return make

    def loading(*sizes: int, **options: Any) -> Callable[[], Call]:
        def make() -> Call:
            path = Path(tempfile.mkdtemp(), "net")
            net(*sizes, **options).save(path)
            return lambda: bpfast.load(path)

        return make

    for name, some in (("save", saving), ("load", loading)):
        yield name, some(1000, 1000)
        yield f"{name}, float32", some(100, 1000, 300, dtype="float32")
        yield f"{name}, many layers", some(*many[:5000], init="zeros")

    yield "threads", lambda: lambda: bpfast.set_num_threads(2)

    def refused() -> None:
        with contextlib.suppress(ValueError):
            bpfast.set_num_threads(0)

    yield "wrong threads", lambda: refused
    yield "show_config", lambda: bpfast.show_config

    def checked() -> Call:
        made = net(30, 20, 10)
        x, y = numbers(200, 30), numbers(200, 10)
        return lambda: bpfast.testing.check_gradients(made, x, y)

    yield "check_gradients", checked

    def minimized() -> Call:
        # OpenBLAS waits for ever for the memory that it lacks while SciPy is loaded.
        import_module("scipy.optimize")
        made, x, y = net(30, 200, 10), numbers(2000, 30), numbers(2000, 10)
        return lambda: bpfast.scipy_minimize(made, x, y, max_iterations=2)

    if find_spec("scipy"):
        yield "scipy_minimize", minimized

    def solved(width: int) -> Callable[[], Call]:
        def make() -> Call:
            made, x, y = net(30, width, 10), numbers(300, 30), numbers(300, 10)
            return lambda: bpfast.least_squares(made, x, y, max_iterations=1)

        return make

    yield "least_squares", solved(5)
    yield "least_squares, by a thread", solved(20)

    def of_inside(use: Callable[..., object]) -> Callable[[], Call]:
        def make() -> Call:
            made, x, y = net(30, 60, 10, **SOFTMAX), numbers(4000, 30), classes(4000)
            return lambda: use(made, x, y)

        return make

    yield "explain", of_inside(inside.explain)
    yield "demon", of_inside(inside.demon)
    yield "monitor", of_inside(lambda made, x, y: inside.Monitor(x, y).record(made))
    yield "eigenvalues", of_inside(lambda made, x, y: made.curvature(x, y).eigenvalues(3))

    def history() -> Call:
        made = net(2, 2)
        made.fit(np.ones((2, 2)), np.ones((2, 2)), epochs=300)
        return lambda: (repr(made.history), made.history and made.history.to_dict())

    yield "history", history
