"""Fork while another thread is in the first call of the process; the child makes the same call.

Each attempt is in a process of its own, in which no call has run yet.
"""

import json
import os
import signal
import sys
import threading
import time

import numpy as np

import bpfast

net, x = bpfast.Network([200, 300, 100], seed=0), np.ones((500, 200))


def in_child(work):
    """The exit code of a child that does `work`; an alarm kills it if it hangs."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(300)
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def attempt(delay):
    begun = threading.Event()

    def call():
        begun.set()
        net.forward(x)

    thread = threading.Thread(target=call)
    thread.start()
    begun.wait()
    until = time.perf_counter() + delay
    while time.perf_counter() < until:  # a sleep would be too long
        pass
    code = in_child(lambda: net.forward(x))
    thread.join()
    assert code == 0, code


print(json.dumps([in_child(lambda k=k: attempt(k % 50 * 10e-6)) for k in range(100)]))
