"""Get started: train a network on digits, and look inside.

examples/get_started.py is this text as a program, whose cells begin with `# %%`, and
examples/notebooks/get_started.ipynb is the same as a notebook.
"""

# %% [markdown]
# ## Digits
#
# There are 10,000 training images of 28 × 28 pixels, and 10,000 test images. Each image is a row of
# 784 numbers from 0 to 1, and its label is an integer from 0 to 9.

# %%
import tempfile
from pathlib import Path

import numpy as np

import bpfast
from shared.digits import Digits

digits = Digits.read()
x, y = digits.x, digits.labels
print(x.shape, x.dtype, y[:10])

# %% [markdown]
# ## A network
#
# The network has 784 inputs, 30 hidden neurons and 10 outputs. Softmax outputs are probabilities,
# one for each digit, and the cost is −ln of the probability of the right one.

# %%
net = bpfast.Network(
    [784, 30, 10],
    hidden="relu",
    output="softmax",
    cost="log_likelihood",
    init="he",
    dtype="float32",
    seed=0,
)
print(net.summary())

# %% [markdown]
# ## Train
#
# `fit` trains on mini-batches of 32 digits. The test digits are evaluated after each epoch, and are
# not used for training.

# %%
history = net.fit(
    x,
    y,
    epochs=8,
    validation=(digits.test_x, digits.test_labels),
    metrics="accuracy",
    seed=0,
)
print(history)
assert history.validation_accuracy[-1] > 0.93

# %%
history.plot()

# %% [markdown]
# ## Predict
#
# Call the network with a batch, one example per row.

# %%
probabilities = net(digits.test_x)
found = probabilities.argmax(axis=1)
print("found:", found[:12])
print("right:", digits.test_labels[:12])

# %%
bpfast.plot.confusion(net, digits.test_x, digits.test_labels)

# %% [markdown]
# ## The gradient and the errors
#
# `backprop` computes the gradient of the mean cost over a batch by the four equations BP1 to BP4.
# It has the layout of the parameters: `g.flat`, `g.weights`, `g.biases`. `errors` returns δ of each
# layer, one row per example.

# %%
g = net.backprop(x[:500], y[:500])
delta = net.errors(x[:500], y[:500])
print(g)
print([d.shape for d in delta])

# %% [markdown]
# The norms of the gradients of single examples show which digits the network would learn most from.
# They cost less than a gradient, because the gradients themselves are not formed.

# %%
norms = net.per_example_norms(x, y)
hardest = np.argsort(norms)[-5:][::-1]
print("digits with the largest gradients:", hardest, "labels:", y[hardest])
print(f"largest norm {norms[hardest[0]]:.3g}, median {np.median(norms):.3g}")

# %% [markdown]
# Which pixels matter for the cost of a digit? The saliency of a pixel is the magnitude of ∂C_x/∂x;
# the outline is that of the digit.

# %%
bpfast.plot.saliency(net, x[0], y[0])

# %% [markdown]
# ## Save and load
#
# A network is stored in the safetensors format, with its configuration. Loaded, it gives the same
# bits.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.safetensors"
    net.save(path)
    twin = bpfast.load(path)
assert (twin(digits.test_x) == probabilities).all()
