"""Calls in several Python threads at once."""

import threading
import time
from collections import Counter

from tests.helpers.child import LIMIT


def in_threads(*works):
    """Run `works` in threads of their own at once; their results."""
    results = [None] * len(works)

    def put(index, work):
        results[index] = work()

    threads = [threading.Thread(target=put, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()
    return results


def at_once(*calls, times=30):
    """Run calls in threads of their own, each many times: what became of them.

    One that is refused each time goes on: in gaps that the others leave, and when they are over. So
    each is answered, on a machine of any speed, unless it is refused without a reason.
    """
    outcomes = [Counter() for _ in calls]  # one a thread: += is no single operation
    # Two cannot both be refused each time: what one of them is refused for is the other's call.
    answered, waiting = ([False] * len(calls) for _ in range(2))
    start = threading.Barrier(len(calls))

    def work(k):
        def attempt():
            try:
                outcomes[k][calls[k]()] += 1
                answered[k] = True
            except ValueError as error:
                outcomes[k][str(error)] += 1

        start.wait()
        try:
            for _ in range(times):
                attempt()
            for _ in range(GAPS):
                if answered[k] and not all(answered):
                    time.sleep(GAP)
                    attempt()
        finally:
            waiting[k] = True
        while not answered[k] and not all(waiting):
            time.sleep(GAP / 20)
            attempt()
        if not answered[k]:
            attempt()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answered), outcomes
    return sum(outcomes, Counter())


GAPS, GAP = 20, 0.005  # the latter in s
