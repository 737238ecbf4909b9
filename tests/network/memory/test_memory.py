"""Memory: steady state takes no more, and a large batch takes little beyond its inputs."""

import pytest

from tests.helpers.child import run
from tests.helpers.processes.peak_memory import MB, needs_proc

pytestmark = needs_proc


def test_a_long_loop_does_not_grow():
    """A leak of one gradient (300 kB) in every tenth call would be 3 MB in each 100 turns."""
    first, *_, last = run("memory_of_a_long_loop")
    # The allocator keeps some pages; a leak in each turn adds up over 300 turns.
    assert last - first < 4 * MB


@pytest.mark.parametrize("call", ["backprop", "forward", "cost"])
@pytest.mark.parametrize(("sizes", "n"), [([64, 256, 256, 1], 200_000), ([2, 3, 1], 3_000_000)])
def test_a_large_batch_needs_little_memory(call, sizes, n):
    """One layer's activations of 200,000 rows would be 200 MB; a chunk's are 128 kB a thread.

    backprop keeps a gradient for each of 64 lanes, of 0.34 MB here.
    """
    extra, _ = run("memory_of_a_call", f'[{sizes}, {n}, "float32", "{call}"]')
    limit = {"backprop": 40 * MB, "forward": 10 * MB, "cost": 10 * MB}[call]
    assert extra < limit


@pytest.mark.parametrize(("call", "arrays"), [("errors", 1), ("trace", 2)])
def test_errors_and_trace_take_what_they_return(call, arrays):
    sizes, n = [64, 100, 100, 1], 200_000
    extra, _ = run("memory_of_a_call", f'[{sizes}, {n}, "float32", "{call}"]')
    returned = arrays * sum(sizes[1:]) * n * 4 + (call == "trace") * sizes[0] * n * 4
    assert extra < returned + 10 * MB


@pytest.mark.parametrize("n", [100, 1000, 5000, 9000])
@pytest.mark.parametrize("sizes", [[1024, 1024, 1024, 1024], [300, 300, 300, 300]])
def test_a_large_network_needs_a_block_and_a_gradient(sizes, n):
    """Whatever the batch: a^l and δ^l of a block, and what the sum over the blocks has lost."""
    extra, gradient = run("memory_of_a_call", f'[{sizes}, {n}, "float32", "backprop"]')
    # A block has 2^22 activations, in 1024 rows or more, at most 4096.
    block = 1024 if sizes[0] == 1024 else 4096
    neurons = sum(sizes[1:])
    limit = 2 * min(n, block) * neurons * 4
    if n > block:  # the four threads' parts, a third of the gradient together, on top
        limit += gradient + gradient / 3
    # What each of four threads' products need; what else the allocator and the threads take, and
    # pages of the library's code.
    products = 4 * (2.36 * MB if sizes[0] == 1024 else 0.13 * MB)
    assert extra < 1.05 * limit + products + 3.5 * MB
