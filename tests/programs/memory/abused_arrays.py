"""What a user may do to arrays of a network while a call of another thread uses its memory."""

import json
import sys
import threading
import warnings

import numpy as np

import bpfast

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
net = bpfast.Network([100, 200, 10], seed=0)
x, y = rng.random((100, 100)), rng.random((100, 10))
g = bpfast.Gradient(net)
expected = net.forward(x).tobytes(), net.backprop(x, y).flat.tobytes()
over, wrong, done = threading.Event(), [], [0]


def call():
    while not over.is_set():
        net.backprop(x, y, out=g)
        if net.forward(x).tobytes() != expected[0]:
            wrong.append("forward")
        done[0] += 1


def abuse(array):
    def assign(name, value):
        try:
            setattr(array, name, value)
        except (AttributeError, TypeError, ValueError):
            pass

    for base in (array, array.base):
        array = base
        if sys.argv[1] == "data":
            assign("data", memoryview(bytearray(getattr(base, "nbytes", 8))))
        assign("shape", (1, -1))
        assign("strides", (0,))
        assign("dtype", "u1")
        try:
            base.resize(10_000_000, refcheck=False)
        except (AttributeError, ValueError):
            pass


thread = threading.Thread(target=call)
thread.start()
try:
    for _ in range(5):
        before = done[0]
        for array in (net.params, *net.weights, *net.biases, g.flat, *g.weights, *g.biases):
            abuse(array)
        while done[0] < before + 2 and thread.is_alive():
            pass
finally:
    over.set()
    thread.join()
fresh = net.backprop(x, y)
same = net.forward(x).tobytes() == expected[0] and fresh.flat.tobytes() == expected[1]
print(json.dumps([same, wrong]))
