"""What NumPy copies for bpfast is borrowed meanwhile; and the GIL that all this relies on."""

import ctypes
import re
import threading
from pathlib import Path

import numpy as np
import pytest

import bpfast
from bpfast import _core

ROOT = Path(__file__).parents[1]
TRAIN = "{}: expected a network at rest, got one that a training is running on"


class Training:
    """A network in the middle of a step, which a cost of one's own holds up."""

    def __init__(self):
        self.x, self.y = np.ones((6, 3)), np.ones((6, 2))
        self._begun, self._over = threading.Event(), threading.Event()
        self.net = bpfast.Network([3, 2], cost=self._cost, seed=0)
        self.optimizer = bpfast.SGD(0.1, momentum=0.9)
        self._thread = threading.Thread(target=self._fit)

    def _cost(self, a, y):
        self._begun.set()
        self._over.wait()
        return np.zeros(len(a)), a - y

    def _fit(self):
        self.net.partial_fit(self.x, self.y, optimizer=self.optimizer)

    def __enter__(self):
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


@pytest.mark.parametrize("of", [lambda p: p, lambda p: p[::2], lambda p: p.reshape(2, 4).T])
def test_an_array_for_a_file_is_not_copied_while_it_is_written_to(tmp_path, of):
    path = tmp_path / "a.safetensors"
    message = re.escape(TRAIN.format("tensors['a']"))
    with Training() as training:
        array = of(training.net.params)
        with pytest.raises(ValueError, match=f"^{message}$"):
            _core.write_tensors(path, {"a": array}, {})
        assert not path.exists()
    _core.write_tensors(path, {"a": array}, {})
    assert _core.read_tensors(path)[0]["a"].tobytes() == array.tobytes()


def test_parameters_are_not_copied_while_they_are_written_to():
    with Training() as training:
        for call in (
            lambda: _core.copy_params(training.net),
            lambda: _core.assign_params(training.net, np.zeros(8)),
            training.net.weights.__reduce__,
        ):
            with pytest.raises(ValueError, match="a training is running on"):
                call()
    before = training.net.params.copy()
    assert _core.copy_params(training.net).tobytes() == before.tobytes()
    _core.assign_params(training.net, np.arange(8))
    assert training.net.params.tolist() == list(range(8))
    with pytest.raises(ValueError, match=r"^params: expected shape \(8,\), got \(7,\)$"):
        _core.assign_params(training.net, np.zeros(7))


def test_the_best_parameters_come_back_beside_a_thread_that_predicts():
    """The end of a training waits for those who read, and no prediction is of half of each."""
    sizes, n = [50, 200, 100], 400
    rng = np.random.default_rng(0)
    x, y = rng.random((n, 50)), rng.random((n, 100))
    net, over, said = bpfast.Network(sizes, seed=0), threading.Event(), set()

    def predict():
        while not over.is_set():
            try:
                said.add(net.forward(x).shape)
            except ValueError as error:
                said.add(str(error))

    thread = threading.Thread(target=predict)
    thread.start()
    try:
        for seed in range(5):
            stopping = bpfast.EarlyStopping(1)
            net.fit(x, y, epochs=3, seed=seed, batch_size=200, early_stopping=stopping)
    finally:
        over.set()
        thread.join()
    assert said <= {(n, 100), TRAIN.format("params")}


def test_the_module_needs_the_gil():
    """A build for a free-threaded interpreter says so by a slot, which an abi3 build leaves out.

    Without the slot such an interpreter turns the GIL on as well. So the wheel shows only
    that it does not say the opposite, and the source is read.
    """
    source = (ROOT / "src/python/mod.rs").read_text(encoding="utf-8")
    assert re.search(r"^#\[pyo3::pymodule\(gil_used = true\)\]$", source, re.MULTILINE)
    py_mod_gil, used = 4, 0
    assert slots().get(py_mod_gil, used) == used


def slots():
    """The slots of the module's definition, by their numbers."""
    init = ctypes.PyDLL(_core.__file__).PyInit__core
    init.restype = ctypes.c_void_p
    word = ctypes.sizeof(ctypes.c_void_p)
    # PyModuleDef: a head of object, init, index and copy; name, doc, size, methods, slots.
    head = object.__basicsize__ + 3 * word
    start = ctypes.c_void_p.from_address(init() + head + 4 * word).value
    found, at = {}, start
    while number := ctypes.c_int.from_address(at).value:
        found[number] = ctypes.c_void_p.from_address(at + word).value or 0
        at += 2 * word
    assert 2 in found  # Py_mod_exec: this is the table of slots
    return found
