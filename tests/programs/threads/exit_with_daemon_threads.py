"""A thread for each of WORK. In the middle of its call it does what the argument says."""

import os
import sys
import threading
import time
import warnings

import numpy as np

import bpfast

warnings.simplefilter("ignore")
FOREVER = 10**9
lock, (end, _) = threading.Lock(), os.pipe()
lock.acquire()
WAYS = {
    "sleeps": lambda: time.sleep(0.001),
    "computes without the GIL": lambda: np.sort(np.arange(10**5)[::-1]),
    "computes with the GIL": lambda: sum(range(10**4)),
    "waits for a lock": lock.acquire,
    "waits for input": lambda: os.read(end, 1),
}
way, begun, again_and_again = WAYS[sys.argv[1]], set(), set()
optimizer = bpfast.Adam()


def user(value=None):
    # User code, during a call.
    if threading.current_thread() is not threading.main_thread():
        begun.add(threading.current_thread().name)
        way()
    return value


def quadratic(a, y):
    user()
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


class Shown:
    def __call__(self, a, y):
        return quadratic(a, y)

    def __repr__(self):
        return user("Shown()")


class Index:
    def __index__(self):
        return user(1)


class Path:
    def __fspath__(self):
        return user("/nowhere/nothing")


class Array:
    def __init__(self, value):
        self.value = value

    def __array__(self, dtype=None, copy=None):
        return user(self.value)


class Tagged(bpfast.Network):
    def __setattr__(self, name, value):
        object.__setattr__(self, name, user(value))


def batches():  # in a thread of bpfast's own
    while True:
        begun.add("iterable")
        yield user((x, y))


def arrays():
    for shape in ((8, 20), (3, 8)):
        yield user(np.ones(shape))


x, y = np.ones((200, 20)), np.zeros((200, 3))


def net(**options):
    return bpfast.Network([20, 8, 3], seed=0, **options)


def own():
    return net(cost=quadratic)


def fit(net=net, x=x, y=y, **options):
    return lambda: net().fit(x, y, epochs=FOREVER, **options)


def again(call):
    def calls():
        while True:
            begun.add(threading.current_thread().name)
            try:
                call()
            except (OSError, IndexError, TypeError, ValueError):
                pass
            again_and_again.add(threading.current_thread().name)

    return calls


def steps():
    begun.add("steps")
    net().fit(x, y, epochs=FOREVER, optimizer=optimizer)


plain, tagged, custom, shown = net(), Tagged([20, 3]), own(), net(cost=Shown())
tagged.tag = 1
float32, wide = np.ones((10**6, 20), "float32"), np.ones((2000, 500))
rows, many, p = [[1.0] * 20] * 2000, bpfast.Network([1000, 500]), np.ones(20)
WORK = {
    # user code in Python, above Rust
    "iterable": fit(x=batches(), y=None),
    "callback": fit(callbacks=lambda *_: user()),
    "metric": fit(metrics=lambda a, y: user(0.0)),
    "callback below a bar": fit(callbacks=lambda *_: user(), progress=True),
    "schedule": fit(optimizer=bpfast.SGD(lambda step: user(0.1))),
    "cost in fit": fit(net=own),
    "cost": again(lambda: custom.cost(x, y)),
    "backprop": again(lambda: custom.backprop(x, y)),
    "bp1": again(lambda: bpfast.bp1(y, y, cost=quadratic)),
    "functional": again(lambda: bpfast.errors(plain.weights, plain.biases, x, y, cost=quadratic)),
    "check_gradients": again(lambda: bpfast.testing.check_gradients(custom, x[:5], y[:5])),
    # user code that Rust calls
    "x": again(lambda: plain.forward(Array(x))),
    "y": again(lambda: plain.cost(x, Array(y))),
    "params": again(lambda: setattr(own(), "params", Array(plain.params))),
    "weights": again(lambda: bpfast.Network.from_parameters(arrays(), [np.ones(8), np.ones(3)])),
    "gradient": again(lambda: bpfast.SGD(0.1).step(p, Array(p))),
    "sizes": again(lambda: bpfast.Network([Index(), 2])),
    "index": again(lambda: plain.weights[Index()]),
    "slice": again(lambda: plain.weights[: Index()]),
    "trace": again(lambda: plain.trace(x)[Index()]),
    "threads": again(lambda: bpfast.num_threads(Index())),
    "path": again(lambda: bpfast.load(Path())),
    "copy": again(tagged.copy),
    "repr": again(lambda: repr(shown)),
    # the GIL released in the middle of a call
    "steps": steps,
    "float32": again(lambda: plain.forward(float32)),
    "list": again(lambda: plain.forward(rows)),
    "strides": again(lambda: bpfast.SGD(0.1).step(wide[::2], np.ones((1000, 500)))),
    "draws": again(lambda: bpfast.Network([1000, 500])),
    "astype": again(lambda: many.astype("float32")),
}
threads = [threading.Thread(target=WORK[name], name=name, daemon=True) for name in WORK]
for thread in threads:
    thread.start()
# Each thread is in user code, or repeats calls or steps.
while len(begun) < len(WORK):
    time.sleep(0.001)
while not again_and_again >= {"float32", "list", "strides", "draws", "astype"}:
    time.sleep(0.001)
while not optimizer.steps:
    time.sleep(0.001)
