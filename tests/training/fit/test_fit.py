"""fit does what a plain loop does: every optimizer, every way through a step, every argument."""

import numpy as np
import pytest

import bpfast
from tests.helpers.plain_training import OPTIMIZERS, Rule, train
from tests.helpers.tolerance import OF_EPOCHS, close

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(0)


def named(name):
    """An optimizer of the library, by its name in OPTIMIZERS."""
    kind = {"momentum": bpfast.SGD, "Nesterov": bpfast.SGD}.get(name) or getattr(bpfast, name)
    return kind(**OPTIMIZERS[name])


def case(sizes, n, dtype="float64", **options):
    """A network and its twin, and examples for them."""
    options = {"hidden": "tanh", "output": "softmax", "cost": "log_likelihood"} | options
    nets = [bpfast.Network(sizes, dtype=dtype, seed=1, **options) for _ in range(2)]
    rng = np.random.default_rng(n)
    x = rng.standard_normal((n, sizes[0])).astype(dtype)
    if options["cost"] == "log_likelihood":
        return (*nets, x, rng.integers(0, sizes[-1], n))
    return (*nets, x, rng.random((n, sizes[-1])).astype(dtype))


def agree(net, twin, x, y, optimizer="SGD", *, epochs=2, batch_size=8, **options):
    """Train both: they agree."""
    history = net.fit(
        x, y, epochs=epochs, batch_size=batch_size, seed=5, optimizer=named(optimizer), **options
    )
    weights = options.pop("sample_weight", None)
    rule = Rule(optimizer, **OPTIMIZERS[optimizer])
    costs = train(
        twin, x, y, rule, epochs=epochs, batch_size=batch_size, seed=5, weights=weights, **options
    )
    dtype = net.dtype.name
    assert close(net.params, twin.params, dtype), relative(net, twin)
    np.testing.assert_allclose(history.cost, costs, rtol=OF_EPOCHS[dtype])
    assert net.optimizer.steps == epochs * -(-len(x) // batch_size)


def relative(net, twin):
    return np.linalg.norm(net.params - twin.params) / np.linalg.norm(twin.params)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name, dtype):
    agree(*case([6, 5, 3], 50, dtype), name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_all_options_together(name, dtype):
    how = {"l1": 0.01, "l2": 0.05, "clip_norm": 0.3, "max_norm": 0.8}
    agree(*case([6, 5, 3], 50, dtype), name, **how, sample_weight=RNG.random(50))


@pytest.mark.parametrize("name", ["SGD", "momentum", "Adam"])
@pytest.mark.parametrize(
    "how",
    [
        {"l1": 0.01},
        {"l2": 0.05},
        {"clip_norm": 0.3},
        {"clip_norm": 1e6},
        {"max_norm": 0.8},
        {"max_norm": 1e6},
        {"shuffle": False},
    ],
)
def test_each_option_alone(name, how):
    agree(*case([6, 5, 3], 50), name, **how)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 49, 50, 51, 10**6])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_every_size_of_batch(name, batch_size):
    agree(*case([6, 5, 3], 50), name, batch_size=batch_size)


def test_one_example():
    agree(*case([6, 5, 3], 1), "Adam", epochs=5)


# What decides about the way: src/engine/batch/fused_step.rs and src/engine/plan.rs.
WAYS = {
    "one chunk, on one thread": ([6, 5, 3], 40, 10),
    "by parts": ([784, 30, 10], 40, 10),
    "by parts, on two threads": ([300, 500, 10], 150, 60),
    "lanes": ([4, 6, 3], 3000, 1500),
    "a long step": ([500, 500, 10], 1100, 1100),
    "several blocks": ([10, 8000, 10], 600, 600),
    "no hidden layer": ([20, 3], 50, 8),
    "deep": ([5, 7, 1, 9, 16, 3, 8, 2], 64, 16),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_every_code_path_of_a_step(way, name, dtype):
    sizes, n, batch_size = WAYS[way]
    with bpfast.num_threads(2):
        agree(*case(sizes, n, dtype), name, batch_size=batch_size, l2=0.01, epochs=1 + (n < 1000))


COSTS = [
    ("sigmoid", "quadratic"),
    ("sigmoid", "cross_entropy"),
    ("identity", "huber"),
    ("tanh", "absolute"),
    ("softplus", "poisson"),
]


@pytest.mark.parametrize(("output", "cost"), COSTS)
def test_every_cost(output, cost):
    agree(*case([6, 5, 3], 50, output=output, cost=cost), "momentum")


def quadratic(a, y):
    return ((a - y) ** 2).sum(axis=1) / 2, a - y


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "batch_size"), [(50, 8), (3000, 1500)])
def test_a_custom_cost(n, batch_size, dtype):
    how = {"clip_norm": 0.5, "l2": 0.01, "sample_weight": RNG.random(n)}
    config = {"output": "identity", "cost": quadratic}
    agree(*case([6, 5, 3], n, dtype, **config), "Adam", batch_size=batch_size, **how)


def test_a_custom_cost_gets_the_examples_of_a_step():
    seen = []

    def cost(a, y):
        seen.append((a.shape, a.dtype, list(y)))
        return (a[:, 0] - len(seen)) ** 2, 2 * (a - len(seen))

    net = bpfast.Network([2, 1], output="identity", cost=cost, dtype="float32", seed=0)
    names = np.array(["a", "b", "c", "d", "e"], object)
    net.fit(np.zeros((5, 2)), names, epochs=1, batch_size=2, shuffle=False)
    assert seen == [
        ((2, 1), np.float32, ["a", "b"]),
        ((2, 1), np.float32, ["c", "d"]),
        ((1, 1), np.float32, ["e"]),
    ]


