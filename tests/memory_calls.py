"""Every public call once, of a size that its arrays are what memory runs out for.

Each entry of `CALLS` makes what the call needs, and returns the call: a function of no argument whose
answer is thrown away. `tests/walk_memory.py` makes them where memory runs out.
"""

import copy
import pickle
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import bpfast
from bpfast import optimizers, schedules

Call = Callable[[], object]
CALLS: dict[str, Callable[[], Call]] = {}

ROWS, WIDE = 20_000, 300


def call(make: Callable[[], Call]) -> Callable[[], Call]:
    """Put a call into `CALLS`, under its name."""
    CALLS[make.__name__] = make
    return make


def several(make: Callable[[], Iterator[tuple[str, Callable[[], Call]]]]) -> None:
    """Put calls into `CALLS` that differ in an argument."""
    for name, one in make():
        CALLS[f"{make.__name__}[{name}]"] = one


def net(*sizes: int, **options: Any) -> bpfast.Network:
    """Make a network that no test could tell from another of its sizes."""
    return bpfast.Network(sizes, seed=0, **options)


def classes(rows: int = ROWS, width: int = 10) -> np.ndarray:
    """Make class labels."""
    return np.arange(rows) % width


def numbers(*shape: int) -> np.ndarray:
    """Make numbers between 0 and 1."""
    return np.linspace(0, 1, int(np.prod(shape))).reshape(shape)


SOFTMAX: dict[str, Any] = {"output": "softmax", "cost": "log_likelihood"}


