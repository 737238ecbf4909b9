"""Train on Dask clusters of several sizes, and compare the parameters, which have the same bits.

The workers are processes on this machine. With `--address` the training runs on an existing
cluster, and with `--threads` the workers are threads of this process, which start faster.
"""

import time
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bpfast
from shared import options, runs

try:
    from dask.distributed import Client, LocalCluster
except ModuleNotFoundError as missing:
    raise SystemExit(
        f'This program needs {missing.name}: pip install "dask[distributed]"'
    ) from None


def data(rows: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A smooth function of 20 inputs."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, 20), np.float32)
    return x, np.tanh(x @ rng.standard_normal((20, 3), np.float32) / 4)


def train(rows: int, epochs: int, seed: int, client: Any = None) -> list[str]:
    """Train on a client's workers, or in this process. Returns the cells of a row."""
    net = bpfast.Network(
        [20, 64, 3], hidden="tanh", output="identity", init="xavier", dtype="float32", seed=seed
    )
    start = time.perf_counter()
    history = bpfast.distributed.fit(
        net, *data(rows), client=client, shard_rows=1000, method="full",
        optimizer=bpfast.Adam(0.02), epochs=epochs, seed=seed,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    digest = sha256(net.params.tobytes()).hexdigest()[:16]
    return [f"{seconds:.2f}", f"{history.cost[-1]:.5f}", digest]


def main() -> None:
    parser = options.parser(__doc__)
    options.add_number(parser, "--rows", 20_000, "number of examples")
    options.add_number(parser, "--epochs", 20, "steps, each with all examples")
    options.add_number(parser, "--seed", 0, "seed of the initial weights")
    add = parser.add_argument
    text = "number of workers of each local cluster (default: 1 2 3)"
    add("--workers", type=int, nargs="+", default=[1, 2, 3], metavar="N", help=text)
    add("--address", help="address of the scheduler of a running cluster, to use that instead")
    add("--threads", action="store_true", help="run the workers as threads of this process")
    args = parser.parse_args()
    options.check_whole(parser, args, rows=1, epochs=1)
    options.check_seed(parser, args.seed)

    given = (args.rows, args.epochs, args.seed)
    table = [["this process", *train(*given)]]
    if args.address:
        with Client(args.address) as client:
            table.append([f"{len(client.nthreads())} workers", *train(*given, client)])
    else:
        for count in args.workers:
            with (
                LocalCluster(
                    n_workers=count,
                    processes=not args.threads,
                    threads_per_worker=1,
                    dashboard_address=None,
                ) as local,
                Client(local) as client,
            ):
                table.append([f"{count} workers", *train(*given, client)])
    print(runs.table(["where", "seconds", "cost", "SHA-256 of the parameters"], table))
    if len({row[-1] for row in table}) > 1:
        raise SystemExit("The parameters differ.")


if __name__ == "__main__":
    main()
