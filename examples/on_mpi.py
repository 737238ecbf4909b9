"""Training on MPI ranks: `mpirun -n 4 python -m mpi4py on_mpi.py`.

Each rank makes and holds only its own shards. Rank 0 trains once more alone, on all shards, and
compares the bits.
"""

import time
from argparse import ArgumentParser
from functools import partial
from hashlib import sha256

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import bpfast
import options
import runs

SHARD_ROWS = 1000


def shard(number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The examples of a shard. With real data: the rows of a file."""
    weights = np.random.default_rng(0).standard_normal((20, 3), np.float32)
    x = np.random.default_rng(1 + number).standard_normal((SHARD_ROWS, 20), np.float32)
    return x, np.tanh(x @ weights / 4)


def train(shards: int, epochs: int, seed: int, comm: MPI.Intracomm | None) -> list[str]:
    """Train on the ranks, or in this process. Returns the cells of a row."""
    net = bpfast.Network(
        [20, 64, 3], hidden="tanh", output="identity", init="xavier", dtype="float32", seed=seed
    )
    start = time.perf_counter()
    history = bpfast.distributed.fit(
        net, [partial(shard, number) for number in range(shards)], comm=comm, method="full",
        optimizer=bpfast.Adam(0.02), epochs=epochs, seed=seed,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    digest = sha256(net.params.tobytes()).hexdigest()[:16]
    return [f"{seconds:.2f}", f"{history.cost[-1]:.5f}", digest]


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--shards", type=int, default=20, help=f"of {SHARD_ROWS} rows (20)")
    add("--epochs", type=int, default=20, help="steps over all rows (20)")
    add("--seed", type=int, default=0, help="of the first weights (0)")
    args = parser.parse_args()
    options.check_whole(parser, args, shards=1, epochs=1)
    options.check_seed(parser, args.seed)

    comm = MPI.COMM_WORLD
    given = (args.shards, args.epochs, args.seed)
    table = [[f"{comm.Get_size()} ranks", *train(*given, comm)]]
    if comm.Get_rank() == 0:
        table.append(["this process", *train(*given, None)])
        print(runs.table(["where", "seconds", "cost", "SHA-256 of the parameters"], table))
        if table[0][-1] != table[1][-1]:
            raise SystemExit("The parameters differ.")


if __name__ == "__main__":
    main()