def squared(a: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A cost of one's own."""
    return ((a - y) ** 2).sum(1) / 2, a - y


@call
def network() -> Call:
    return lambda: bpfast.Network([1500, 700, 10], seed=0)


@call
def network_float32() -> Call:
    return lambda: bpfast.Network([1500, 700, 10], seed=0, dtype="float32", init="xavier")


@call
def network_of_many_layers() -> Call:
    sizes = [1] * 100_000
    return lambda: bpfast.Network(sizes, init="zeros")


@call
def network_of_many_names() -> Call:
    sizes, hidden = [1] * 30_000, ["tanh"] * 29_998
    return lambda: bpfast.Network(sizes, hidden=hidden, init="zeros")


@call
def name_that_is_long() -> Call:
    name = "x" * 4_000_000

    def refused() -> None:
        try:
            bpfast.Network([2, 2], cost=name)
        except ValueError:
            return
        raise AssertionError("a name that is none was taken")

    return refused


@call
def from_parameters() -> Call:
    weights, biases = [np.ones((700, 1500)), np.ones((10, 700))], [np.ones(700), np.ones(10)]
    return lambda: bpfast.Network.from_parameters(weights, biases)


@several
def x_of() -> Iterator[tuple[str, Callable[[], Call]]]:
    def of(x: Any, dtype: str) -> Callable[[], Call]:
        return lambda: (lambda made, given: lambda: made.forward(given))(
            net(30, 20, 10, dtype=dtype), x()
        )

    for dtype in ("float32", "float64"):
        yield f"float32 to {dtype}", of(lambda: numbers(ROWS, 30).astype("f4"), dtype)
        yield f"float64 to {dtype}", of(lambda: numbers(ROWS, 30), dtype)
        yield f"Fortran to {dtype}", of(lambda: np.asfortranarray(numbers(ROWS, 30)), dtype)
    yield "strided", of(lambda: numbers(2 * ROWS, 60)[::2, ::2], "float64")
    yield "int16", of(lambda: numbers(ROWS, 30).astype("i2"), "float64")
    yield "swapped bytes", of(lambda: numbers(ROWS, 30).astype(">f8"), "float64")
    yield "lists", of(lambda: numbers(ROWS // 4, 30).tolist(), "float64")


@several
def compute() -> Iterator[tuple[str, Callable[[], Call]]]:
    """The methods, for a small network over many examples, for a large one over some."""

    def of(sizes: list[int], rows: int, method: str, **options: Any) -> Callable[[], Call]:
        def make() -> Call:
            made = net(*sizes, **options)
            x, weights = numbers(rows, sizes[0]), np.ones(rows)
            if "cost" not in options or options["cost"] is squared:
                y = numbers(rows, sizes[-1])
            else:
                y = classes(rows, sizes[-1])
            if method in {"forward", "trace"}:
                return lambda: getattr(made, method)(x)
            if method == "out":
                gradient = bpfast.Gradient(made)
                return lambda: made.backprop(x, y, out=gradient)
            return lambda: getattr(made, method)(x, y, sample_weight=weights)

        return make

    for method in ("forward", "trace", "cost", "errors", "backprop", "out"):
        yield f"{method}, many rows", of([30, 20, 10], ROWS, method)
        yield f"{method}, wide", of([WIDE, WIDE, WIDE], 3000, method, dtype="float32")
        yield f"{method}, labels", of([30, 20, 10], ROWS, method, **SOFTMAX)
        yield f"{method}, callable", of([30, 20, 10], ROWS, method, cost=squared)
        yield f"{method}, many layers", of([3] * 2000, 20, method)
    yield "forward, few rows", of([2000, 2000, 10], 2, "forward")


@several
def sparse() -> Iterator[tuple[str, Callable[[], Call]]]:
    try:
        from scipy.sparse import csc_array, csr_array
    except ImportError:
        return

    def of(kind: Any, method: str, dtype: str = "f8") -> Callable[[], Call]:
        def make() -> Call:
            x = kind((np.arange(ROWS * 50) % 7 == 0).reshape(ROWS, 50).astype(dtype))
            made, y = net(50, 20, 10, **SOFTMAX), classes()
            if method in {"forward", "trace"}:
                return lambda: getattr(made, method)(x)
            if method == "fit":
                return lambda: made.fit(x, y, epochs=1)
            return lambda: getattr(made, method)(x, y)

        return make

    for method in ("forward", "trace", "cost", "errors", "backprop", "backprop_touched", "fit"):
        yield f"csr, {method}", of(csr_array, method)
    yield "csc", of(csc_array, "backprop")
    yield "csr of int8", of(csr_array, "forward", "i1")


@several
def functional() -> Iterator[tuple[str, Callable[[], Call]]]:
    def parameters() -> tuple[list[np.ndarray], list[np.ndarray]]:
        made = net(30, 20, 10)
        return list(made.weights), list(made.biases)

    def of(name: str, *arguments: np.ndarray) -> Callable[[], Call]:
        weights, biases = parameters()
        return lambda: lambda: getattr(bpfast, name)(weights, biases, *arguments)

    x, y = numbers(ROWS, 30), numbers(ROWS, 10)
    yield "forward", of("forward", x)
    yield "trace", of("trace", x)
    yield "cost", of("cost", x, y)
    yield "errors", of("errors", x, y)
    yield "backprop", of("backprop", x, y)

    z, w = numbers(ROWS, 20), numbers(10, 20)
    yield "bp1", lambda: lambda: bpfast.bp1(y, y)
    yield "bp1, callable", lambda: lambda: bpfast.bp1(y, y, cost=squared)
    yield "bp2", lambda: lambda: bpfast.bp2(y, w, z)
    yield "bp3", lambda: lambda: bpfast.bp3(x)
    yield "bp4", lambda: lambda: bpfast.bp4(y, z)
    a = numbers(500, 900)
    yield "bp4, wide", lambda: lambda: bpfast.bp4(a, a)


@several
def fit() -> Iterator[tuple[str, Callable[[], Call]]]:
    def of(*, y: Any = classes, x: Any = None, partial: bool = False, **options: Any) -> Any:
        def make() -> Call:
            made = net(30, 60, 10, **SOFTMAX)
            given, wanted = (x or (lambda: numbers(ROWS, 30)))(), y()
            options.setdefault("epochs", 1)
            if partial:
                return lambda: made.partial_fit(given, wanted)
            return lambda: made.fit(given, wanted, **options)

        return make

    yield "labels", of()
    yield "many labels", lambda: (lambda made, x, y: lambda: made.fit(x, y, epochs=1))(
        net(2, 4, **SOFTMAX), np.ones((500_000, 2)), classes(500_000, 4)
    )
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
    yield "early stopping", of(
        validation=0.2,
        epochs=3,
        early_stopping=bpfast.EarlyStopping(patience=1, restore_best=True),
    )
    yield "progress", of(progress=True)
    yield "partial_fit", of(partial=True)
    yield "wide", lambda: (lambda made, x: lambda: made.fit(x, x, epochs=1, batch_size=100))(
        net(900, 900), numbers(300, 900)
    )

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
    many = 30_000
    yield "many", of(
        lambda: [np.zeros(1) for _ in range(many)], lambda: [np.ones(1) for _ in range(many)]
    )


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
    yield "unpickle", lambda: (lambda data: lambda: pickle.loads(data))(  # noqa: S301 - ours
        pickle.dumps(net(1000, 700), 5)
    )
    yield "astype", of(lambda made: made.astype("float32"))
    yield "set params", of(lambda made: setattr(made, "params", made.params * 2))
    yield "set weights", of(lambda made: setattr(made, "weights", [made.weights[0] * 2]))
    yield "views", of(lambda made: pickle.dumps(made.weights))
    yield "gradient", of(bpfast.Gradient)
    yield "copy of a gradient", lambda: bpfast.Gradient(net(1000, 700)).copy
    many = [1] * 50_000
    yield "repr", of(repr, *many, init="zeros")
    yield "config", of(lambda made: made.config, *many, init="zeros")
    yield "sizes", of(lambda made: made.sizes, *many, init="zeros")
    yield "all views", of(lambda made: list(made.weights), *many[:5000], init="zeros")
    yield "repr of views", of(lambda made: repr(made.weights))

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
    yield "show_config", lambda: bpfast.show_config

    def checked() -> Call:
        made = net(30, 20, 10)
        x, y = numbers(200, 30), numbers(200, 10)
        return lambda: bpfast.testing.check_gradients(made, x, y)

    yield "check_gradients", checked

    def minimized() -> Call:
        made, x, y = net(30, 200, 10), numbers(2000, 30), numbers(2000, 10)
        return lambda: bpfast.scipy_minimize(made, x, y, max_iterations=2)

    yield "scipy_minimize", minimized

    def history() -> Call:
        made = net(2, 2)
        made.fit(np.ones((2, 2)), np.ones((2, 2)), epochs=300)
        return lambda: (repr(made.history), made.history.to_dict())

    yield "history", history
