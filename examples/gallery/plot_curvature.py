"""
The directions that decide the learning rate
============================================

A few eigenvalues of the Hessian are far larger than all others. Gradient descent is stable while
the learning rate is below 2 divided by the largest one.
"""

import numpy as np

import bpfast

try:
    import matplotlib.pyplot as plt
except ModuleNotFoundError as missing:
    raise SystemExit(f"This program needs {missing.name}: pip install matplotlib") from None

rng = np.random.default_rng(0)
x = rng.random((400, 8))  # the mean is not 0: that makes one eigenvalue large
y = np.tanh(x @ rng.standard_normal((8, 2)))
net = bpfast.Network([8, 12, 2], hidden="tanh", output="identity", init="xavier", seed=0)

spectra = {}
for epochs in (0, 20):
    if epochs:
        net.fit(x, y, epochs=epochs, seed=0)
    spectra[epochs] = np.sort(net.curvature(x, y).eigenvalues(30))[::-1]

# %%
# The largest one is the limit: a little above it the cost grows.
limit = 2 / spectra[20][0]
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
for (epochs, eigenvalues), marker in zip(spectra.items(), "os", strict=True):
    left.semilogy(np.arange(1, 31), eigenvalues, marker, label=f"after {epochs} epochs")
left.set(xlabel="place", ylabel="eigenvalue of the Hessian")
left.legend()

for share, style in ((0.5, "-"), (0.95, "--"), (1.2, ":")):
    twin = net.copy()
    costs = []
    for _ in range(100):
        g = twin.backprop(x, y)
        costs.append(g.cost)
        twin.params -= share * limit * g.flat
    right.semilogy(costs, style, label=f"{share:g} of the limit, {limit:.2g}")
right.set(xlabel="step of gradient descent", ylabel="cost")
right.legend()
