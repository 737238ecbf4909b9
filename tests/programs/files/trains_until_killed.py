"""Train with a checkpoint after each epoch; print a line when it begins, and one for each epoch."""

import sys

import numpy as np

import bpfast

rng = np.random.default_rng(0)
x, y = rng.standard_normal((300, 20)), rng.integers(0, 3, 300)
net = bpfast.Network(
    [20, 30, 3], hidden="relu", output="softmax", cost="log_likelihood", dtype="float32", seed=0
)
path, epochs = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
net.fit(
    x,
    y,
    epochs=epochs,
    dropout=0.2,
    validation=0.2,
    metrics="accuracy",
    optimizer=bpfast.Adam(bpfast.schedules.Cosine(0.01, steps=2000)),
    early_stopping=1000,
    callbacks=lambda net, history: print(len(history), flush=True),
    checkpoint=path,
    resume=True,
)
