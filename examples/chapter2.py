"""Chapters 2 and 3 of Nielsen's book, on digits.

Claims of the book, each with numbers and a figure. examples/chapter2.py is this text as a program,
whose cells begin with `# %%`, and examples/notebooks/chapter2.ipynb is the same as a notebook.
Layers have the book's numbers: layer 1 is the input, and δ^l = ∂C/∂z^l.
"""

# %%
from typing import Any, Literal, TypeAlias

import numpy as np

import bpfast
from shared import options
from shared.digits import Floats
from shared.runs import table

try:
    from shared import chapter2_figures as figures
except ModuleNotFoundError as missing:
    raise SystemExit(f"This program needs {missing.name}: pip install matplotlib") from None

CostName: TypeAlias = Literal["quadratic", "cross_entropy"]

args, digits = options.walk(__doc__)
x, labels, y = digits.x, digits.labels, digits.y

# %% [markdown]
# ## 1. The four equations by hand
#
# NumPy computes δ and the gradient of one digit from the formulas BP1 to BP4. `net.errors`,
# `net.backprop` and the functions `bpfast.bp1` to `bpfast.bp4` give the same numbers, up to
# rounding. The figure shows BP4: the gradient of a neuron's weights is the digit times its δ.

# %%
net = bpfast.Network([784, 30, 10], seed=0)  # sigmoid neurons, quadratic cost
digit, target = x[:1], y[:1]
(W2, W3), (b2, b3) = net.weights, net.biases


def sigmoid(z: Floats) -> Floats:
    return 1 / (1 + np.exp(-z))


z2 = digit @ W2.T + b2
a2 = sigmoid(z2)
z3 = a2 @ W3.T + b3
a3 = sigmoid(z3)
delta3 = (a3 - target) * a3 * (1 - a3)  # BP1
delta2 = (delta3 @ W3) * a2 * (1 - a2)  # BP2
C_b3, C_b2 = delta3.sum(axis=0), delta2.sum(axis=0)  # BP3: ∂C/∂b
C_W3, C_W2 = delta3.T @ a2, delta2.T @ digit  # BP4: ∂C/∂W

trace, errors, g = net.trace(digit), net.errors(digit, target), net.backprop(digit, target)
compared = [
    ("BP1", "δ^3", delta3, errors[1], bpfast.bp1(trace.z[1], target)),
    ("BP2", "δ^2", delta2, errors[0], bpfast.bp2(errors[1], W3, trace.z[0])),
    ("BP3", "∂C/∂b^3", C_b3, g.biases[1], bpfast.bp3(errors[1])),
    ("BP3", "∂C/∂b^2", C_b2, g.biases[0], bpfast.bp3(errors[0])),
    ("BP4", "∂C/∂W^3", C_W3, g.weights[1], bpfast.bp4(errors[1], trace.a[1])),
    ("BP4", "∂C/∂W^2", C_W2, g.weights[0], bpfast.bp4(errors[0], digit)),
]
rows, differences = [], []
for equation, name, by_hand, of_network, of_function in compared:
    differences += [np.abs(by_hand - found).max() for found in (of_network, of_function)]
    shape = " × ".join(map(str, by_hand.shape))
    rows.append([equation, name, shape, f"{np.abs(by_hand).max():.4f}"])
print(table(["equation", "quantity", "shape", "largest entry"], rows))
print(f"largest difference: {max(differences):.0e}")
options.show(args, "equations", figures.equations(digit[0], errors, g))

# %% [markdown]
# ## 2. The demon
#
# The demon of chapter 2 adds Δz to the weighted input of one neuron. `bpfast.inside.demon` computes
# the true change ΔC and the prediction δ Δz, which differ by terms of second and higher order. The
# demon at the neuron with the largest δ, by absolute value, can lower the cost; the one where δ is
# nearly 0 can do little.

# %%
places = {"largest": int(np.abs(delta2).argmax()), "smallest": int(np.abs(delta2).argmin())}
dz = np.linspace(-2, 2, 41)
demons = {
    f"{size} δ": bpfast.inside.demon(net, digit, target, layer=2, neuron=j, dz=dz)
    for size, j in places.items()
}
rows = [
    [name, str(demon.neuron[0]), f"{demon.delta[0]:.5f}", f"{dz[k]:.1f}", f"{demon.true[0, k]:.6f}",
     f"{demon.predicted[0, k]:.6f}", f"{demon.difference[0, k]:.1e}"]
    for name, demon in demons.items()
    for k in (21, 30, 40)
]  # fmt: skip
print(table(["hidden neuron", "j", "δ", "Δz", "ΔC", "δ Δz", "difference"], rows))
options.show(args, "demon", figures.demon(demons))

