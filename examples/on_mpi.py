"""Train on MPI ranks: `mpirun -n 4 python -m mpi4py on_mpi.py`.

Each rank makes and keeps only its own shards. Afterwards rank 0 trains on all shards by itself and
compares the parameters, which have the same bits.
"""

import time
from functools import partial
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

import bpfast
from shared import options, runs

try:
    from mpi4py import MPI
except ModuleNotFoundError as missing:
    raise SystemExit(f"This program needs {missing.name}: pip install mpi4py") from None

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
    parser = options.parser(__doc__)
    options.add_number(parser, "--shards", 20, f"number of shards of {SHARD_ROWS} examples")
    options.add_number(parser, "--epochs", 20, "steps, each with all examples")
    options.add_number(parser, "--seed", 0, "seed of the initial weights")
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
