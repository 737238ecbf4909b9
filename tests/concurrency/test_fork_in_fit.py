"""What fit calls forks: parent and child go on with the same bits, or the child ends."""

import os

import pytest

from tests.helpers.child import run
from tests.helpers.forks import COMMON, RIGHT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

# What fit calls forks in its second turn, and parent and child go on from there.
BY_USER_CODE = (
    COMMON
    + """
kind, turns, forked = sys.argv[1], 0, None
def turn():
    global turns, forked
    turns += 1
    if turns == 2 and forking:
        forked = fork()
def cost(a, y):
    turn()
    return ((a - y) ** 2).sum(axis=1), 2 * (a - y)
def batches():
    for k in range(0, 400, 100):
        if kind == "iterable":
            turn()
        yield x[k : k + 100], y[k : k + 100]
def fit():
    net = bpfast.Network([16, 32, 16], cost=cost if kind == "cost" else "quadratic", seed=0)
    options = {"callbacks": lambda *_: turn()} if kind.startswith("callback") else {}
    if kind == "metric":
        options = {"metrics": {"turns": lambda a, y: turn() or 0.0}}
    if kind in ("iterable", "callback between batches"):
        net.fit(batches, epochs=3, seed=0, **options)
    else:
        net.fit(x, y, epochs=3, batch_size=100, seed=0, **options)
    return digest(net.params)
rng = np.random.default_rng(0)
x, y = rng.standard_normal((400, 16)), rng.standard_normal((400, 16))
forking = False
expected = fit()
forking, turns = True, 0
code = RIGHT if fit() == expected else WRONG
end_of_child(code)
print(json.dumps([code, ends()]))
"""
)


@pytest.mark.parametrize("kind", ["cost", "callback", "metric", "callback between batches"])
def test_what_fit_calls_forks(kind):
    assert run(BY_USER_CODE, kind) == [RIGHT, [RIGHT]]


def test_an_iterable_forks():
    """The child has the thread that fetches, not the one that trains, and ends with the first."""
    assert run(BY_USER_CODE, "iterable") == [RIGHT, [0]]


# A child's threads may have the numbers of threads of its parent's that are not there.
TRAINING_ELSEWHERE = (
    COMMON
    + """
import threading
running, go_on = threading.Event(), threading.Event()
def cost(a, y):
    if os.getpid() == parent:
        running.set()
        assert go_on.wait(60)
    return ((a - y) ** 2).sum(axis=1), 2 * (a - y)
net = bpfast.Network([2, 3, 1], cost=cost, seed=0)
said = []
def fit():
    try:
        net.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, seed=0)
    except Exception as error:
        said.append(error)
trainers = [threading.Thread(target=fit)]
trainers[0].start()
assert running.wait(60)
if fork() == 0:
    for turn in range(4):
        thread = threading.Thread(target=fit)
        thread.start()
        thread.join()
    end_of_child(WRONG if said else RIGHT)
go_on.set()
trainers[0].join()
print(json.dumps([len(said), ends()]))
"""
)


def test_a_child_trains_the_network_of_a_training_that_is_not_there():
    assert run(TRAINING_ELSEWHERE) == [0, [RIGHT]]