# %% [markdown]
# ## 3. A saturated output neuron
#
# One output neuron says whether a digit is a 0. Its bias starts at 5, so it says yes to every
# digit. With the quadratic cost δ^L = (a - y) σ'(z^L) is small, because σ'(z^L) is small. With
# cross-entropy σ' cancels: δ^L = a - y. `bpfast.inside.explain` names the cause, and `check` tests
# the remedy.

# %%
count, epochs = (100, 8) if args.quick else (500, 80)
some, is_zero = x[:count], (labels[:count] == 0).astype(float)[:, np.newaxis]


def badly_started(cost: CostName) -> bpfast.Network:
    net = bpfast.Network([784, 30, 1], cost=cost, seed=0)
    net.biases[1][0] = 5
    return net


def measure(net: bpfast.Network) -> list[float]:
    """Mean of a over the digits that are no 0, RMS of δ^L, and ‖(∂C/∂W^L, ∂C/∂b^L)‖."""
    trace = net.trace(some)
    delta = net.errors(trace, is_zero, reduction="sum")[-1]
    g = net.backprop(trace, is_zero)
    speed = np.linalg.norm([*g.weights[-1][0], g.biases[-1][0]])
    return [trace.a[-1][is_zero == 0].mean(), np.sqrt(np.mean(delta**2)), float(speed)]


def learn(cost: CostName) -> Floats:
    """Train with all digits in each step; what was measured before and after each epoch."""
    net = badly_started(cost)
    found = [measure(net)]
    net.fit(
        some,
        is_zero,
        epochs=epochs,
        batch_size=count,
        optimizer=bpfast.SGD(0.5),
        callbacks=lambda net, _: found.append(measure(net)),
        seed=0,
    )
    return np.array(found)


