"""Derivatives by x: the same bits at any number of threads and level with fused multiply-add."""

import pytest

from tests.helpers.child import run
from tests.helpers.processes.simd_levels import FUSED


@pytest.fixture(scope="module")
def found():
    turns = [(level, 1) for level in FUSED] or [("baseline", 1)]
    turns += [(turns[-1][0], threads) for threads in (2, 3, 5)]
    return {
        (level, threads): run(
            "bits_of_taylor", BPFAST_SIMD=level, BPFAST_NUM_THREADS=str(threads), limit=120
        )
        for level, threads in turns
    }


def test_the_same_bits_everywhere(found):
    expected = found.popitem()[1]
    assert expected
    for place, bits in found.items():
        different = [name for name, value in bits.items() if value != expected[name]]
        assert not different, (place, different)
