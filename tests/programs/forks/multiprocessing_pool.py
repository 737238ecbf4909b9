"""Workers of multiprocessing compute what this process does."""

import json
import multiprocessing
import sys

import bpfast
from tests.helpers.child import case, outcome


def work(name):
    bpfast.set_num_threads(2)
    return outcome(*case(name, 1000, "float32"))


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    here = [work(name) for name in ("mnist", "tiny", "deep")] * 2
    with multiprocessing.Pool(4) as pool:
        there = pool.map(work, ("mnist", "tiny", "deep") * 2, chunksize=1)
    print(json.dumps(here == there))
