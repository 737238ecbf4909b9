"""
Classes that no line separates
==============================

A network with one hidden layer learns the XOR of two signs. The colours show the probability of
class 1. On the black line it is one half.
"""

import numpy as np

import bpfast

try:
    import matplotlib.pyplot as plt
except ModuleNotFoundError as missing:
    raise SystemExit(f"This program needs {missing.name}: pip install matplotlib") from None

rng = np.random.default_rng(0)
x = rng.standard_normal((1000, 2))
y = (x[:, 0] * x[:, 1] < 0).astype(int)

net = bpfast.Network([2, 16, 2], hidden="tanh", output="softmax", cost="log_likelihood", seed=0)
history = net.fit(x, y, epochs=60, validation=0.2, metrics="accuracy", seed=0)
print(history)

# %%
# A grid of points is one batch.
side = np.linspace(-3, 3, 200)
points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
probability = net(points)[:, 1].reshape(200, 200)

figure, axes = plt.subplots(figsize=(5.5, 4.5), layout="constrained")
colours = axes.pcolormesh(side, side, probability, cmap="cividis", vmin=0, vmax=1)
axes.contour(side, side, probability, levels=[0.5], colors="black")
for label, marker in enumerate("ox"):
    shown = x[y == label][:80]
    axes.plot(*shown.T, marker, color="white", markeredgecolor="black", label=f"class {label}")
axes.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(-3, 3), ylim=(-3, 3))
axes.legend(loc="upper right")
figure.colorbar(colours, label="probability of class 1")
