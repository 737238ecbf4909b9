"""
A wrong start and the cost
==========================

The output neuron starts saturated and wrong: its bias is 6. With the quadratic cost δ has the
factor σ'(z), which is close to 0 there, so the network hardly learns at first. With cross-entropy
the factor cancels. ``Monitor`` records both.
"""

import numpy as np

import bpfast
from bpfast.inside import Monitor

try:
    import matplotlib.pyplot as plt
except ModuleNotFoundError as missing:
    raise SystemExit(f"This program needs {missing.name}: pip install matplotlib") from None

rng = np.random.default_rng(0)
x = rng.standard_normal((600, 20))
y = (x[:, 0] + x[:, 1] > 1).astype(float)

figure, (top, middle, bottom) = plt.subplots(
    3, 1, figsize=(7, 7), layout="constrained", sharex=True
)
for cost, style in (("quadratic", "-"), ("cross_entropy", "--")):
    net = bpfast.Network([20, 15, 1], cost=cost, seed=0)
    net.biases[-1][:] = 6
    monitor = Monitor(x, y, warn=False)
    monitor.record(net)
    history = net.fit(
        x, y, epochs=40, optimizer="sgd", learning_rate=0.5, metrics="accuracy", callbacks=monitor,
        seed=0,
    )  # fmt: skip
    top.plot(monitor.epoch, monitor.saturation_3, style, label=cost)
    middle.semilogy(monitor.epoch, monitor.speed_3, style, label=cost)
    bottom.plot(history.epoch, history.accuracy, style, label=cost)
top.set_ylabel("saturated outputs")
middle.set_ylabel("learning speed ‖δ³‖")
bottom.set(xlabel="epoch", ylabel="accuracy")
top.legend()
