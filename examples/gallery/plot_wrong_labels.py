"""
Find wrong labels
=================

After a training, examples that contradict the others have large gradients. Here 3 % of the labels
are wrong. ``per_example_norms`` ranks the examples without computing each gradient.
"""

import numpy as np

import bpfast

try:
    import matplotlib.pyplot as plt
except ModuleNotFoundError as missing:
    raise SystemExit(f"This program needs {missing.name}: pip install matplotlib") from None

rng = np.random.default_rng(0)
n = 2000
x = rng.standard_normal((n, 2))
right = (x[:, 1] > np.sin(2 * x[:, 0])).astype(int)
is_wrong = rng.random(n) < 0.03
y = np.where(is_wrong, 1 - right, right)

net = bpfast.Network([2, 24, 2], hidden="tanh", output="softmax", cost="log_likelihood", seed=0)
net.fit(x, y, epochs=60, learning_rate=0.01, l2=1e-4, seed=0)
norms = net.per_example_norms(x, y)

# %%
# Most of the examples with the largest norms are those with a wrong label.
count = is_wrong.sum()
suspects = np.argsort(norms)[-count:]
print(f"{count} labels are wrong; {is_wrong[suspects].sum()} of the {count} suspects are")

figure, (left, right_panel) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
colours = left.scatter(*x.T, c=norms, s=12, cmap="cividis")
left.scatter(*x[suspects].T, s=60, facecolors="none", edgecolors="black", label="suspects")
side = np.linspace(*left.get_xlim(), 200)
left.plot(side, np.sin(2 * side), "--", color="#D55E00", label="border")
left.set(xlabel="$x_1$", ylabel="$x_2$", ylim=(-4, 4))
left.legend(loc="lower left")
figure.colorbar(colours, ax=left, label="norm of the example's gradient")
bins = np.geomspace(norms.min(), norms.max(), 40)
right_panel.hist([norms[~is_wrong], norms[is_wrong]], bins, label=["right", "wrong"], log=True)
right_panel.set(xlabel="norm of the example's gradient", ylabel="examples", xscale="log")
right_panel.legend()
