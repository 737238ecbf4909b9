"""A network of fifty million parameters, for programs that are interrupted."""

import numpy as np

import bpfast

bpfast.set_num_threads(2)
net = bpfast.Network([7100, 7100, 8], hidden="tanh", dtype="float32", init="zeros")
assert net.params.size > 5e7


def begin():
    row = np.random.default_rng(0).standard_normal(9973, "float32") / 100
    net.params[:] = np.resize(row, net.params.size)


begin()