def test_weights_of_whole_mini_batches_may_be_zero():
    """Penalties and momentum act in such steps too."""
    weights = np.repeat([0.0, 1.0, 2.0, 0.0, 0.0], 10)
    how = {"batch_size": 10, "shuffle": False, "sample_weight": weights, "l1": 0.01, "l2": 0.1}
    for name in OPTIMIZERS:
        agree(*case([6, 5, 3], 50), name, max_norm=0.8, **how)


def test_class_weights_are_weights():
    net, twin, x, y = case([6, 5, 3], 50)
    weights = RNG.random(50)
    how = {"epochs": 2, "batch_size": 8, "seed": 5}
    net.fit(x, y, class_weight={0: 0.5, 2: 3}, sample_weight=weights, **how)
    twin.fit(x, y, sample_weight=weights * np.array([0.5, 1, 3])[y], **how)
    assert net.params.tobytes() == twin.params.tobytes()
    one_hot, other = case([6, 5, 3], 50)[:2]
    one_hot.fit(x, np.eye(3)[y], class_weight="balanced", **how)
    balanced = 50 / (3 * np.bincount(y))
    other.fit(x, np.eye(3)[y], sample_weight=balanced[y], **how)
    assert one_hot.params.tobytes() == other.params.tobytes()


def test_class_weights_of_a_single_output():
    x, y = RNG.standard_normal((20, 3)), RNG.integers(0, 2, 20)
    nets = [bpfast.Network([3, 1], cost="cross_entropy", seed=0) for _ in range(3)]
    given = [y, y.tolist(), y[:, None].astype(float)]
    for net, labels in zip(nets, given, strict=True):
        net.fit(x, labels, epochs=2, class_weight={1: 5.0}, seed=0)
    assert len({net.params.tobytes() for net in nets}) == 1


def test_a_schedule_gives_the_rate_of_each_step():
    net, twin, x, y = case([6, 5, 3], 50)
    schedule = bpfast.schedules.Cosine(0.5, steps=14)
    history = net.fit(x, y, epochs=2, batch_size=8, optimizer=bpfast.SGD(schedule), seed=5)
    rule = Rule("SGD", 0.0)
    step = rule.step

    def scheduled(p, g):
        rule.rate = schedule(rule.t)
        return step(p, g)

    rule.step = scheduled
    train(twin, x, y, rule, epochs=2, batch_size=8, seed=5)
    assert close(net.params, twin.params, "float64")
    assert history.learning_rate.tolist() == [schedule(6), schedule(13)]


def test_a_second_fit_continues():
    """With the same optimizer: its state and its steps."""
    net, twin, x, y = case([6, 5, 3], 50)
    optimizer = bpfast.Adam(0.01)
    for _ in range(2):
        net.fit(x, y, epochs=2, shuffle=False, optimizer=optimizer)
    assert optimizer.steps == 8
    twin.fit(x, y, epochs=4, shuffle=False, optimizer=bpfast.Adam(0.01))
    assert net.params.tobytes() == twin.params.tobytes()
    assert len(net.history) == 2  # each call has a history of its own


def test_partial_fit_is_a_step():
    net, twin, x, y = case([6, 5, 3], 50)
    weights = RNG.random(50)
    how = {"l1": 0.01, "l2": 0.05, "clip_norm": 0.3, "max_norm": 0.8}
    rule = Rule("Adam", 0.01)
    for k in range(4):
        optimizer = None if k else bpfast.Adam(0.01)
        rows = slice(10 * k, 10 * k + 10)
        s = weights[rows]
        cost = net.partial_fit(x[rows], y[rows], sample_weight=s, optimizer=optimizer, **how)
        costs = train(
            twin, x[rows], y[rows], rule, epochs=1, batch_size=10, shuffle=False, seed=0,
            weights=s, mean_weight=1, **how,
        )  # fmt: skip
        assert cost == pytest.approx(costs[0], rel=1e-12)
    assert close(net.params, twin.params, "float64")
    assert net.optimizer.steps == 4
    assert net.history is None


def test_partial_fit_in_several_steps():
    net, twin, x, y = case([6, 5, 3], 50)
    cost = net.partial_fit(x, y, batch_size=8, optimizer=bpfast.Adam())
    history = twin.fit(x, y, epochs=1, batch_size=8, shuffle=False, optimizer="adam")
    assert net.params.tobytes() == twin.params.tobytes()
    assert cost == history.cost[0]
    twin.partial_fit(x, y)
    assert (twin.optimizer.steps, twin.history) == (8, history)


def test_partial_fit_continues_with_an_optimizer_of_the_same_name():
    net, _, x, y = case([3, 4, 2], 8)
    net.partial_fit(x, y, optimizer="adam")
    adam = net.optimizer
    for name in ("adam", None):
        net.partial_fit(x, y, optimizer=name)
    assert net.optimizer is adam
    assert adam.steps == 3
    net.partial_fit(x, y, optimizer="adamw")
    assert (net.optimizer.kind, net.optimizer.steps) == ("adamw", 1)
    other = bpfast.Adam(0.01)
    net.partial_fit(x, y, optimizer=other)
    assert net.optimizer is other
