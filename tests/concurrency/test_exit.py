"""A process that ends while daemon threads are in bpfast ends as it should: with 0, and no word.

Before 3.14, CPython ends a daemon thread that asks for the GIL at that time with `pthread_exit`,
which aborts the process if it meets a frame of Rust. Here many threads are at work when the process
ends, each in another call with code of its own in the middle.
"""

import pytest

from tests.helpers.child import finished

WAYS = [
    "sleeps",
    "computes without the GIL",
    "computes with the GIL",
    "waits for a lock",
    "waits for input",
]


@pytest.mark.parametrize("way", WAYS)
def test_user_code_in_a_daemon_thread(way):
    done = finished("exit_with_daemon_threads", way)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "panicked" not in done.stderr
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
