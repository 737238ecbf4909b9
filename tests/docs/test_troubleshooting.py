"""The messages of docs/troubleshooting.md are those of the calls that they are about."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

import bpfast
from tests.helpers.child import finished
from tests.helpers.messages import IN_USE, TRAINING, WRITTEN
from tests.helpers.paths import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
# A message is the first cell of a row, as code; … is what the page leaves out.
MESSAGES = re.findall(r"^\| `([^`]*[:…][^`]*)` \|", PAGE, re.MULTILINE)
X, Y = np.random.default_rng(0).standard_normal((20, 3)), np.zeros((20, 2))
LABELS = np.arange(20) % 2
FAR = X.mean(axis=1, keepdims=True)


def network(outputs=2, **config):
    return bpfast.Network([3, outputs], seed=0, **config)


def classifier():
    return network(output="softmax", cost="log_likelihood")


def regression(outputs=1, **config):
    return network(outputs, output="identity", **config)


def used_optimizer():
    optimizer = bpfast.Adam()
    network().fit(X, Y, epochs=1, optimizer=optimizer)
    return optimizer


def with_nan():
    x = X.copy()
    x[3, 1] = np.nan
    return x


def grow():
    net = bpfast.Network([3, 4, 1], output="identity", seed=0)
    net.fit(X, FAR, epochs=60, optimizer="sgd", learning_rate=3.0, seed=0)


def load_numpy(folder):
    np.save(folder / "a.npy", X)
    bpfast.load(folder / "a.npy")


def resume(folder):
    for size in (10, 20):
        settings = {"checkpoint": folder / "a.ckpt", "resume": True, "seed": 0}
        network().fit(X, Y, epochs=1 if size == 10 else 2, batch_size=size, **settings)


# Of calls in several threads, which other tests make.
OF_THREADS = [text.format("…") for text in (IN_USE, WRITTEN, TRAINING)]
# By the beginning of the message: a call that gives it. Those with an argument get a folder.
CALLS = {
    "x: expected 2 dimensions": lambda: network()(X[0]),
    "x: expected shape": lambda: network()(X[:, :2]),
    "y: expected shape (20, 2) (class": lambda: network().cost(X, Y[:, 0]),
    "y: expected shape (20, 2), got (20, 1)": lambda: classifier().cost(X, Y[:, :1]),
    "y: expected real numbers": lambda: classifier().cost(X, np.array(["a"] * 20)),
    "x: expected real numbers, got dtype object": lambda: network()(X.astype(object)),
    "x: expected real numbers, got column": lambda: network()(
        pd.DataFrame({"a": [1.0], "b": [2.0], "c": ["three"]})
    ),
    "x: expected no missing values, got 1 masked": lambda: network()(
        np.ma.masked_array(X, np.eye(20, 3) * X == X[0, 0])
    ),
    "x: expected no missing values, got 1 missing": lambda: network()(
        pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [2.0, 1.0], "c": [1.0, 2.0]})
    ),
    "x[3]: expected finite numbers": lambda: network().fit(with_nan(), Y),
    "y[0]: expected numbers from 0 to 1": lambda: network(1, cost="cross_entropy").fit(
        X, np.full(20, 1.5)
    ),
    "UserWarning: y: expected numbers from 0 to 1": lambda: network(1).fit(X, Y[:, :1] + 5),
    "UserWarning: y: expected targets": lambda: regression().fit(X, 1e5 * FAR),
    "UserWarning: y: expected a class": lambda: classifier().fit(X, np.eye(20, 2)),
    "cost: unknown name": lambda: network(cost="mse"),
    "Adam: unknown argument": lambda: bpfast.Adam(lr=0.1),  # type: ignore[call-arg]
    "output: expected 'sigmoid' or": lambda: network(output="relu", cost="cross_entropy"),
    "output: expected 'sigmoid' (": lambda: network(1, output="softmax", cost="cross_entropy"),
    "DivergenceError: ": lambda: regression(2).fit(X, Y + 1, optimizer=bpfast.SGD(1e300), epochs=5),
    "UserWarning: cost: has grown": grow,
    "optimizer: expected one": lambda: network().fit(X, Y, optimizer=used_optimizer()),
    "learning_rate: expected no rate": lambda: network().fit(
        X, Y, optimizer=bpfast.Adam(), learning_rate=0.1
    ),
    "mode: expected": lambda: bpfast.EarlyStopping(3, monitor="f1"),
    "metrics: accuracy": lambda: regression().fit(X, FAR, metrics="accuracy"),
    "out: expected dtype": lambda: network().forward(X, out=np.empty((20, 2), "float32")),
    "out: expected a gradient": lambda: network().backprop(
        X, Y, out=bpfast.Gradient(network(dtype="float32"))
    ),
    "BPFAST_SIMD: unknown name": None,
    "…: expected a safetensors file": load_numpy,
    "batch_size: expected 10": resume,
}


def said(call, *arguments):
    """The message of an error, or of a warning, with its kind before it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call(*arguments)
        except bpfast.DivergenceError as error:
            return f"DivergenceError: {error}"
        except (TypeError, ValueError) as error:
            return str(error)
    (warning,) = caught
    return f"{warning.category.__name__}: {warning.message}"


def call_of(message):
    found = [call for start, call in CALLS.items() if message.startswith(start)]
    assert len(found) == 1, message
    return found[0]


def test_every_call_is_on_the_page():
    assert len(MESSAGES) > 25
    starts = [*CALLS, *OF_THREADS]
    assert [start for start in starts if not any(m.startswith(start) for m in MESSAGES)] == []


@pytest.mark.parametrize("message", [text for text in MESSAGES if text not in OF_THREADS])
def test_message(message, tmp_path):
    call = call_of(message)
    if call is None:
        done = finished("import bpfast; bpfast.Network([2, 1])([[1, 2]])", BPFAST_SIMD="avx9")
        text = done.stderr.strip().splitlines()[-1].removeprefix("ValueError: ")
    else:
        text = said(call, *[tmp_path] * call.__code__.co_argcount)
    pattern = ".*".join(map(re.escape, message.split("…")))
    assert re.fullmatch(pattern, text), text
