"""The memory in use after each 100 turns of many calls."""

import json

import numpy as np

import bpfast
from tests.programs.memory.own_memory import resident

net = bpfast.Network([784, 100, 10], dtype="float32", seed=0)
x, y = np.ones((1000, 784), "float32"), np.zeros((1000, 10), "float32")
g, a = bpfast.Gradient(net), np.empty((1000, 10), "float32")


def turn(n):
    net.backprop(x[:n], y[:n], out=g)
    net.forward(x[:n], out=a[:n])
    net.cost(x[:n], y[:n])
    net.errors(x[:n], y[:n])
    net.trace(x[:n])
    net.copy().backprop(x[:n], y[:n])
    try:
        net.backprop(x[:n], y[1:n], out=g)
    except ValueError:
        pass


def turns(count):
    for index in range(count):
        turn((10, 200, 1000, 1)[index % 4])
        if index % 50 == 0:  # pools that grow, and end
            with bpfast.num_threads(2 + index // 50 % 3):
                turn(1000)
    return resident()


turns(100)
print(json.dumps([turns(100) for _ in range(4)]))
