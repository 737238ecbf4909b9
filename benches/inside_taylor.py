"""Second derivatives by x inside a cost, with their gradient, beside JAX: a table.

Run as `python -m benches.inside_taylor`; the peers run where JAX is installed. The cost is the mean
square residual of u_xx + u_yy = f on points (x, y), u a tanh network. Each subject runs in a
process of its own, on as many CPUs as threads; the samples are interleaved.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benches.machine import levels
from benches.processes import clock
from benches.processes.rounds import interleave, summary
from benches.processes.serve import serve
from benches.processes.workers import Served, cpus, with_threads

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]

SIZES, N = [2, 50, 50, 50, 50, 1], 4096
PEERS = ("nested grad", "jvp of grad", "jet")


def problem() -> tuple[list[Array], list[Array], Array, Array]:
    """Weights, biases, points and f, the same in every process."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(m, n)) / np.sqrt(n) for n, m in pairwise(SIZES)]
    biases = [rng.normal(size=m) / 10 for m in SIZES[1:]]
    x = rng.uniform(-1, 1, size=(N, 2))
    return weights, biases, x, np.sin(np.pi * x).prod(axis=1)


def bpfast_gradient() -> tuple[Callable[[], object], Callable[[], Array]]:
    """`backprop_taylor`: the call to time, and the gradient to compare."""
    import bpfast

    weights, biases, x, f = problem()
    net = bpfast.Network.from_parameters(weights, biases, hidden="tanh", output="identity")
    directions, out = np.eye(2), bpfast.Gradient(net)

    def cost(taylor: bpfast.Taylor) -> tuple[Array, tuple[None, None, Array]]:
        assert taylor.second is not None
        r = taylor.second.sum(axis=0) - f[:, None]
        return (r[:, 0] ** 2) / 2, (None, None, np.broadcast_to(r, taylor.second.shape))

    def call() -> object:
        return net.backprop_taylor(x, directions, cost, out=out)

    def read() -> Array:
        call()
        return np.concatenate(
            [np.append(w.ravel(), b) for w, b in zip(out.weights, out.biases, strict=True)]
        )

    return call, read


def jax_gradient(kind: str) -> tuple[Callable[[], object], Callable[[], Array]]:
    """The same by one of JAX's ways to a second derivative, under jit."""
    import jax
    import jax.numpy as jnp
    from jax.experimental.jet import jet

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    weights, biases, points, values = problem()
    x, f = jnp.asarray(points), jnp.asarray(values)
    parameters = [(jnp.asarray(w), jnp.asarray(b)) for w, b in zip(weights, biases, strict=True)]

    def u(parameters: Any, p: Any) -> Any:
        *hidden, (w, b) = parameters
        for v, c in hidden:
            p = jnp.tanh(v @ p + c)
        return (w @ p + b)[0]

    def nested(parameters: Any, p: Any) -> Any:
        def second(k: int) -> Any:
            def first(s: Any) -> Any:
                return jax.grad(lambda t: u(parameters, p.at[k].set(t)))(s)

            return jax.grad(first)(p[k])

        return second(0) + second(1)

    def forward_over_reverse(parameters: Any, p: Any) -> Any:
        gradient = jax.grad(lambda q: u(parameters, q))
        return sum(jax.jvp(gradient, (p,), (v,))[1] @ v for v in jnp.eye(2))

    def taylor(parameters: Any, p: Any) -> Any:
        def second(v: Any) -> Any:
            series = [v, jnp.zeros_like(v)]
            return jet(lambda q: u(parameters, q), (p,), (series,))[1][1]

        return jax.vmap(second)(jnp.eye(2)).sum()

    laplacian = {"nested grad": nested, "jvp of grad": forward_over_reverse, "jet": taylor}[kind]

    def cost(parameters: Any) -> Any:
        r = jax.vmap(laplacian, (None, 0))(parameters, x) - f
        return 0.5 * jnp.mean(r**2)

    run = jax.jit(jax.value_and_grad(cost))

    def call() -> object:
        return jax.block_until_ready(run(parameters))

    def read() -> Array:
        parts = run(parameters)[1]
        return np.concatenate([np.append(np.ravel(w), b) for w, b in parts])

    return call, read


class Server:
    """One of the subjects, in its process."""

    def __init__(self, kind: str) -> None:
        self.call, self.read = bpfast_gradient() if kind == "bpfast" else jax_gradient(kind)
        self.repeats = clock.calibrate(self.call)

    def gradient(self, _: Any) -> dict[str, Any]:
        """The gradient, to compare."""
        return {"gradient": self.read().tolist()}

    def time(self, _: Any) -> dict[str, Any]:
        """Seconds of one gradient."""
        return {"seconds": clock.sample(self.call, self.repeats)}


def subject(kind: str, threads: int) -> Served:
    """A process that holds one of the subjects, on as many CPUs as threads."""
    environment = with_threads(threads, levels.widest())
    with cpus(threads):
        module = ["benches.inside_taylor", "--serve", kind]
        return Served(f"{kind} ({threads} threads)", module, environment)


def seconds_of(process: Served) -> float:
    """Seconds of one gradient."""
    found: float = process.sample("time")["seconds"]
    return found


def measure(rounds: int, seconds: float, counts: list[int]) -> list[dict[str, Any]]:
    """A row for each subject and number of threads: milliseconds, and times as long as bpfast."""
    kinds = ["bpfast", *(PEERS if importlib.util.find_spec("jax") else ())]
    rows: list[dict[str, Any]] = []
    for threads in counts:
        with contextlib.ExitStack() as stack:
            started = {kind: stack.enter_context(subject(kind, threads)) for kind in kinds}
            found = {k: np.array(s.ask("gradient")["gradient"]) for k, s in started.items()}
            ours = found["bpfast"]
            for kind, gradient in found.items():
                error = np.linalg.norm(gradient - ours) / np.linalg.norm(ours)
                assert error < 1e-10, (kind, error)  # rounding in float64
            calls = {kind: partial(seconds_of, process) for kind, process in started.items()}
            times = interleave(calls, rounds, seconds)
        fastest = summary(times["bpfast"])["median"]
        for kind, samples in times.items():
            figures = summary(samples)
            ratio = figures["median"] / fastest
            rows.append({"subject": kind, "threads": threads, "ratio": ratio, **figures})
    return rows


def main(arguments: list[str] | None = None) -> list[dict[str, Any]]:
    """Measure, print a table, and return its rows."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--rounds", type=int, default=20, help="samples of each figure, at most (20)")
    made.add_argument("--seconds", type=float, default=30.0, help="of rounds, at most (30)")
    made.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    made.add_argument("--serve", help=argparse.SUPPRESS)
    args = made.parse_args(arguments)
    if args.serve:
        serve(lambda: Server(args.serve))
        return []
    rows = measure(args.rounds, args.seconds, args.threads)
    sizes = "-".join(map(str, SIZES))
    print(f"Gradient of the mean square of u_xx + u_yy - f, {sizes}, n = {N}, float64, tanh")
    print(f"{'':14}{'threads':>8}{'median ms':>12}{'quartiles':>18}{'ratio':>8}")
    for row in rows:
        low, high = (1e3 * row[k] for k in ("low", "high"))
        print(
            f"{row['subject']:14}{row['threads']:8}{1e3 * row['median']:12.2f}"
            f"{f'{low:.2f} to {high:.2f}':>18}{row['ratio']:8.2f}"
        )
    return rows


if __name__ == "__main__":
    main()
