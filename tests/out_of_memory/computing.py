"""Networks, and what computes with them."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import bpfast
from tests.out_of_memory.call import (
    ROWS,
    SOFTMAX,
    WIDE,
    Call,
    call,
    classes,
    net,
    numbers,
    several,
    squared,
)


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
    sizes: list[int] = [1] * 30_000
    hidden: Any = ["tanh"] * 29_998
    return lambda: bpfast.Network(sizes, hidden=hidden, init="zeros")


@call
def name_that_is_long() -> Call:
    name: Any = "x" * 4_000_000

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
    def of(x: Callable[[], Any], dtype: str) -> Callable[[], Call]:
        def make() -> Call:
            made, given = net(30, 20, 10, dtype=dtype), x()
            return lambda: made.forward(given)

        return make

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
            if method == "taylor":
                return lambda: made.taylor(x, np.eye(2, sizes[0]))
            if method == "backprop_taylor":
                costs, nabla = np.ones(rows), (y, None, None)
                return lambda: made.backprop_taylor(
                    x, np.eye(2, sizes[0]), lambda _: (costs, nabla), sample_weight=weights
                )
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
    for method in ("taylor", "backprop_taylor"):
        yield f"{method}, many rows", of([30, 20, 10], ROWS, method)
        yield f"{method}, few rows", of([3] * 200, 20, method)
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