saturated = badly_started("quadratic")
report = bpfast.inside.explain(saturated, some, is_zero, optimizer="sgd", learning_rate=0.5)
print(report.findings[0])
check = report.check(steps=epochs)
print(f"check, with {check.change}: {'confirmed' if check.confirmed else 'not confirmed'}")
before, after = check.cost_before[-1], check.cost_after[-1]
print(f"cost after {epochs} steps: {before:.2f} and {after:.2f} of the best constant answer's")
curves = {"quadratic": learn("quadratic"), "cross-entropy": learn("cross_entropy")}
rows = [
    [name, str(epoch), *(f"{value:.4f}" for value in curve[epoch])]
    for name, curve in curves.items()
    for epoch in (0, 1, epochs // 4, epochs // 2, epochs)
]
print(table(["cost", "epoch", "a, should be 0", "RMS of δ^L", "learning speed"], rows))
options.show(args, "saturation", figures.saturation(curves))

# %% [markdown]
# ## 4. Errors that vanish
#
# BP2 multiplies δ by W and σ' once per layer, and σ' of a sigmoid is 1/4 at most. So each layer of
# sigmoids passes back about a fifth of the error, and early layers learn slowly. `Monitor` records
# ‖δ^l‖ of each layer over the training. Relu neurons with `init="he"` pass back nearly all of it.

# %%
count, epochs = (100, 2) if args.quick else (1_000, 30)
some, few = x[:count], labels[:count]


def deep(layers: int, **options: Any) -> bpfast.Network:
    return bpfast.Network([784, *[30] * layers, 10], cost="cross_entropy", seed=0, **options)


networks = {f"{layers} sigmoid layers": deep(layers) for layers in (2, 3, 4, 5)}
networks["5 relu layers"] = deep(5, hidden="relu", init="he")
print(bpfast.inside.explain(networks["5 sigmoid layers"], some, few).findings[0])
starts: dict[str, Floats] = {}
monitors: dict[str, bpfast.inside.Monitor] = {}
rows = []
for name, net in networks.items():
    monitor = bpfast.inside.Monitor(some, few, sample=200, warn=False)
    monitor.record(net)  # before the training
    start = np.array([monitor[name][0] for name in monitor if name.startswith("speed_")])
    net.fit(
        some,
        few,
        epochs=epochs,
        batch_size=10,
        optimizer=bpfast.SGD(0.1),
        callbacks=monitor,
        seed=0,
    )
    right = np.mean(net(digits.test_x).argmax(axis=1) == digits.test_labels)
    per_layer = (start[0] / start[-2]) ** (1 / (len(start) - 2))
    starts[name], monitors[name] = start, monitor
    rows.append([name, f"{start[0]:.1e}", f"{start[-2]:.1e}", f"{per_layer:.2f}", f"{right:.1%}"])
heads = ["network", "‖δ^2‖", "‖δ^(L-1)‖", "factor per layer", f"test digits, {epochs} epochs"]
print(table(heads, rows))
options.show(args, "vanishing", figures.vanishing(starts, monitors))

# %% [markdown]
# ## 5. Quiet inputs
#
# BP4 is ∂C/∂w = a_in δ_out: a weight from an input that is nearly 0 learns slowly. Pixels at the
# border are nearly always 0. Dividing each pixel by its standard deviation makes the gradients of
# its weights more alike.

# %%
size = np.sqrt(np.mean(x**2, axis=0))  # the RMS of each pixel
mean, std = x.mean(axis=0), x.std(axis=0)
std[std == 0] = 1  # of pixels that are always 0
scaled, scaled_test = (x - mean) / std, (digits.test_x - mean) / std
net = bpfast.Network([784, 30, 10], cost="cross_entropy", seed=0)


def by_pixel(inputs: Floats) -> Floats:
    """The RMS of ∂C/∂w over the weights of each pixel."""
    rms: Floats = np.sqrt(np.mean(net.backprop(inputs, labels).weights[0] ** 2, axis=0))
    return rms


gradients = {"pixels from 0 to 1": by_pixel(x), "scaled pixels": by_pixel(scaled)}
low, high = np.quantile(size[size > 0], [0.25, 0.75])
quiet, loud = (size > 0) & (size <= low), size >= high
rows = [
    [name, f"{np.median(rms[quiet]):.1e}", f"{np.median(rms[loud]):.1e}",
     f"{np.median(rms[loud]) / np.median(rms[quiet]):,.0f}"]
    for name, rms in gradients.items()
]  # fmt: skip
print(f"{np.sum(size == 0)} pixels are 0 in all digits: the gradient of their weights is 0")
print(table(["inputs", "∂C/∂w of the quietest quarter", "of the loudest", "ratio"], rows))
trainings: dict[str, bpfast.History] = {}
for name, inputs, test, rate in (
    ("from 0 to 1, η = 0.1", x, digits.test_x, 0.1),
    ("from 0 to 1, η = 0.5", x, digits.test_x, 0.5),
    ("scaled, η = 0.1", scaled, scaled_test, 0.1),
):
    trainings[name] = net.copy().fit(
        inputs, labels, epochs=1 if args.quick else 5, optimizer=bpfast.SGD(rate), batch_size=10,
        validation=(test, digits.test_labels), metrics="accuracy", seed=0,
    )  # fmt: skip
rows = [
    [name, f"{h.cost[0]:.3f}", f"{h.cost[-1]:.3f}", f"{h.validation_accuracy[-1]:.1%}"]
    for name, h in trainings.items()
]
print(table(["pixels", "cost of epoch 1", "of the last", "test digits"], rows))
options.show(args, "quiet_inputs", figures.quiet_inputs(size, gradients, trainings))

# %% [markdown]
# ## 6. One call away: saliency
#
# `net.input_gradient` is ∂C/∂x: the pixels that the cost of a digit depends on. The first two test
# digits are read correctly, the other two are not.

# %%
trained = bpfast.Network([784, 30, 10], cost="cross_entropy", seed=0)
noise_scale = [trained.gradient_statistics(x, labels).noise_scale]
trained.fit(
    x, labels, epochs=1 if args.quick else 10, batch_size=10, optimizer=bpfast.SGD(0.1), l2=1e-4,
    callbacks=lambda net, _: noise_scale.append(net.gradient_statistics(x, labels).noise_scale),
    seed=0,
)  # fmt: skip
answers = trained(digits.test_x).argmax(axis=1)
wrong = np.flatnonzero(answers != digits.test_labels)
shown = [0, 1, *wrong[:2]]
saliency = trained.input_gradient(digits.test_x[shown], digits.test_labels[shown], reduction="sum")
costs = trained.cost(digits.test_x[shown], digits.test_labels[shown], reduction="none")
rows = [
    [str(digits.test_labels[i]), str(answers[i]), f"{cost:.3f}", f"{np.linalg.norm(row):.3f}"]
    for i, cost, row in zip(shown, costs, saliency, strict=True)
]
print(table(["digit", "read as", "cost C_x", "‖∂C_x/∂x‖"], rows))
names = [f"a {digits.test_labels[i]}, read as {answers[i]}" for i in shown]
options.show(args, "saliency", figures.saliency(digits.test_x[shown], saliency, names))

# %% [markdown]
# ## 7. One call away: gradients of single digits
#
# `net.per_example_norms` computes the norm of each digit's own gradient, without forming it. The
# digits with the largest norms are strange or badly written. `net.gradient_statistics` gives the
# noise scale: the batch size from which on larger batches gain little. It grows while the network
# learns.

# %%
norms = trained.per_example_norms(x, labels)
order = np.argsort(-norms)[:12]
read = trained(x).argmax(axis=1)
print(f"‖∂C_x‖: median {np.median(norms):.2f}, largest {norms[order[0]]:.1f}")
print(f"of the 100 digits with the largest norms, "
      f"{np.mean((read != labels)[np.argsort(-norms)[:100]]):.0%} are read wrongly; "
      f"of all, {np.mean(read != labels):.1%}")  # fmt: skip
print(f"noise scale: {noise_scale[0]:.1f} at the start, {noise_scale[1]:.0f} after one epoch, "
      f"{noise_scale[-1]:.0f} at the end")  # fmt: skip
names = [f"{labels[i]}, read as {read[i]}" for i in order]
options.show(args, "norms", figures.norms(x[order], names, norms, noise_scale))

# %% [markdown]
# ## 8. One call away: curvature and the largest learning rate
#
# `net.hvp` multiplies a vector by the Hessian H. Power iteration finds its largest eigenvalue λ and
# the eigenvector v. Near a minimum, each step of gradient descent multiplies a small displacement
# along v by 1 - ηλ: it shrinks for η below 2/λ and grows above. An L2 penalty keeps the minimum at
# one point. `net.curvature(x, y).eigenvalues()` computes eigenvalues with SciPy.

# %%
count, l2 = 100 if args.quick else 500, 0.003
some, few = x[:count], labels[:count]
net = bpfast.Network([784, 30, 10], cost="cross_entropy", seed=0)
velocity = np.zeros(net.params.size)
for _ in range(20 if args.quick else 500):  # gradient descent with momentum, to a minimum
    velocity = 0.95 * velocity - 0.2 * (net.backprop(some, few).flat + l2 * net.params)
    net.params += velocity
v = np.random.default_rng(0).standard_normal(net.params.size)
eigenvalues: list[float] = []
for _ in range(10 if args.quick else 50):
    v /= np.linalg.norm(v)
    product = net.hvp(some, few, v).flat + l2 * v
    eigenvalues.append(float(v @ product))
    v = product
v /= np.linalg.norm(v)
eigenvalue = eigenvalues[-1]
distances = {}
for multiple in (0.9, 0.98, 1.02, 1.1):
    rate, along = multiple * 2 / eigenvalue, []
    plain, displaced = net.copy(), net.copy()
    displaced.params += 1e-3 * v
    for _ in range(31):
        along.append(float(v @ (displaced.params - plain.params)))
        for one in (plain, displaced):
            one.params -= rate * (one.backprop(some, few).flat + l2 * one.params)
    distances[multiple] = np.array(along)
print(f"largest eigenvalue λ = {eigenvalue:.4f}, so the largest rate is 2/λ = {2 / eigenvalue:.3f}")
rows = [
    [f"{k:.2f} · 2/λ", f"{1 - 2 * k:.2f}", f"{np.mean(d[1:11] / d[:10]):.3f}", f"{abs(d[30]):.1e}"]
    for k, d in distances.items()
]
print(table(["η", "1 - ηλ", "factor per step", "distance after 30 steps"], rows))
options.show(args, "curvature", figures.curvature(eigenvalues, distances))
