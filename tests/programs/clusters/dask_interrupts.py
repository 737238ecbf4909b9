"""Ctrl-C in the `__del__` of a Dask future, where Python drops the exception; as JSON."""

import json
import signal
import sys
import threading

from distributed.client import Future

import bpfast
from tests.distributed.case import data, network
from tests.distributed.clusters import cluster

X, Y, _ = data()
armed = False
release = Future.__del__


def interrupt():
    signal.raise_signal(signal.SIGINT)


def interrupted_release(future):
    global armed
    if armed and threading.current_thread() is threading.main_thread():
        armed = False
        interrupt()
    release(future)


def arm(_, history):
    """Let the next future that the main thread releases be interrupted."""
    global armed
    if len(history) == 2:
        armed = True


def caught(_, history):
    """A callback that wants to know of Ctrl-C, and goes on."""
    if len(history) == 2:
        try:
            interrupt()
        except KeyboardInterrupt:
            return


def outcome(client, method, callback, handler=signal.default_int_handler):
    signal.signal(signal.SIGINT, handler)
    net, raised = network(), None
    options = {"epochs": 4, "shard_rows": 64, "seed": 0, "client": client}
    try:
        bpfast.distributed.fit(net, X, Y, method=method, callbacks=callback, **options)
    except KeyboardInterrupt:
        raised = "KeyboardInterrupt"
    return {
        "raised": raised,
        "armed": armed,
        "epochs": len(net.history),
        "stopped": net.history.stopped,
        "handler": signal.getsignal(signal.SIGINT) is handler,
    }


def main():
    calls = []

    def counted(number, _):
        calls.append(number)

    sys.unraisablehook = lambda _: None  # Python prints what it drops
    Future.__del__ = interrupted_release
    found = {}
    with cluster(2, processes=False) as client:
        for method in ("steps", "full", "lbfgs", "local"):
            found[method] = outcome(client, method, arm)
        found["caught"] = outcome(client, "full", caught)
        found["own handler"] = outcome(client, "full", arm, counted) | {"calls": len(calls)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
