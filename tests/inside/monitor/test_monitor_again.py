"""A monitor of several trainings, and weights that it refuses at once."""

import numpy as np
import pytest

import bpfast
from bpfast.inside import Monitor
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
X = RNG.standard_normal((120, 3))
LABELS = (X[:, 0] * X[:, 1] > 0).astype(int)


def test_it_looks_for_causes_in_each_training(monkeypatch):
    net = bpfast.Network([3, 4, 2], output="softmax", cost="log_likelihood", seed=0)
    monitor, looks = Monitor(X, LABELS), []
    monkeypatch.setattr(monitor._watch, "look_for_causes", lambda *_: looks.append(1))
    for count in (3, 6):  # after the epochs 1, 2 and 4
        net.fit(X, LABELS, epochs=5, callbacks=monitor, seed=0)
        assert len(looks) == count


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.where(np.arange(120) == 70, np.nan, 1), ValueError, r"\[70\]: expected finite numbers"),
        (["heavy"] * 120, TypeError, ": expected real numbers, got dtype <U5"),
    ],
)
def test_weights_that_are_no_numbers(weights, error, message):
    with refuses(error, f"^sample_weight{message}"):
        Monitor(X, LABELS, sample_weight=weights, warn=False)
