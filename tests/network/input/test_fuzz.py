"""Random calls and damaged files in child processes: no crash, hang or internal error.

A failure prints its seed: ``python -m tests.fuzz --what calls --seed SEED --show`` does it again.
`make fuzz` goes on for as long as it is told, from other seeds.
"""

import pytest

from tests.fuzz.run import PROGRAMS, batch

COUNTS = {"calls": 1500, "files": 800}  # some 3 s each


@pytest.mark.parametrize("what", PROGRAMS)
def test_random_programs(what):
    wrong = batch(what, 0, COUNTS[what])
    assert not wrong, "\n".join(wrong)
