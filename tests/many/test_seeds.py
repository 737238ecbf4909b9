"""Seeds of several networks: one for all gives each its own, and the same ones again."""

import numpy as np
import pytest

import bpfast
from tests.helpers.many import X, Y, networks
from tests.helpers.refuses import refuses

MAKERS = {
    "SeedSequence": lambda: np.random.SeedSequence(3),
    "BitGenerator": lambda: np.random.PCG64(3),
    "Generator": lambda: np.random.default_rng(3),
}


def seeds(seed):
    ensemble = bpfast.fit_many(networks(), X, Y, epochs=1, seed=seed)
    return [history.seed for history in ensemble.histories]


@pytest.mark.parametrize("kind", MAKERS)
def test_one_for_all_gives_each_its_own(kind):
    found = seeds(MAKERS[kind]())
    assert len(set(found)) == 4
    assert seeds(MAKERS[kind]()) == found
    rng = np.random.default_rng(MAKERS[kind]())
    assert found == [int(rng.integers(2**63)) for _ in range(4)]
    alone = networks()[0].fit(X, Y, epochs=1, seed=MAKERS[kind]())
    assert alone.seed == found[0]


@pytest.mark.parametrize("kind", MAKERS)
def test_folds(kind):
    net = networks()[0]
    first, again = (
        bpfast.cross_validate(net, X, Y, 3, epochs=1, seed=MAKERS[kind]()) for _ in range(2)
    )
    of_folds = [history.seed for history in first.ensemble.histories]
    assert len(set(of_folds)) == 3
    assert first.outputs.tobytes() == again.outputs.tobytes()


def test_a_seed_sequence_in_a_list_is_one_of_that_network():
    ss = np.random.SeedSequence(3)
    found = seeds([ss, 5, None, ss])
    assert found[0] == found[3] == int(np.random.default_rng(ss).integers(2**63))
    assert found[1] == 5


WRONG = [
    (np.random.RandomState(0), TypeError, "seed: expected an integer or a Generator, got RandomSt"),
    ([0, 1, 2, np.random.RandomState(0)], TypeError, r"nets\[3\]: seed: expected an integer or a"),
    ([0, -1, 2, 3], ValueError, r"nets\[1\]: seed: expected an integer, 0 or above, got -1"),
    (2**63 - 3, ValueError, r"seed: expected at most \d+, as the last of 4 is 3 more, got \d+"),
    (2**63, ValueError, r"seed: expected an integer below 2\^63, got one above"),
    (0.5, TypeError, "seed: expected an integer, got float"),
]


@pytest.mark.parametrize(("seed", "kind", "message"), WRONG)
def test_wrong_seeds(seed, kind, message):
    with refuses(kind, f"^{message}$" if kind is ValueError else f"^{message}"):
        bpfast.fit_many(networks(), X, Y, seed=seed)


def test_the_largest_integer():
    assert seeds(2**63 - 4)[-1] == 2**63 - 1
