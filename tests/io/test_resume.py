"""A training that was resumed gives the bits of one that never stopped."""

import numpy as np
import pytest

import bpfast
from bpfast import schedules

EPOCHS = 7

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 4)) * (rng.random((60, 4)) < 0.6)
Y = (X[:, 0] > X[:, 1]).astype(np.int64)
X_VAL, Y_VAL = rng.standard_normal((20, 4)), rng.integers(0, 2, 20)


def net_of(dtype="float64", **options):
    options = {"hidden": "tanh", "output": "softmax", "cost": "log_likelihood"} | options
    return bpfast.Network([4, 6, 5, 2], dtype=dtype, seed=1, **options)


def sparse(x):
    return pytest.importorskip("scipy.sparse").csr_array(x)


def batches():
    for k in range(0, 60, 13):
        yield X[k : k + 13], Y[k : k + 13], np.linspace(1, 2, len(X[k : k + 13]))


class Halved:
    """A callback that goes on from the learning rate that it finds."""

    def __call__(self, net, history):
        net.optimizer.learning_rate /= 2


class Own:
    """A schedule whose state no file can hold."""

    state = {None}  # noqa: RUF012, nobody changes it

    def __call__(self, step):
        return 0.5 / (1 + step)


def spread(a, y):
    return np.ptp(a)


def plateau():
    return schedules.Plateau(0.5, factor=0.5, patience=0, cooldown=1)


# What a call of fit has beside the data, made anew for each call.
CASES = {
    "defaults": dict,
    "sgd": lambda: {"optimizer": bpfast.SGD(0.5)},
    "momentum": lambda: {"optimizer": bpfast.SGD(0.1, momentum=0.9, nesterov=True)},
    "adam": lambda: {"optimizer": bpfast.Adam(0.01, weight_decay=0.01)},
    "adamw": lambda: {"optimizer": "adamw"},
    "rmsprop": lambda: {"optimizer": "rmsprop"},
    "adagrad": lambda: {"optimizer": "adagrad"},
    "cosine": lambda: {"optimizer": bpfast.Adam(schedules.Cosine(0.1, steps=40))},
    "plateau": lambda: {"optimizer": bpfast.SGD(plateau()), "validation": (X_VAL, Y_VAL)},
    "warm-up": lambda: {"optimizer": bpfast.Adam(schedules.WarmUp(plateau(), 30))},
    "own schedule": lambda: {"optimizer": bpfast.SGD(Own())},
    "own behind a ramp": lambda: {"optimizer": bpfast.SGD(schedules.WarmUp(Own(), 30))},
    "rate of a callback": lambda: {"callbacks": Halved()},
    "dropout": lambda: {"dropout": [0.3, 0.5]},
    "fraction": lambda: {"validation": 0.3, "metrics": ("accuracy", spread)},
    "penalties": lambda: {"l1": 1e-3, "l2": 0.1, "max_norm": 1.1, "clip_norm": 0.1},
    "weights": lambda: {"class_weight": {0: 2.5}, "sample_weight": np.linspace(1, 2, 60)},
    "balanced": lambda: {"class_weight": "balanced", "shuffle": False},
    "early stopping": lambda: {
        "optimizer": bpfast.SGD(3.0),
        "validation": (X_VAL, Y_VAL),
        "early_stopping": bpfast.EarlyStopping(30),
    },
    "accuracy": lambda: {
        "optimizer": bpfast.SGD(3.0),
        "metrics": "accuracy",
        "early_stopping": bpfast.EarlyStopping(20, "accuracy", min_delta=0.01),
    },
    "no restore": lambda: {"early_stopping": bpfast.EarlyStopping(1, restore_best=False)},
}


def train(case, epochs, x=X, y=Y, net=None, **options):
    """Train as a case says: all that came of it."""
    net = net or net_of()
    arguments = {"batch_size": None if y is None else 7, "seed": 5} | CASES[case]()
    history = net.fit(x, y, epochs=epochs, **arguments | options)
    assert net.history is history
    return outcome(net, arguments.get("early_stopping"))


def outcome(net, stopping=None):
    """The bits of a network, its optimizer, history and early stopping."""
    state, columns = net.optimizer.state, net.history.state
    del columns["columns"]["seconds"]
    state = {k: v.tobytes() if isinstance(v, np.ndarray) else v for k, v in state.items()}
    return net.params.tobytes(), state, columns, stopping and stopping.state


@pytest.fixture
def path(tmp_path):
    return tmp_path / "training"


@pytest.mark.parametrize("case", CASES)
def test_the_same_bits(case, path):
    never_stopped = train(case, EPOCHS)
    train(case, 3, checkpoint=path)
    assert train(case, EPOCHS, resume=path) == never_stopped
    # Epoch by epoch, by the call that a program repeats.
    path.unlink()
    for epochs in range(1, EPOCHS + 1):
        last = train(case, epochs, checkpoint=path, resume=True)
    assert last == never_stopped
    # A training that has ended is at its end at once.
    assert train(case, EPOCHS, resume=path) == never_stopped


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("x", ["dense", "by its zeros", "sparse", "batches", "memmap"])
def test_every_kind_of_data(x, dtype, path):
    np.save(path.with_name("x.npy"), X)
    data = {
        "dense": lambda: (X, Y),
        "by its zeros": lambda: (X, Y),
        "sparse": lambda: (sparse(X), Y),
        "batches": lambda: (batches, None),
        "memmap": lambda: (np.load(path.with_name("x.npy"), mmap_mode="r"), Y),
    }[x]

    def part(epochs, **options):
        options |= {"sparse": True} if x == "by its zeros" else {}
        return train("dropout", epochs, *data(), net_of(dtype), **options)

    never_stopped = part(EPOCHS)
    part(4, checkpoint=path)
    assert part(EPOCHS, resume=path) == never_stopped


