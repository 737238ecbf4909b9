"""Other signals than Ctrl-C in fit, whose handlers raise or do not."""

import json
import os
import signal
import threading

import numpy as np

import bpfast


class Enough(Exception):
    pass


def enough(*_):
    raise Enough


def leave(*_):
    raise SystemExit(3)


x, y = np.ones((1000, 3)), np.ones((1000, 2))
found = []
for handler in (enough, leave):
    signal.signal(signal.SIGUSR1, handler)
    net = bpfast.Network([3, 2], seed=0)
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        net.fit(x, y, epochs=10**6, batch_size=10, seed=0)
    except (Enough, SystemExit) as error:
        found.append([type(error).__name__, net.history.stopped, net.optimizer.steps > 0])
# A handler that raises nothing disturbs nothing.
heard: list[int] = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
alone, net = (bpfast.Network([3, 2], seed=0) for _ in range(2))
alone.fit(x, y, epochs=300, batch_size=10, seed=0)
timer = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1))
timer.start()
net.fit(x, y, epochs=300, batch_size=10, seed=0)
timer.join()
found.append([len(heard), net.params.tobytes() == alone.params.tobytes()])
print(json.dumps(found))
