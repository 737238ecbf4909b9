"""Derivatives beyond the gradient of a batch."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.out_of_memory.call import (
    ROWS,
    SOFTMAX,
    WIDE,
    Call,
    classes,
    net,
    numbers,
    several,
    squared,
)

METHODS = (
    "vjp", "jvp", "input_gradient", "forward_from", "per_example_norms", "clipped_backprop",
    "gradient_statistics", "hvp", "ggn_vp", "empirical_fisher_vp",
)  # fmt: skip
OF_CALLABLES = ("input_gradient", "per_example_norms", "clipped_backprop", "empirical_fisher_vp")


def of(sizes: list[int], rows: int, method: str, **options: Any) -> Callable[[], Call]:
    """Make a call of `method` for a network and a batch."""

    def make() -> Call:
        made = net(*sizes, **options)
        x, v = numbers(rows, sizes[0]), made.params.copy()
        y = classes(rows, sizes[-1]) if options.get("output") else numbers(rows, sizes[-1])
        calls: dict[str, Call] = {
            "vjp": lambda: made.vjp(x, y),
            "jvp": lambda: made.jvp(x, dx=x, dparams=v),
            "jacobian": lambda: made.jacobian(x),
            "forward_from": lambda: made.forward_from(2, x),
            "clipped_backprop": lambda: made.clipped_backprop(x, y, 0.1),
            "a sample": lambda: made.clipped_backprop(x, y, 0.1, sampling_rate=0.5, seed=0),
            "hvp": lambda: made.hvp(x, y, v),
            "ggn_vp": lambda: made.ggn_vp(x, y, v),
            "empirical_fisher_vp": lambda: made.empirical_fisher_vp(x, y, v),
        }
        return calls.get(method) or (lambda: getattr(made, method)(x, y))

    return make


@several
def derivatives() -> Iterator[tuple[str, Callable[[], Call]]]:
    """For a small network over many examples, and for a large one over some."""
    for method in METHODS:
        yield f"{method}, many rows", of([20, 20, 20], ROWS, method)
        yield f"{method}, wide", of([WIDE, WIDE, WIDE], 3000, method, dtype="float32")
        yield f"{method}, many layers", of([3] * 2000, 20, method)
    for method in METHODS[2:3] + METHODS[4:]:
        yield f"{method}, labels", of([30, 20, 10], ROWS, method, **SOFTMAX)
    for method in OF_CALLABLES:
        yield f"{method}, callable", of([30, 20, 10], ROWS, method, cost=squared)
    yield "per_example_gradients", of([30, 20, 10], ROWS // 10, "per_example_gradients")
    yield "jacobian", of([30, 20, 10], ROWS // 4, "jacobian")
    yield "a sample", of([30, 20, 10], ROWS, "a sample")


@several
def derivatives_of_a_trace() -> Iterator[tuple[str, Callable[[], Call]]]:
    """With the forward pass made before."""

    def of_trace(method: str) -> Callable[[], Call]:
        def make() -> Call:
            made = net(30, 20, 10)
            trace, y = made.trace(numbers(ROWS, 30)), np.ones((ROWS, 10))
            v = made.params.copy()
            return lambda: getattr(made, method)(trace, *([y, v] if method == "hvp" else [y]))

        return make

    for method in ("vjp", "per_example_norms", "hvp"):
        yield method, of_trace(method)
