"""The processes of the benchmarks: one protocol, and no variable that chooses a kernel."""

import pytest

from benches import inside_taylor, many, sklearn_estimators
from benches.machine import levels
from benches.processes import workers

START = {
    "inside_taylor": lambda: inside_taylor.subject("jet", 1),
    "many": lambda: many.process("jax"),
    "sklearn_estimators": lambda: sklearn_estimators.process("scikit-learn"),
    "worker": lambda: workers.Worker("numpy", "benches.peers.numpy_peer:Peer", 1, levels.widest()),
}


@pytest.mark.parametrize("name", START)
def test_no_variable_chooses_the_kernels_of_a_library(name, monkeypatch):
    levels.widest()  # which starts a process too
    for variable in workers.KERNELS:
        monkeypatch.setenv(variable, "old")
    started = []
    monkeypatch.setattr(
        workers.subprocess, "Popen", lambda _, **options: started.append(options["env"])
    )
    START[name]()
    (environment,) = started
    assert {variable: environment.get(variable) for variable in workers.KERNELS} == {
        variable: levels.widest() if variable == levels.VARIABLE else None
        for variable in workers.KERNELS
    }


def test_a_request_that_fails_has_its_reason():
    with many.process("bpfast") as process:
        assert process.ask("about")["threads"] > 0
        with pytest.raises(workers.PeerFailedError, match=r"^bpfast: KeyError: 'no such way'$"):
            process.sample("time", way="no such way", count=1, equal=True, epochs=1)
        assert process.ask("about")["threads"] > 0


def test_a_process_that_has_ended_is_an_error_that_names_it():
    with workers.Served("gone", ["benches.many", "--no-such-option"]) as process:
        for _ in range(2):
            with pytest.raises(workers.PeerFailedError, match=r"^gone: its process ended \(2\)$"):
                process.ask("about")