def cost(a, y):
    return ((a - y) ** 4).sum(axis=1), 4 * (a - y) ** 3


def test_a_custom_cost(path):
    def part(epochs, **options):
        net = net_of(output="sigmoid", cost=cost)
        return train("defaults", epochs, X, np.eye(2)[Y], net, **options)

    never_stopped = part(EPOCHS)
    part(4, checkpoint=path)
    assert part(EPOCHS, resume=path) == never_stopped
    assert bpfast.load(path, cost=cost).params.shape == net_of().params.shape


def test_the_number_of_threads_may_change(path):
    never_stopped = train("dropout", EPOCHS)
    with bpfast.num_threads(1):
        train("dropout", 3, checkpoint=path)
    with bpfast.num_threads(2):
        assert train("dropout", EPOCHS, resume=path) == never_stopped


def test_a_rate_set_by_a_callback_may_be_given_or_omitted(path):
    never_stopped = train("rate of a callback", EPOCHS)
    train("rate of a callback", 3, checkpoint=path)
    halved = bpfast.Adam(0.001 / 2 / 2 / 2)
    train("rate of a callback", 5, checkpoint=path, resume=True, optimizer=halved)
    assert train("rate of a callback", EPOCHS, resume=path) == never_stopped


def test_an_optimizer_that_had_steps_before(path):
    def used():
        net, optimizer = net_of(), bpfast.Adam(0.01)
        net.fit(X, Y, epochs=2, batch_size=7, optimizer=optimizer, seed=9)
        return {"net": net, "optimizer": optimizer}

    never_stopped = train("dropout", EPOCHS, **used())
    train("dropout", 3, checkpoint=path, **used())
    assert train("dropout", EPOCHS, resume=path, optimizer=bpfast.Adam(0.01)) == never_stopped


def test_early_stopping_ends_once_and_restores_the_best(path):
    def part(epochs, patience=3, **options):
        stopping = bpfast.EarlyStopping(patience)
        options |= {"early_stopping": stopping, "validation": (X_VAL, Y_VAL)}
        return train("sgd", epochs, **options), stopping

    never_stopped, stopping = part(100)
    stopped = bpfast.History.from_state(never_stopped[2] | {"columns": full(never_stopped)})
    assert stopped.stopped == "early stopping"
    end = len(stopped)
    assert end < 100
    assert stopping.best_epoch == end - 3 > 0
    # At the best epoch, behind it, just before the end, at the end.
    for epochs in (end - 3, end - 2, end - 1, 100):
        part(epochs, checkpoint=path)
        assert bpfast.load(path).params.tobytes() == never_stopped[0]
        resumed, again = part(100, resume=path)
        assert resumed == never_stopped
        assert again.state == stopping.state
    # More patience lets it go on, and it is as if there had been as much from the first.
    assert part(end + 4, patience=50, resume=path)[0] == part(end + 4, patience=50)[0]


def full(found):
    return {"seconds": [0] * len(found[2]["columns"]["cost"]), **found[2]["columns"]}


def test_a_callback_that_ended_the_training_is_called_again(path):
    def until(epoch):
        return lambda net, history: len(history) >= epoch

    ended = train("dropout", EPOCHS, checkpoint=path, callbacks=until(3))
    assert ended[2]["stopped"] == "callback"
    assert train("dropout", EPOCHS, resume=path, callbacks=until(3)) == ended
    asked = []
    resumed = train("dropout", EPOCHS, resume=path, callbacks=lambda n, h: asked.append(len(h)))
    assert resumed == train("dropout", EPOCHS)
    assert asked == [3, 4, 5, 6, 7]


def test_an_interrupted_epoch_is_repeated(path):
    def broken():
        count = 0

        def factory():
            nonlocal count
            count += 1
            for k, batch in enumerate(batches()):
                if (count, k) == (4, 2):
                    raise KeyboardInterrupt
                yield batch

        return factory

    never_stopped = train("dropout", EPOCHS, batches, None)
    with pytest.raises(KeyboardInterrupt):
        train("dropout", EPOCHS, broken(), None, checkpoint=path)
    assert train("dropout", EPOCHS, batches, None, checkpoint=path, resume=True) == never_stopped


def test_a_resume_that_fails_leaves_the_early_stopping(path):
    stopping = bpfast.EarlyStopping(30)
    given = {"validation": (X_VAL, Y_VAL), "early_stopping": stopping}
    train("sgd", 3, checkpoint=path, **given)
    state = stopping.state
    assert state["best_epoch"] > 0
    with pytest.raises(ValueError, match=r"^batch_size: expected 7 as in the checkpoint, got 3$"):
        train("sgd", 5, resume=path, batch_size=3, **given)
    assert stopping.state == state
