"""Handlers of signals that come in the middle of a call."""

import json
import os
import signal
import threading
import time

import numpy as np

import bpfast
from tests.helpers.child import digest


class Enough(Exception):
    pass


bpfast.set_num_threads(2)
net = bpfast.Network([256, 256, 1], dtype="float32", seed=0)
x, y = np.ones((60_000, 256), "float32"), np.ones((60_000, 1), "float32")
alone = digest(net.backprop(x, y).flat)
found, heard = {}, []


# An exception of a handler propagates. Without one, the call continues.
def enough(*_):
    raise Enough("three is enough")


def send():
    time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGUSR1)


def call(handler):
    signal.signal(signal.SIGUSR1, handler)
    sender = threading.Thread(target=send)
    try:
        sender.start()  # on a busy machine the signal comes while this waits
        return digest(net.backprop(x, y).flat) == alone
    except Exception as error:
        return repr(error)
    finally:
        sender.join()


found["raises"] = call(enough)
found["goes on"] = call(lambda *_: heard.append("go on"))


# A handler may call bpfast itself, on the same network.
def again(*_):
    heard.append(digest(net.backprop(x, y).flat) == alone)


found["calls again"] = call(again)

# The main thread handles the signal; a call in another thread is not interrupted.
results, done = [], threading.Event()


def other():
    results.append(digest(net.backprop(x, y).flat) == alone)
    done.set()


signal.signal(signal.SIGUSR1, enough)
threading.Thread(target=other).start()
try:
    threading.Thread(target=send).start()
    done.wait()
    time.sleep(5)
except Enough:
    heard.append("main")
done.wait()
found["other thread"] = results
found["heard"] = heard
print(json.dumps(found))
