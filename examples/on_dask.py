"""The same training on clusters of Dask workers of several sizes: equal bits, and the time of each.

The workers are processes of this machine. `--address` connects to a running cluster instead, and
with `--threads` the workers are threads of this process, for a quick look.
"""

import time
from argparse import ArgumentParser
from hashlib import sha256
from typing import Any

import numpy as np
from dask.distributed import Client, LocalCluster
from numpy.typing import NDArray

import bpfast
import options
import runs


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
    parser = ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--rows", type=int, default=20_000, help="of the data (20,000)")
    add("--epochs", type=int, default=20, help="steps over all rows (20)")
    add("--workers", type=int, nargs="+", default=[1, 2, 3], help="of each local cluster (1 2 3)")
    add("--address", help="of the scheduler of a running cluster")
    add("--threads", action="store_true", help="workers as threads of this process")
    add("--seed", type=int, default=0, help="of the first weights (0)")
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
