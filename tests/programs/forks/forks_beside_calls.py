"""The child uses the very network and batch that the parent's threads are busy with."""

import json
import os
import sys
import threading

import bpfast
from tests.helpers.child import case, digest

bpfast.set_num_threads(3)
net, x, y = case("mnist", 2000, "float32")
g, own = bpfast.Gradient(net), bpfast.Gradient(net)
expected = digest(net.backprop(x, y, out=own).flat)
v = net.params.copy()
products = digest(net.hvp(x, y, v).flat, net.per_example_norms(x, y))
stop = threading.Event()


def busy():
    while not stop.is_set():
        net.backprop(x, y, out=g)


threads = [threading.Thread(target=busy)]
threads.append(threading.Thread(target=lambda: [net.hvp(x, y, v) for _ in iter(stop.is_set, True)]))
threads.append(threading.Thread(target=lambda: [net.trace(x) for _ in iter(stop.is_set, True)]))
for thread in threads:
    thread.start()


def child():
    assert digest(net.hvp(x, y, v).flat, net.per_example_norms(x, y)) == products
    assert digest(net.backprop(x, y, out=own).flat) == expected
    assert digest(net.backprop(x, y).flat) == expected
    assert digest(net.copy().backprop(x, y).flat) == expected
    # Nobody in this process uses what the parent's threads use there.
    if "params" in sys.argv:
        net.params = net.params * 1
        net.weights[0] = net.weights[0] * 1
        assert digest(net.backprop(x, y).flat) == expected
    if "out" in sys.argv:
        assert digest(net.backprop(x, y, out=g).flat) == expected


failed = []
for turn in range(15):
    here, there = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(here)
        try:
            child()
        except BaseException as error:
            os.write(there, repr(error).encode())
            os._exit(1)
        os._exit(0)
    os.close(there)
    with os.fdopen(here) as said:
        failed.append(said.read())
    os.waitpid(pid, 0)
stop.set()
for thread in threads:
    thread.join()
print(json.dumps([said for said in failed if said]))
