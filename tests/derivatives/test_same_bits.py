"""The same bits from a Trace, for any layout, number of threads and SIMD level."""

import json

import numpy as np
import pytest

import bpfast
from tests.helpers.cases.every_derivative import WITH_TRACE, calls, digests
from tests.helpers.cases.layouts import LAYOUTS
from tests.helpers.child import NETWORKS, case, run
from tests.helpers.processes.simd_levels import turns

# Batches on both sides of a block, of a chunk and of a group of chunks.
CASES = [
    *(("tiny", n, dtype) for n in (1, 15, 17, 129, 513, 5000, 20011) for dtype in ("f4", "f8")),
    *(("deep", n, dtype) for n in (1, 15, 17, 129, 513, 5000) for dtype in ("f4", "f8")),
    *(("mnist", n, "f4") for n in (1, 17, 129, 513)),
    ("mnist", 129, "f8"),
    ("wide", 1, "f4"), ("wide", 17, "f8"), ("wide", 129, "f4"),
]  # fmt: skip
ALL_CASES = """
import json, sys
import bpfast
from tests.helpers.cases.every_derivative import digests
from tests.helpers.child import case
found = [digests(*case(*arguments)) for arguments in json.load(sys.stdin)]
json.dump([bpfast.get_num_threads(), found], sys.stdout)
"""


def test_threads_and_levels():
    """What processes find, each with its own number of threads and SIMD level."""
    first = None
    for level, threads in turns(1, 2, 8):
        count, found = run(
            ALL_CASES, stdin=json.dumps(CASES), BPFAST_SIMD=level, BPFAST_NUM_THREADS=str(threads)
        )
        assert count == threads
        first = first or found
        for which, got, expected in zip(CASES, found, first, strict=True):
            assert got == expected, (level, threads, which)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("n", [1, 17, 140])
def test_a_trace_has_the_bits_of_x(name, n, dtype):
    net, x, y = case(name, n, dtype)
    found, trace = calls(net, x, y), net.trace(x)
    for call in WITH_TRACE:
        if call in found:
            for got, expected in zip(found[call](trace), found[call](x), strict=True):
                np.testing.assert_array_equal(got, expected, err_msg=call)
    v, errors = np.ones(net.params.size, net.dtype), net.errors(x, y)
    expected = net.hvp(x, y, v).flat
    for given in (x, trace):
        np.testing.assert_array_equal(net.hvp(given, y, v, errors=errors).flat, expected)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "list"])
def test_layouts_of_x(layout):
    net, x, y = case("deep", 129, "float64")
    assert digests(net, LAYOUTS[layout](x), y) == digests(net, x, y)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layouts_of_vectors_targets_and_outputs(layout, dtype):
    net, x, y = case("deep", 17, dtype)
    change, rng = LAYOUTS[layout], np.random.default_rng(1)
    u = rng.standard_normal((17, net.sizes[-1])).astype(dtype)
    dx = rng.standard_normal(x.shape).astype(dtype)
    v = rng.standard_normal(net.params.size).astype(dtype)
    same = np.testing.assert_array_equal
    for got, expected in [
        (net.vjp(x, change(u), wrt="params").flat, net.vjp(x, u, wrt="params").flat),
        (net.vjp(x, change(u), wrt="x"), net.vjp(x, u, wrt="x")),
        (net.jvp(x, dx=change(dx), dparams=change(v))[1], net.jvp(x, dx=dx, dparams=v)[1]),
        (net.hvp(x, change(y), change(v)).flat, net.hvp(x, y, v).flat),
        (net.ggn_vp(change(x), y, change(v)).flat, net.ggn_vp(x, y, v).flat),
        (
            net.empirical_fisher_vp(x, change(y), change(v)).flat,
            net.empirical_fisher_vp(x, y, v).flat,
        ),
        (net.per_example_norms(x, change(y)), net.per_example_norms(x, y)),
        (net.input_gradient(change(x), change(y)), net.input_gradient(x, y)),
        (net.forward_from(3, change(u[:, :1])), net.forward_from(3, u[:, :1])),
    ]:
        same(got, expected)


def test_wrt_chooses_without_other_bits():
    net, x, _ = case("deep", 40, "float64")
    v = np.random.default_rng(2).standard_normal((40, net.sizes[-1]))
    gradient, dx = net.vjp(x, v)
    assert net.vjp(x, v, wrt="params").flat.tobytes() == gradient.flat.tobytes()
    assert net.vjp(x, v, wrt="x").tobytes() == dx.tobytes()
    assert np.isnan(gradient.cost)


def test_an_example_has_the_same_derivatives_in_any_batch():
    net, x, y = case("deep", 600, "float32")
    rng = np.random.default_rng(3)
    v = rng.standard_normal((600, net.sizes[-1])).astype("f4")
    dx, norms = net.vjp(x, v, wrt="x"), net.per_example_norms(x, y)
    each = net.per_example_gradients(x, y).flat
    for k in (0, 15, 16, 511, 599):
        row = slice(k, k + 1)
        np.testing.assert_allclose(net.vjp(x[row], v[row], wrt="x"), dx[row], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(net.per_example_norms(x[row], y[row]), norms[row], rtol=1e-5)
        alone = net.per_example_gradients(x[row], y[row]).flat
        np.testing.assert_allclose(alone, each[row], rtol=1e-5, atol=1e-6)


def test_out_is_written_to_and_returned():
    net, x, y = case("deep", 129, "float64")
    v, u = np.ones(net.params.size), np.ones((129, net.sizes[-1]))
    out = bpfast.Gradient(net)
    for call in [
        lambda **out: net.vjp(x, u, wrt="params", **out),
        lambda **out: net.vjp(x, u, **out)[0],
        lambda **out: net.hvp(x, y, v, **out),
        lambda **out: net.ggn_vp(x, y, v, **out),
        lambda **out: net.empirical_fisher_vp(x, y, v, **out),
        lambda **out: net.clipped_backprop(x, y, 0.1, **out),
        lambda **out: net.clipped_backprop(x, y, 0.1, noise_multiplier=1, seed=1, **out),
    ]:
        out.flat[:] = np.nan
        expected = call()
        assert call(out=out) is out
        assert out.flat.tobytes() == expected.flat.tobytes()
        assert np.isnan(out.cost)
    flat = np.full((129, net.params.size), np.nan)
    assert net.per_example_gradients(x, y, out=flat).flat is flat
    assert flat.tobytes() == net.per_example_gradients(x, y).flat.tobytes()
