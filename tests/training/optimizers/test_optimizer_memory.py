"""Optimizer steps on arrays that share memory."""

import numpy as np
import pytest

import bpfast
from tests.helpers.cases.training.optimizer_steps import KINDS, watched
from tests.helpers.messages import READ_ONLY
from tests.helpers.refuses import refuses

P, G = np.linspace(1, 2, 6), np.linspace(3, 4, 6)


MEMORY = np.linspace(1, 2, 40)


SQUARE = MEMORY[:36].reshape(6, 6)


BLOCK = np.lib.stride_tricks.as_strided


SELF = "expected an array whose elements do not share memory, got one that overlaps itself"


def apart(other, argument):
    got = "one that shares memory with it"
    return rf"{other}: expected an array that does not overlap {argument}, got {got}"


OVERLAPS = [
    ([P, P], [G, G], apart(r"params\[1\]", r"params\[0\]")),
    ([MEMORY[5:9], MEMORY[8:12]], [G[:4], G[:4]], apart(r"params\[1\]", r"params\[0\]")),
    ([MEMORY[8:12], MEMORY[5:9]], [G[:4], G[:4]], apart(r"params\[1\]", r"params\[0\]")),
    ([SQUARE[:, 2], SQUARE[3]], [G, G], apart(r"params\[1\]", r"params\[0\]")),
    ([SQUARE, MEMORY[::5]], [SQUARE + 1, MEMORY[::5] + 1], apart(r"params\[1\]", r"params\[0\]")),
    ([SQUARE[0], SQUARE[1]], [G, SQUARE[0, ::-1]], apart(r"gradient\[1\]", r"params\[0\]")),
    (P, P, apart("gradient", "params")),
    (P, P[::-1], apart("gradient", "params")),
    (SQUARE, SQUARE.T, apart("gradient", "params")),
    (MEMORY[:20], MEMORY.view("f4")[39:59], apart("gradient", "params")),
    (MEMORY.view("f4")[::2][:6], MEMORY[:6], apart("gradient", "params")),
    (BLOCK(MEMORY, (6,), (0,)), G, f"params: {SELF}"),
    (BLOCK(MEMORY, (6,), (4,)), G, f"params: {SELF}"),
    (BLOCK(MEMORY, (3, 2), (8, 8)), G.reshape(3, 2), f"params: {SELF}"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("params", "gradient", "message"), OVERLAPS)
def test_arrays_that_share_memory(kind, params, gradient, message):
    opt = kind()
    with refuses(ValueError, f"^{message}$", MEMORY, P, params, gradient, watched(opt)):
        opt.step(params, gradient)
    assert opt.steps == 0


def test_two_maps_of_one_file_share_memory_or_not(tmp_path):
    path = tmp_path / "p.npy"
    np.save(path, P)
    one = np.load(path, mmap_mode="r+")
    with refuses(ValueError, f"^{READ_ONLY.format('params')}$"):
        bpfast.SGD().step(np.load(path, mmap_mode="r"), G)
    with refuses(ValueError, apart(r"params\[1\]", r"params\[0\]")):
        bpfast.SGD().step([one, one[2:3]], [G, G[:1]])
