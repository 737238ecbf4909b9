"""Many small networks at once, beside the ways that people train them: `python -m benches.many`.

1,000 networks of at most 1,000 parameters and 1,000 examples, in float64, with Adam and batches of
32. The peers train fewer networks or epochs, and the table has the time per network and epoch.

- `fit` in a loop, and `fit_many`;
- joblib with scikit-learn's MLPRegressor, a process for each CPU;
- JAX's `vmap` over networks of one shape, with the steps of an epoch in one `lax.scan` under `jit`.

A second table compares networks that do their steps together, as those of one shape do, with
networks that differ in the slope of their leaky ReLU alone, and so do them one by one.

Each library runs in a process of its own, without the variables that would choose its kernels.
"""

import argparse
import contextlib
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import bpfast
from benches.processes.serve import serve
from benches.processes.workers import Served

N, INPUTS, BATCH = 1000, 8, 32
MAX_PARAMETERS = 1000  # parameters
EQUAL = 48  # the hidden neurons of the networks of one shape
SHAPES = (4, 10, 16, 32, 48, 64)  # and of those of the second table


def data() -> tuple[Any, Any]:
    """A smooth function of eight inputs."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, INPUTS))
    return x, np.tanh(x @ rng.standard_normal((INPUTS, 1)))


def widths(count: int, *, equal: bool) -> list[int]:
    """The hidden neurons of each network: any up to the limit, or the same."""
    if equal:
        return [EQUAL] * count
    largest = (MAX_PARAMETERS - 1) // (INPUTS + 2)
    found: list[int] = np.random.default_rng(1).integers(2, largest + 1, count).tolist()
    return found


def networks(sizes: list[int]) -> list[bpfast.Network]:
    """Networks with these numbers of hidden neurons."""
    return [
        bpfast.Network([INPUTS, width, 1], hidden="relu", output="identity", seed=k)
        for k, width in enumerate(sizes)
    ]


def with_slopes(width: int, count: int, *, equal: bool, dtype: Any) -> list[bpfast.Network]:
    """Networks of one width with the same slope below 0, or each with its own."""
    slopes = [0.01 if equal else 0.01 + 1e-6 * k for k in range(count)]
    return [
        bpfast.Network(
            [INPUTS, width, 1],
            hidden=f"leaky_relu({slope})",
            output="identity",
            dtype=dtype,
            seed=k,
        )
        for k, slope in enumerate(slopes)
    ]


def train(nets: list[bpfast.Network], epochs: int) -> tuple[float, float]:
    """The seconds of `fit_many`, and the part of all CPUs' time that is spent in the epochs."""
    x, y = data()
    start = time.perf_counter()
    ensemble = bpfast.fit_many(nets, x, y, epochs=epochs, batch_size=BATCH, seed=0)
    seconds = time.perf_counter() - start
    inside = sum(float(history.seconds.sum()) for history in ensemble.histories if history)
    return seconds, inside / (seconds * bpfast.get_num_threads())


def together(sizes: list[int], epochs: int) -> tuple[float, float]:
    """`train` for networks with these numbers of hidden neurons."""
    return train(networks(sizes), epochs)


def one_by_one(sizes: list[int], epochs: int) -> float:
    """The seconds of `fit` in a loop."""
    x, y = data()
    nets = networks(sizes)
    start = time.perf_counter()
    for k, net in enumerate(nets):
        net.fit(x, y, epochs=epochs, batch_size=BATCH, seed=k)
    return time.perf_counter() - start


def _sklearn_fit(width: int, seed: int, epochs: int) -> float:
    from sklearn.neural_network import MLPRegressor

    warnings.simplefilter("ignore")
    x, y = data()
    model = MLPRegressor(
        hidden_layer_sizes=(width,),
        batch_size=BATCH,
        max_iter=epochs,
        tol=0,
        n_iter_no_change=epochs + 1,
        alpha=0,
        random_state=seed,
    )
    return float(model.fit(x, y.ravel()).loss_)


def with_joblib(sizes: list[int], epochs: int) -> float:
    """The seconds of joblib with scikit-learn, without the start of its processes."""
    from joblib import Parallel, delayed

    with Parallel(n_jobs=-1) as parallel:
        parallel(delayed(_sklearn_fit)(4, seed, 1) for seed in range(8))
        start = time.perf_counter()
        parallel(delayed(_sklearn_fit)(width, k, epochs) for k, width in enumerate(sizes))
        return time.perf_counter() - start


