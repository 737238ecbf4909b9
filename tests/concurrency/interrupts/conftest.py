"""What all tests of interrupts need."""

import signal

import pytest


@pytest.fixture(autouse=True)
def interrupts():
    """Let children start with SIGINT as a terminal has it; a run in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
