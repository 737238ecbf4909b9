"""A training that is killed again and again ends as one that nobody disturbed."""

import json
import subprocess
import time

import numpy as np

from bpfast._core import read_tensors
from tests.helpers.child import command, environment
from tests.helpers.paths import ROOT

EPOCHS, KILLS = 200, 15


def start(path, epochs):
    """A child that trains; it says a line when it begins, and one for each epoch."""
    return subprocess.Popen(
        command("trains_until_killed", path, epochs),
        stdout=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
    )


def finish(path, epochs):
    with start(path, epochs) as child:
        child.communicate(timeout=600)
        assert child.returncode == 0


def read(path):
    """The arrays in a checkpoint and its history, apart from the seconds."""
    tensors, metadata = read_tensors(path)
    history = json.loads(metadata["training"])["history"]
    del history["columns"]["seconds"]
    return {name: array.tobytes() for name, array in tensors.items()}, history


def test_killed_at_random_moments(tmp_path):
    path, undisturbed = tmp_path / "x", tmp_path / "y"
    finish(undisturbed, 1)
    path.write_bytes(undisturbed.read_bytes())  # its seed is that of both
    rng, lengths = np.random.default_rng(), []
    for kill in range(KILLS):
        with start(path, EPOCHS) as child:
            # Some epochs later, wherever in an epoch or a write it is then.
            for _ in range(1 + rng.integers(15) * (kill > 0)):
                child.stdout.readline()
            time.sleep(rng.uniform(0, 0.01))
            child.kill()
        lengths.append(len(read(path)[1]["columns"]["cost"]))
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 3
    finish(path, EPOCHS)
    finish(undisturbed, EPOCHS)
    assert read(path) == read(undisturbed)
    assert len(read(path)[1]["columns"]["cost"]) == EPOCHS
