"""The same bits at any number of threads, on any run, for any layout, alone and in any batch."""

import itertools
import json
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bpfast
from tests.helpers.cases.any_speed import ANY_SPEED
from tests.helpers.cases.layouts import LAYOUTS
from tests.helpers.child import EVERY, NETWORKS, case, digest, outcome, run
from tests.helpers.tolerance import close

BATCHES = [1, 2, 15, 16, 17, 127, 128, 129, 1000, 5000, 20011]
DTYPES = ["float32", "float64"]
THREADS = [1, 2, 3, 8]
# A batch that is cut into several chunks and lanes, for each network.
CUT = {"tiny": 20011, "mnist": 1000, "wide": 300, "deep": 5000}
# To save time: larger batches that are divided in the same way are not computed.
MAX_EXAMPLES = {("wide", "float32"): 1000, ("wide", "float64"): 1000, ("mnist", "float64"): 5000}
CASES = [
    (name, n, dtype)
    for name, n, dtype in itertools.product(NETWORKS, BATCHES, DTYPES)
    if n <= MAX_EXAMPLES.get((name, dtype), BATCHES[-1])
]

ALL_CASES = """
import json, sys
import bpfast
from tests.helpers.child import case, outcome
found = [outcome(*case(*arguments)) for arguments in json.load(sys.stdin)]
json.dump([bpfast.get_num_threads(), found], sys.stdout)
"""


@pytest.fixture(scope="module")
def processes():
    """What a process finds in each case, for each number of threads."""
    found = {}
    for threads in THREADS:
        in_force, outcomes = run(
            ALL_CASES, stdin=json.dumps(CASES), BPFAST_NUM_THREADS=str(threads)
        )
        assert in_force == threads
        found[threads] = dict(zip(CASES, outcomes, strict=True))
    return found


@pytest.mark.parametrize(("name", "n", "dtype"), CASES)
def test_any_number_of_threads_in_processes_of_their_own(processes, name, n, dtype):
    alone = processes[1][name, n, dtype]
    for threads in THREADS[1:]:
        assert processes[threads][name, n, dtype] == alone, f"{threads} threads"


@pytest.mark.parametrize(("name", "n", "dtype"), CASES)
def test_the_cost_is_one_number(processes, name, n, dtype):
    alone = processes[1][name, n, dtype]
    assert alone["cost"] == alone["cost of backprop"]


@pytest.fixture
def reset():
    yield
    bpfast.set_num_threads(None)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NETWORKS)
def test_any_number_of_threads_in_one_process(reset, name, dtype):
    given_case = case(name, CUT[name], dtype)
    bpfast.set_num_threads(1)
    alone = outcome(*given_case)
    for threads in THREADS:
        bpfast.set_num_threads(threads)
        assert outcome(*given_case) == alone
        bpfast.set_num_threads(1)
        with bpfast.num_threads(threads):
            assert outcome(*given_case) == alone


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 17, 33, 48, 64, 65])
def test_threads_divide_neurons_or_examples(reset, n, dtype):
    net = bpfast.Network([300, 513, 400, 10], hidden="relu", output="softmax", dtype=dtype, seed=3)
    x = np.random.default_rng(n).standard_normal((n, 300)).astype(dtype)
    bpfast.set_num_threads(1)
    alone = digest(net.forward(x))
    for threads in (2, 3, 4):
        bpfast.set_num_threads(threads)
        assert digest(net.forward(x)) == alone


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", [[3, 50, 50, 2], [2, 20, 33, 1], [40, 9, 17, 100]])
def test_trace_and_errors_have_the_bits_of_the_calls(sizes, dtype):
    """Trace and errors are row-major; other calls may use column-major layers."""
    rng = np.random.default_rng(8)
    net = bpfast.Network(sizes, hidden=["gelu", "tanh"], output="sigmoid", dtype=dtype, seed=rng)
    x = rng.standard_normal((333, sizes[0])).astype(dtype)
    y = rng.random((333, sizes[-1])).astype(dtype)
    same = np.testing.assert_array_equal
    same(net.trace(x).a[-1], net.forward(x))
    a, delta, g = net.trace(x).a, net.errors(x, y), net.backprop(x, y)
    for k in range(3):
        # In so small a batch example follows example: first with first, one addition each.
        same(g.biases[k], np.cumsum(delta[k], axis=0)[-1])
        weights = np.float64(delta[k].T) @ np.float64(a[k])
        assert close(g.weights[k], weights, dtype)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_run(name):
    net, x, y = case(name, CUT[name], "float32")
    g = net.backprop(x, y)
    first = digest(g.flat)
    for _ in range(20):
        g.flat[:] = np.nan
        net.backprop(x, y, out=g)
        assert digest(g.flat) == first