def with_vmap(sizes: list[int], epochs: int) -> float:
    """The seconds of JAX's vmap, compiled before."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp, lax = jax.numpy, jax.lax
    x, y = map(jnp.asarray, data())
    width, steps = sizes[0], N // BATCH

    def cost(p: Any, batch: Any) -> Any:
        hidden = jnp.maximum(batch[0] @ p["w1"] + p["b1"], 0)
        return jnp.mean((hidden @ p["w2"] + p["b2"] - batch[1]) ** 2) / 2

    def step(carry: Any, rows: Any) -> Any:
        p, m, v, t = carry
        g = jax.grad(cost)(p, (x[rows], y[rows]))
        t = t + 1
        tree = jax.tree_util.tree_map
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)

        def move(p: Any, m: Any, v: Any) -> Any:
            return p - 0.001 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)

        return (tree(move, p, m, v), m, v, t), None

    def epoch(carry: Any, key: Any) -> Any:
        order = jax.random.permutation(key, N)[: steps * BATCH].reshape(steps, BATCH)
        return lax.scan(step, carry, order)[0]

    def new(key: Any) -> Any:
        keys = jax.random.split(key, 2)
        zeros = jnp.zeros
        return {
            "w1": jax.random.normal(keys[0], (INPUTS, width)) / INPUTS**0.5, "b1": zeros(width),
            "w2": jax.random.normal(keys[1], (width, 1)) / width**0.5, "b2": zeros(1),
        }  # fmt: skip

    count = len(sizes)
    params = jax.vmap(new)(jax.random.split(jax.random.key(0), count))
    zero = jax.tree_util.tree_map(jnp.zeros_like, params)
    carry = (params, zero, zero, jnp.zeros(count))
    run = jax.jit(jax.vmap(epoch))
    keys = jax.random.split(jax.random.key(1), epochs * count).reshape(epochs, count)
    jax.block_until_ready(run(carry, keys[0]))
    start = time.perf_counter()
    for k in range(epochs):
        carry = run(carry, keys[k])
    jax.block_until_ready(carry)
    return time.perf_counter() - start


class Server:
    """One of the libraries, in its process."""

    def __init__(self, library: str) -> None:
        self.ways = WAYS[library]

    def time(self, request: dict[str, Any]) -> dict[str, Any]:
        """Seconds of one of its ways, and the part of all CPUs' time in the epochs, if known."""
        found = self.ways[request["way"]](
            widths(request["count"], equal=request["equal"]), request["epochs"]
        )
        seconds, share = found if isinstance(found, tuple) else (found, None)
        return {"seconds": seconds, "share": share}

    def slopes(self, request: dict[str, Any]) -> dict[str, Any]:
        """Seconds of `fit_many` with networks of one slope, or of one each."""
        width, count, equal = request["width"], request["count"], request["equal"]
        nets = with_slopes(width, count, equal=equal, dtype=request["dtype"])
        return {"seconds": train(nets, request["epochs"])[0]}

    def about(self, _: dict[str, Any]) -> dict[str, Any]:
        """What bpfast computes with."""
        simd = bpfast.show_config(mode="dicts")["simd"]
        return {"threads": bpfast.get_num_threads(), "simd": simd}


WAYS: dict[str, dict[str, Callable[..., Any]]] = {
    "bpfast": {"fit_many": together, "fit": one_by_one},
    "sklearn": {"joblib": with_joblib},
    "jax": {"vmap": with_vmap},
}


class Plan(NamedTuple):
    """A row of the first table."""

    title: str
    library: str
    way: str
    equal: bool
    networks: int
    epochs: int


def plans(count: int, epochs: int) -> list[Plan]:
    """The rows: fewer networks or epochs where one takes longer."""
    few, some = max(count // 10, 1), max(epochs // 10, 1)
    rows = [
        Plan("`fit_many`, any widths", "bpfast", "fit_many", False, count, epochs),
        Plan("`fit` in a loop, any widths", "bpfast", "fit", False, few, epochs),
        Plan("joblib, scikit-learn, any widths", "sklearn", "joblib", False, few, epochs),
        Plan("`fit_many`, one shape", "bpfast", "fit_many", True, count, epochs),
        Plan("JAX vmap, one shape", "jax", "vmap", True, count, some),
    ]
    return [plan for plan in rows if find_spec(plan.library)]


def process(library: str) -> Served:
    """A process that has one of the libraries."""
    return Served(library, ["benches.many", "--serve", library])


def print_ways(processes: dict[str, Served], rows: list[Plan], rounds: int) -> None:
    """Print the time of each way to train the networks."""
    times: dict[str, list[float]] = {plan.title: [] for plan in rows}
    shares: dict[str, list[float]] = {}
    for _ in range(rounds):  # in turn, so that a busy moment meets all
        for plan in rows:
            place = {"equal": plan.equal, "count": plan.networks, "epochs": plan.epochs}
            found = processes[plan.library].sample("time", way=plan.way, **place)
            times[plan.title].append(1e6 * found["seconds"] / (plan.networks * plan.epochs))
            if found["share"] is not None:
                shares.setdefault(plan.title, []).append(found["share"])
    print(
        "| | µs per network and epoch | times `fit_many` | time in the epochs |\n|---|---|---|---|"
    )
    for title, _, _, equal, *_ in rows:
        base = np.median(times["`fit_many`, one shape" if equal else "`fit_many`, any widths"])
        own = float(np.median(times[title]))
        share = f"{100 * np.median(shares[title]):.0f} %" if title in shares else ""
        print(f"| {title} | {own:,.0f} | {own / base:.1f} | {share} |")


def print_shapes(ours: Served, count: int, epochs: int, rounds: int) -> None:
    """Print the time of steps alone and together."""
    print(
        "| hidden neurons | dtype | µs, steps alone | µs, together | times |\n|---|---|---|---|---|"
    )
    place = {"count": count, "epochs": epochs}
    for width in SHAPES:
        for dtype in ("float64", "float32"):
            times: dict[bool, list[float]] = {False: [], True: []}
            for _ in range(rounds):
                for equal, found in times.items():
                    reply = ours.sample("slopes", width=width, dtype=dtype, equal=equal, **place)
                    found.append(1e6 * reply["seconds"] / (count * epochs))
            alone, together = (float(np.median(found)) for found in times.values())
            print(f"| {width} | {dtype} | {alone:.0f} | {together:.0f} | {alone / together:.1f} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts (3)")
    parser.add_argument("--serve", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(lambda: Server(options.serve))
        return
    rows = plans(options.networks, options.epochs)
    with contextlib.ExitStack() as stack:
        processes = {
            library: stack.enter_context(process(library))
            for library in dict.fromkeys(plan.library for plan in rows)
        }
        about = processes["bpfast"].ask("about")
        print(f"{about['threads']} threads, SIMD {about['simd']}")
        print_ways(processes, rows, options.rounds)
        print()
        few = max(options.networks // 10, 1)
        print_shapes(processes["bpfast"], few, options.epochs, options.rounds)


if __name__ == "__main__":
    main()
