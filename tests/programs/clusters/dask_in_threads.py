"""Trainings on Dask workers in threads of this process: hashes and messages, as JSON."""

import json
import sys

import dask
import numpy as np

from bpfast.distributed._engines import dask as engine
from tests.distributed.case import CASES, SHARD_ROWS, data, digest, examples, hashes, train
from tests.distributed.clusters import cluster


def sources(client):
    """The same shards as dask arrays, frames, delayed objects, and futures."""
    import dask.array as da
    import dask.dataframe as dd
    import pandas as pd

    x, y, weight = data()
    arrays = [da.from_array(array, chunks=170) for array in (x, y, weight)]
    yield "arrays", arrays
    yield "persisted", [array.persist() for array in arrays]
    frames = [dd.from_pandas(pd.DataFrame(array), npartitions=3) for array in (x, y)]
    yield "frames", [*frames, dd.from_pandas(pd.Series(weight), npartitions=3)]
    nullable = [dd.from_pandas(pd.DataFrame(a).astype("Float64"), npartitions=3) for a in (x, y)]
    yield "nullable", [*nullable, dd.from_pandas(pd.Series(weight, dtype="Float64"), npartitions=3)]
    starts = range(0, len(x), SHARD_ROWS)
    parts = [tuple(a[start : start + SHARD_ROWS] for a in (x, y, weight)) for start in starts]
    yield "delayed", [[dask.delayed(part) for part in parts]]
    yield "futures", [[client.submit(lambda part=part: part, pure=False) for part in parts]]
    yield "callables", [[lambda part=part: part for part in parts]]


def bad_parts():
    """Shards of which one is wrong, and the one that the error names."""
    x, y, weight = data()
    good = x[:9], y[:9], weight[:9]
    with_nan = x[:9].copy()
    with_nan[[4, 7], 3] = np.nan
    yield "empty", [good, (x[:0], y[:0], weight[:0]), good]
    yield "width", [good, good, (x[:9, :5], y[:9], weight[:9])]
    yield "y", [good, (x[:9], y[:9, :1], weight[:9])]
    yield "rows", [good, (x[:9], y[:8], weight[:9])]
    yield "no weights", [good, (x[:9], y[:9])]
    nan_weight = np.where(np.arange(9) == 5, np.nan, weight[:9])
    yield "nan weight", [good, good, (x[:9], y[:9], nan_weight)]
    yield "nan", [good, good, (with_nan, y[:9], weight[:9]), (with_nan, y[:9], weight[:9])]


def message(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def task_names(dask_scheduler):
    """The names of tasks as the dashboard shows them."""
    return sorted(name for name in dask_scheduler.task_prefixes if name.startswith("bpfast"))


def main(folder):
    found = {"hashes": {}, "sources": {}, "messages": {}}
    for workers in (8, 1):
        with cluster(workers, processes=False) as client:
            cases = CASES if workers == 8 else ["steps", "full", "steps and more"]
            found["hashes"][workers] = hashes(cases, client=client)
            of_classes = examples("classes")
            if workers == 1:
                resume = f"{folder}/checkpoint"
                net, _ = train("classes", *of_classes, client=client, epochs=3, resume=resume)
                found["resumed"] = digest(net)
                continue
            inline, engine.MAX_INLINE_BYTES = engine.MAX_INLINE_BYTES, 0
            found["hashes"]["8, as if large"] = hashes(["full"], client=client)
            answer, engine.ANSWER_TIMEOUT = engine.ANSWER_TIMEOUT, 0.0  # no worker answers so soon
            found["hashes"]["8, by the scheduler"] = hashes(["full"], client=client)
            engine.MAX_INLINE_BYTES, engine.ANSWER_TIMEOUT = inline, answer
            path = f"{folder}/checkpoint"
            train("classes", *of_classes, client=client, epochs=1, checkpoint=path)
            for name, given in sources(client):
                rows = SHARD_ROWS if len(given) == 3 else None
                net, _ = train("full", *given, client=client, shard_rows=rows)
                found["sources"][name] = digest(net)
            for name, parts in bad_parts():
                delayed = [dask.delayed(part) for part in parts]
                for kind, given in (("dask", delayed), ("local", parts)):
                    call = lambda: train(  # noqa: E731
                        "full", given, client=client if kind == "dask" else None, shard_rows=None
                    )
                    found["messages"][f"{name} {kind}"] = message(call)
            found["names"] = client.run_on_scheduler(task_names)
    found["messages"]["closed"] = message(lambda: train("full", *examples("full"), client=client))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
