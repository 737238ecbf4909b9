"""Where memory runs out, a call raises MemoryError: some calls, in coarse steps.

`make test-memory` tries every call in fine steps.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is Linux's")

# Calls, and MiB from one limit to the next.
CALLS = {
    "fit[many labels]": 2,
    "fit[callable, one batch]": 4,
    "around[save]": 2,
    "around[load]": 2,
    "compute[trace, many layers]": 0.5,
    "compute[backprop, wide]": 4,
    "sparse[csr, backprop]": 2,
    "network_of_many_layers": 12,
    "derivatives[hvp, wide]": 4,
    "derivatives[clipped_backprop, callable]": 2,
    "derivatives[per_example_gradients]": 2,
    "derivatives_of_a_trace[vjp]": 0.5,
    "around[least_squares, by a thread]": 6,
    "around[monitor]": 6,
    "around[scipy_minimize]": 6,
    "around[explain]": 9,
}


@pytest.fixture(scope="module")
def process():
    """A process without pytest, which holds memory, and without threads, which no fork may have."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("name", CALLS)
def test_a_call_fits_or_raises_memory_error(process, name):
    from tests.out_of_memory.run import failures

    count, wrong = process.submit(failures, name, 2, kinds=["limit"], step=CALLS[name]).result()
    assert count > 4, "it needs no memory"
    assert not wrong, "\n".join(wrong)
