"""Calls of Python alone: what `trial.NO_EXCEPTION` is for is seen here without bpfast."""

from collections.abc import Callable, Iterator

from tests.out_of_memory.call import Call, several


@several
def cpythons() -> Iterator[tuple[str, Callable[[], Call]]]:
    def down(n: int) -> int:
        return down(n - 1) if n else 0

    yield "calls", lambda: lambda: down(900)
