"""What NumPy copies for bpfast is borrowed meanwhile; and the GIL that all this relies on."""

import ctypes
import re
import threading

import numpy as np
import pytest

import bpfast
from bpfast import _core
from tests.helpers.messages import TRAINING
from tests.helpers.paths import ROOT
from tests.helpers.processes.in_a_step import in_a_step, long_step, needs_timer, said


@needs_timer
@pytest.mark.parametrize("of", [lambda p: p, lambda p: p[::2], lambda p: p.reshape(2, -1).T])
def test_an_array_for_a_file_is_not_copied_while_it_is_written_to(tmp_path, of):
    path = tmp_path / "a.safetensors"
    net, x, y = long_step()
    array = of(net.params)
    text = in_a_step(lambda: said(lambda: _core.write_tensors(path, {"a": array}, {})), net, x, y)
    assert text == TRAINING.format("tensors['a']")
    assert not path.exists()
    _core.write_tensors(path, {"a": array}, {})
    assert _core.read_tensors(path)[0]["a"].tobytes() == array.tobytes()


@needs_timer
def test_parameters_are_not_copied_while_they_are_written_to():
    net, x, y = long_step()
    size = net.params.size
    calls = (
        lambda: _core.copy_params(net),
        lambda: _core.assign_params(net, np.zeros(size)),
        net.weights.__reduce__,
    )
    for text in in_a_step(lambda: [said(call) for call in calls], net, x, y):
        assert text.endswith(TRAINING.format("")[2:])
    before = net.params.copy()
    assert _core.copy_params(net).tobytes() == before.tobytes()
    _core.assign_params(net, np.arange(size))
    assert net.params.tolist() == np.arange(size, dtype=net.dtype).tolist()
    message = rf"^params: expected shape \({size},\), got \(7,\)$"
    with pytest.raises(ValueError, match=message):
        _core.assign_params(net, np.zeros(7))


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
    assert said <= {(n, 100), TRAINING.format("params")}


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
