"""
A curve by least squares
========================

The Levenberg-Marquardt method uses the Gauss-Newton matrix. In the same time it fits a small
network more accurately than gradient descent, if its start leads to a good minimum: try several
seeds.
"""

import time

import numpy as np

import bpfast

try:
    import matplotlib.pyplot as plt
except ModuleNotFoundError as missing:
    raise SystemExit(f"This program needs {missing.name}: pip install matplotlib") from None

x = np.linspace(-3, 3, 200)[:, None]
y = np.sin(3 * x) * np.exp(-(x**2) / 4)


def new():
    net = bpfast.Network([1, 16, 1], hidden="tanh", output="identity", init="xavier", seed=0)
    net.weights[0][:] *= 3  # the curve has several waves
    return net


fits = {}
net = new()
start = time.perf_counter()
bpfast.least_squares(net, x, y, max_iterations=300)
fits["Levenberg-Marquardt"] = net, time.perf_counter() - start

net = new()
start = time.perf_counter()
net.fit(x, y, epochs=1000, learning_rate=0.01, seed=0)
fits["Adam"] = net, time.perf_counter() - start

# %%
figure, (above, below) = plt.subplots(2, 1, figsize=(7, 6), layout="constrained", sharex=True)
above.plot(x, y, color="0.7", linewidth=6, label="target")
for (name, (net, seconds)), style in zip(fits.items(), ("-", "--"), strict=True):
    error = np.abs(net(x) - y)
    above.plot(x, net(x), style, label=name)
    below.semilogy(x, error, style, label=f"{name}, {seconds:.2g} s")
    print(f"{name}: largest error {error.max():.1e}")
above.set_ylabel("$y$")
below.set(xlabel="$x$", ylabel="|error|")
above.legend()
below.legend()
