"""Every door to the kernels, with the network made before: to make one computes nothing."""

import json

import numpy as np

import bpfast

net = bpfast.Network([2, 1], seed=0)
x, y = np.ones((3, 2)), np.ones((3, 1))
calls = {
    "forward": lambda: net.forward(x),
    "trace": lambda: net.trace(x),
    "cost": lambda: net.cost(x, y),
    "errors": lambda: net.errors(x, y),
    "backprop": lambda: net.backprop(x, y),
    "functions": lambda: bpfast.forward(net.weights, net.biases, x),
    "bp1": lambda: bpfast.bp1(y, y),
    "bp2": lambda: bpfast.bp2(y, net.weights[0], x),
    "bp3": lambda: bpfast.bp3(y),
    "bp4": lambda: bpfast.bp4(y, x),
    "show_config": lambda: bpfast.show_config("dicts"),
}
said = {}
for name, call in calls.items():
    try:
        call()
    except ValueError as error:
        said[name] = str(error)
    else:
        said[name] = "done"
print(json.dumps(said))
