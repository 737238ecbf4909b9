"""A checkpoint is written when it should be, and is the network too; fit refuses the wrong one."""

import errno
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import bpfast
from bpfast import schedules
from bpfast._core import read_tensors
from bpfast._training.checkpoint import file as _checkpoint_file
from tests.helpers.child import run
from tests.helpers.refuses import refuses

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((40, 3)), rng.integers(0, 2, 40)
X_VAL, Y_VAL = X[:10], 1 - Y[:10]  # it gets worse from the first epoch on


def net_of(sizes=(3, 4, 2), **options):
    options = {"output": "softmax", "cost": "log_likelihood"} | options
    return bpfast.Network(sizes, seed=0, **options)


def fit(net=None, x=X, y=Y, **options):
    net = net or net_of()
    net.fit(x, y, **{"epochs": 4, "batch_size": 8, "seed": 3, "optimizer": "adam"} | options)
    return net


def epochs_in(path):
    text = json.loads(read_tensors(path)[1]["training"])
    return len(text["history"]["columns"]["cost"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "training"


def test_a_checkpoint_is_a_network(path):
    net = fit(checkpoint=path)
    twin = bpfast.load(path)
    assert twin.same_config(net)
    assert twin.params.tobytes() == net.params.tobytes()
    assert (type(twin), twin.history) == (bpfast.Network, None)


def test_a_file_is_the_same_in_pieces_of_any_length(path, monkeypatch):
    """Which are there for Ctrl-C: one is heard between two of them, and the old file stays."""
    net = fit(net_of((3, 4, 7, 2)), checkpoint=path, epochs=1)
    whole = read_tensors(path)
    for length in (1, 3, 5, 64):
        monkeypatch.setattr(_checkpoint_file, "ELEMENTS_AT_ONCE", length)
        again = fit(net_of((3, 4, 7, 2)), checkpoint=path, epochs=1)
        assert again.params.tobytes() == net.params.tobytes()
        tensors, metadata = read_tensors(path)
        assert metadata["check"] == _checkpoint_file._check(
            metadata["config"], metadata["training"], whole[0]
        )
        for name, array in whole[0].items():
            np.testing.assert_array_equal(tensors[name], array, strict=True)
        assert _checkpoint_file.read(str(path)).seed == 3


def test_a_checkpoint_shows_the_best_network(path):
    best = bpfast.EarlyStopping(2)
    options = {"validation": (X_VAL, Y_VAL), "checkpoint": path}
    net = fit(epochs=50, optimizer=bpfast.SGD(2.0), early_stopping=best, **options)
    assert net.history.stopped == "early stopping"
    assert bpfast.load(path).params.tobytes() == net.params.tobytes()
    assert not np.array_equal(read_tensors(path)[0]["training.params"], net.params)


@pytest.mark.parametrize(("every", "written"), [(1, [1, 2, 3, 4, 5]), (2, [2, 4, 5]), (9, [5])])
def test_every_n_epochs_and_at_the_end(path, every, written):
    found = []

    def look(net, history):
        found.append(epochs_in(path) if path.exists() else None)

    fit(checkpoint=path, every=every, epochs=5, callbacks=look)
    assert epochs_in(path) == 5
    assert sorted({*found, 5} - {None}) == written


def test_at_the_end_by_early_stopping_and_by_a_callback(path):
    fit(checkpoint=path, every=50, epochs=99, early_stopping=1, optimizer=bpfast.SGD(50.0))
    assert epochs_in(path) < 50
    fit(checkpoint=path, every=50, callbacks=lambda net, history: len(history) == 2)
    assert epochs_in(path) == 2


def test_every_float_round_trips(path):
    odd = 0.1 + 0.2
    values = iter([np.nan, np.inf, -np.inf, odd])

    def metric(a, y):
        return next(values)

    seed = 2**63 - 1
    net = fit(net_of((3, 2)), validation=(X, Y), metrics=metric, seed=seed, checkpoint=path,
              epochs=1, early_stopping=3, l2=5e-324, check_finite=False)  # fmt: skip
    again = net_of((3, 2))
    fit(again, validation=(X, Y), metrics=metric, resume=path, seed=None, epochs=1,
        early_stopping=3, l2=5e-324)  # fmt: skip
    assert again.history == net.history
    assert again.history.seed == seed
    assert str(again.history.state) == str(net.history.state)


def test_early_stopping_that_has_seen_no_better_value(path):
    def nan(a, y):
        return np.nan

    def part(**options):
        stopping = bpfast.EarlyStopping(3, "nan", "max")
        net = fit(metrics=nan, early_stopping=stopping, **options)
        return net.params.tobytes(), net.history.stopped, stopping.state

    never_stopped = part(epochs=9)
    assert never_stopped[2] == {"best": -np.inf, "best_epoch": 0}
    part(epochs=2, checkpoint=path)
    assert part(epochs=9, resume=path) == never_stopped


def test_the_seed_is_the_files(path):
    first = fit(checkpoint=path, seed=None, epochs=2)
    second = fit(resume=path, seed=None)
    assert second.history.seed == first.history.seed
    assert second.params.tobytes() == fit(seed=first.history.seed).params.tobytes()


def test_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("a", b"b", Path("c"), "ä ö", "./d", str(tmp_path / "e")):
        fit(checkpoint=path)
        net = fit(resume=path)
        assert len(net.history) == 4
        Path(os.fsdecode(path)).unlink()
    fit(checkpoint="x", epochs=2)
    fit(checkpoint="y", resume="x")
    assert (epochs_in("x"), epochs_in("y")) == (2, 4)
    assert sorted(map(str, Path().iterdir())) == ["x", "y"]


def test_a_callback_that_changes_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    fit(checkpoint="a", callbacks=lambda net, history: os.chdir(tmp_path / "other"))
    assert epochs_in(tmp_path / "a") == 4
    assert not list((tmp_path / "other").iterdir())


def test_resume_true_without_a_file_starts_from_the_beginning(path):
    plain = fit().params.tobytes()
    for resume in (True, np.True_, False, np.False_, None):
        assert fit(checkpoint=path, resume=resume).params.tobytes() == plain
        path.unlink()
    fit(checkpoint=path, epochs=2)
    assert fit(checkpoint=path).params.tobytes() == plain  # without resume it begins anew


def test_a_missing_file(tmp_path):
    net = net_of()
    for options, missing in (
        ({"resume": tmp_path / "no"}, tmp_path / "no"),
        ({"checkpoint": tmp_path / "no" / "x"}, tmp_path / "no"),
        ({"checkpoint": tmp_path / "no" / "x", "resume": True}, tmp_path / "no"),
    ):
        with refuses(FileNotFoundError, re.escape(str(missing)), net) as caught:
            fit(net, **options)
        assert caught.value.filename == str(missing)
    with refuses(IsADirectoryError, re.escape(str(tmp_path)), net):
        fit(net, checkpoint=tmp_path)
    if sys.platform == "linux":
        with refuses(ValueError, "^/dev/full: expected a file, or none, got a pipe or", net):
            fit(net, checkpoint="/dev/full")
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(path):
    net, wrong = net_of(), "expected str, bytes or os.PathLike, got"
    for options, kind, message in (
        ({"checkpoint": 3}, TypeError, f"^checkpoint: {wrong} int$"),
        ({"checkpoint": True}, TypeError, f"^checkpoint: {wrong} bool$"),
        ({"checkpoint": "a\0b"}, ValueError, "^checkpoint: expected a path without null bytes"),
        ({"resume": 1}, TypeError, f"^resume: {wrong} int$"),
        ({"resume": "a\0b"}, ValueError, "^resume: expected a path without null bytes"),
        ({"resume": True}, ValueError, "^resume: expected a path, or True with checkpoint, got"),
        ({"every": 1}, ValueError, "^every: expected only with checkpoint, got 1 without one$"),
        ({"checkpoint": path, "every": 0}, ValueError, "^every: expected a positive integer"),
        ({"checkpoint": path, "every": 1.5}, TypeError, "^every: expected an integer, got float"),
        ({"checkpoint": path, "every": True}, TypeError, "^every: expected an integer, got bool"),
    ):
        with refuses(kind, message, net):
            fit(net, **options)
        assert net.history is None
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="any text is a path there")
def test_invalid_paths():
    for argument in ("checkpoint", "resume"):
        message = f"^{argument}: expected a path that the file system can encode, got 'a"
        with refuses(ValueError, message):
            fit(net_of(), **{argument: "a\ud800"})


OTHERS = {
    "batch_size": (9, "expected 8 as in the checkpoint, got 9"),
    "seed": (4, "expected 3 as in the checkpoint, got 4"),
    "shuffle": (False, "expected True as in"),
    "sparse": (True, "expected None as in the checkpoint, got True"),
    "l1": (0.1, "expected 0.0 as in the checkpoint, got 0.1"),
    "l2": (0.1, "expected 0.0 as in"),
    "dropout": (0.5, r"expected \[0.0\] as in the checkpoint, got \[0.5\]"),
    "max_norm": (3, "expected None as in the checkpoint, got 3.0"),
    "clip_norm": (3, "expected None as in"),
    "validation": (0.2, r"expected {'examples': 10} as in the checkpoint, got 0.2"),
    "metrics": ("r2", r"expected \['accuracy'\] as in the checkpoint, got \['r2'\]"),
    "class_weight": ("balanced", "expected None as in the checkpoint, got 'balanced'"),
    "sample_weight": (np.ones(40), "expected None as in the checkpoint, got 'given'"),
    "early_stopping": (None, "expected {'monitor': None, .*} as in the checkpoint, got None"),
}


def test_another_call_is_refused(path):
    given = {"validation": (X_VAL, np.eye(2)[Y_VAL]), "metrics": "accuracy", "early_stopping": 9}
    given |= {"y": np.eye(2)[Y]}
    fit(checkpoint=path, epochs=2, **given)
    net = fit()
    history, optimizer = net.history, net.optimizer
    whole = [net, path.read_bytes(), optimizer.state]
    cases = [(name, {name: value}, text) for name, (value, text) in OTHERS.items()]
    cases += [
        ("epochs", {"epochs": 1}, "expected 2 or more, which the checkpoint has, got 1"),
        ("x.examples", {"x": X[1:], "y": np.eye(2)[Y[1:]]}, "expected 40 as in .*, got 39"),
        (
            "x",
            {"x": [(X, Y)], "y": None, "metrics": (), "batch_size": None},
            "expected {'kind': 'dense', 'examples': 40} as in",
        ),
        ("validation.examples", {"validation": (X, np.eye(2)[Y])}, "expected 10 as in .*, got 40"),
        (
            "early_stopping.mode",
            {"early_stopping": bpfast.EarlyStopping(9, mode="max")},
            "expected",
        ),
        ("optimizer.kind", {"optimizer": "sgd"}, "expected '[Aa]dam' as in .*, got '(SGD|sgd)'"),
        ("optimizer.beta1", {"optimizer": bpfast.Adam(beta1=0.5)}, "expected 0.9 as in"),
        ("optimizer.learning_rate", {"optimizer": bpfast.Adam(0.5)}, "expected 0.001 as in"),
        (
            "optimizer.learning_rate",
            {"optimizer": bpfast.Adam(lambda step: 0.001)},
            "expected 0.001 as in the checkpoint, got None",
        ),
    ]
    for name, options, text in cases:
        with refuses(ValueError, f"^{re.escape(name)}: {text}", *whole):
            fit(net, checkpoint=path, resume=True, **given | options)
        assert (net.history, net.optimizer) == (history, optimizer)
    for options, text in (
        (
            {"sizes": (3, 5, 2)},
            r"^sizes: expected \[3, 4, 2\] as in the checkpoint, got \[3, 5, 2\]",
        ),
        ({"hidden": "relu"}, r"^hidden: expected \['sigmoid'\] as in"),
        ({"output": "sigmoid", "cost": "quadratic"}, "^output: expected 'softmax' as in"),
        ({"cost": "quadratic"}, "^cost: expected 'log_likelihood' as in"),
        ({"cost": lambda a, y: (a[:, 0], a)}, "^cost: expected 'log_likelihood' .*, got 'custom'"),
        ({"dtype": "float32"}, "^dtype: expected 'float64' as in"),
    ):
        other = net_of(**options)
        with refuses(ValueError, text, other):
            fit(other, checkpoint=path, resume=True, **given)
        assert other.history is None
    # What decides about nothing that is computed may change.
    free = {"check_finite": False, "progress": False, "early_stopping": 50}
    assert len(fit(net, resume=path, **given | free).history) == 4
    assert len(fit(net, checkpoint=path, resume=True, every=3, **given | free).history) == 4


def test_a_callable_rate_set_by_a_callback_must_be_given(path):
    def own(step):
        return 0.001

    def assign(net, history):
        net.optimizer.learning_rate = own

    fit(checkpoint=path, epochs=2, callbacks=assign)
    net = net_of()
    with refuses(ValueError, "learning_rate: expected an optimizer with the callable", net):
        fit(net, resume=path)
    assert fit(resume=path, optimizer=bpfast.Adam(own)).params.tobytes() == fit().params.tobytes()
    falling = schedules.Cosine(0.5, steps=9)
    with refuses(ValueError, r"^optimizer.learning_rate: expected 0.001 as in .*'cosine'", net):
        fit(net, resume=path, optimizer=bpfast.Adam(falling))


@pytest.mark.skipif(os.name != "posix", reason="limits are those of POSIX")
def test_a_file_that_may_not_grow_leaves_the_old_checkpoint(path):
    assert run("checkpoint_without_room", path) == [
        errno.EFBIG,
        True,
        True,
        "OSError",
        4,
        True,
        True,
        None,
    ]