@pytest.mark.parametrize("name", NETWORKS)
def test_other_threads_occupy_the_workers(reset, name):
    bpfast.set_num_threads(3)
    net, x, y = case(name, CUT[name], "float32")
    alone = outcome(net, x, y)
    stop, turns = threading.Event(), []

    def others():
        mine = case("mnist", 500, "float64")
        expected = digest(mine[0].backprop(*mine[1:]).flat)
        while not stop.is_set():
            turns.append(digest(mine[0].backprop(*mine[1:]).flat) == expected)

    threads = [threading.Thread(target=others) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        found = [outcome(net, x, y) for _ in range(5)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert found == [alone] * 5
    assert turns
    assert all(turns)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NETWORKS)
def test_any_layout(name, dtype):
    net, x, y = case(name, 129, dtype)
    alone = outcome(net, x, y)
    weight = np.linspace(1, 2, 129, dtype=dtype)
    weighted = digest(net.backprop(x, y, sample_weight=weight).flat)
    for layout, lay in LAYOUTS.items():
        assert outcome(net, lay(x), lay(y)) == alone, layout
        g = net.backprop(lay(x), lay(y), sample_weight=lay(weight))
        assert digest(g.flat) == weighted, layout


def test_a_memory_map(tmp_path):
    net, x, y = case("mnist", 300, "float32")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    mapped = [np.load(tmp_path / name, mmap_mode="r") for name in ("x.npy", "y.npy")]
    assert outcome(net, *mapped) == outcome(net, x, y)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])
def test_any_dtype_of_labels(kind):
    net, x, y = case("mnist", 300, "float32")
    assert outcome(net, x, y.astype(kind)) == outcome(net, x, y)


@settings(ANY_SPEED, max_examples=150)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    n=st.integers(1, 300),
    dtype=st.sampled_from(DTYPES),
    data=st.data(),
)
def test_an_example_alone_and_in_any_batch(sizes, n, dtype, data):
    hidden = [data.draw(st.sampled_from(EVERY)) for _ in sizes[1:-1]]
    output = data.draw(st.sampled_from(bpfast.ACTIVATIONS))
    if output == "softmax":
        sizes[-1] += 1  # one alone is refused
    net = bpfast.Network(sizes, hidden=hidden, output=output, dtype=dtype, seed=n)
    x = np.random.default_rng(n).standard_normal((n, sizes[0]), dtype)
    whole = net.forward(x)
    assert digest(net.trace(x).a[-1]) == digest(whole)
    row = data.draw(st.integers(0, n - 1))
    assert digest(net.forward(x[row : row + 1])) == digest(whole[row : row + 1])
    stop = data.draw(st.integers(row + 1, n))
    assert digest(net.forward(x[row:stop])) == digest(whole[row:stop])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_row_of_a_cut_batch_alone(name, dtype):
    net, x, _ = case(name, CUT[name], dtype)
    whole = net.forward(x)
    for row in range(0, len(x), len(x) // 97):
        assert digest(net.forward(x[row : row + 1])) == digest(whole[row : row + 1])


def test_the_functions_have_the_bits_of_the_methods():
    net, x, y = case("mnist", 300, "float32")
    options = {"hidden": "sigmoid", "output": "softmax"}
    parameters = (list(net.weights), list(net.biases))
    assert digest(bpfast.forward(*parameters, x, **options)) == digest(net.forward(x))
    options["cost"] = "log_likelihood"
    cost, nabla_w, nabla_b = bpfast.backprop(*parameters, x, y, **options)
    g = net.backprop(x, y)
    assert cost == g.cost
    assert digest(*nabla_w, *nabla_b) == digest(*g.weights, *g.biases)


def test_the_error_of_a_long_sum_grows_slowly():
    """200,000 equal terms, all rounded the same way: a serial float32 sum loses three digits."""
    n = 200_000
    net = bpfast.Network([3, 4, 1], hidden="sigmoid", dtype=np.float32, seed=0)
    x = np.tile(np.float32([0.1, 0.2, 0.3]), (n, 1))
    y = np.zeros((n, 1), np.float32)
    g, delta, a = net.backprop(x, y), net.errors(x, y)[-1], net.trace(x).a[-2]
    terms = delta * a  # BP4 of the last layer, one row an example
    exact = terms.sum(axis=0, dtype=np.float64)
    serial = np.cumsum(terms, axis=0, dtype=np.float32)[-1]
    assert np.linalg.norm(serial - exact) > 1e-4 * np.linalg.norm(exact)
    # At worst half an ulp, 6e-8, for each of 128 serial terms of a chunk and 11 levels of pairs.
    assert np.linalg.norm(g.weights[-1][0] - exact) < 8e-6 * np.linalg.norm(exact)


def test_bp3_and_bp4_add_accurately():
    n = 200_000
    delta = np.full((n, 3), 1 / 30, np.float32)
    a = np.full((n, 2), 0.7, np.float32)
    exact = n * delta[0].astype(np.float64)
    assert np.abs(bpfast.bp3(delta) / exact - 1).max() < 8e-6
    products = n * np.outer(delta[0], a[0]).astype(np.float64)
    assert np.abs(bpfast.bp4(delta, a) / products - 1).max() < 8e-6


def test_the_gradient_of_a_long_batch_is_as_good_as_float32_can_be():
    n = 200_000
    net = bpfast.Network([3, 4, 1], hidden="sigmoid", dtype=np.float32, seed=0)
    x = np.random.default_rng(0).random((n, 3), np.float32)
    y = np.zeros((n, 1), np.float32)
    true = net.astype(np.float64).backprop(x, y)
    g = net.backprop(x, y)
    # The rounding of each δ, and a logarithm's worth of the sum's: a few ulp of 1.2e-7.
    assert np.linalg.norm(g.flat - true.flat) < 1e-6 * np.linalg.norm(true.flat)
    assert g.cost == pytest.approx(true.cost, rel=1e-6)
