"""Several Python threads that call at once, each with a network of its own."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

from benches.processes.clock import warm


def throughput(calls: Sequence[Callable[[], object]], seconds: float) -> float:
    """Calls a second, all together, when each of `calls` is repeated in a thread of its own."""
    start = threading.Barrier(len(calls) + 1)
    counts = [0] * len(calls)
    failures: list[BaseException] = []
    ends = 0.0

    def work(k: int, call: Callable[[], object]) -> None:
        try:
            warm(call)
            start.wait()
            while time.perf_counter() < ends:
                call()
                counts[k] += 1
        except BaseException as error:  # noqa: BLE001, a thread's error is raised by its starter
            failures.append(error)
            start.abort()

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    ends = time.perf_counter() + 3600  # until the clock starts, nobody is late
    with contextlib.suppress(threading.BrokenBarrierError):
        start.wait()
    begin = time.perf_counter()
    ends = begin + seconds
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(counts) / (time.perf_counter() - begin)
