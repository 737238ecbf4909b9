"""bpfast.optimizers: invalid arguments are refused, and nothing is changed."""

import math
import signal
import threading
from typing import Any

import numpy as np
import pytest

import bpfast
from bpfast import optimizers, schedules
from tests.helpers.cases.training.optimizer_steps import KINDS, watched
from tests.helpers.child import run
from tests.helpers.messages import A_CLASS, READ_ONLY
from tests.helpers.processes.ctrl_c import ctrl_c_raises
from tests.helpers.refuses import refuses

NAN = math.nan


ADAMS = [bpfast.Adam, bpfast.AdamW]


FRACTION = [
    *((value, ValueError, f"expected a number from 0 and below 1, got {value}")
      for value in (1, 2, -0.5, NAN, math.inf)),
]  # fmt: skip


POSITIVE = [
    (value, ValueError, f"expected a positive number, got {value}")
    for value in (0, -1, NAN, math.inf)
]


NOT_NEGATIVE = [
    (value, ValueError, f"expected a finite number, 0 or above, got {value}")
    for value in (-1, NAN, math.inf)
]


NO_NUMBER = [
    (value, TypeError, f"expected a number, got {type(value).__name__}")
    for value in ("0.1", None, True, 1j, [0.1])
]


NUMBERS: list[tuple[str, list[Any], list[Any]]] = [
    ("momentum", [bpfast.SGD], FRACTION + NO_NUMBER),
    ("beta1", ADAMS, FRACTION + NO_NUMBER),
    ("beta2", ADAMS, FRACTION + NO_NUMBER),
    ("alpha", [bpfast.RMSprop], FRACTION + NO_NUMBER),
    ("epsilon", [*ADAMS, bpfast.RMSprop, bpfast.Adagrad], POSITIVE + NO_NUMBER),
    ("weight_decay", KINDS, NOT_NEGATIVE + NO_NUMBER),
    ("learning_rate", KINDS, POSITIVE),
]


@pytest.mark.parametrize(
    ("kind", "name", "value", "error", "message"),
    [
        (kind, name, *bad)
        for name, kinds, values in NUMBERS
        for kind in kinds
        for bad in values
    ],
)  # fmt: skip
def test_numbers_as_arguments(kind, name, value, error, message):
    with refuses(error, f"^{name}: {message}$"):
        kind(**{name: value})


@pytest.mark.parametrize("base", [optimizers.Optimizer, *KINDS])
def test_subclasses_are_refused(base):
    """`fit` would not call what they override."""
    reason = "a rule of your own can use `net.backprop` and `net.params`"
    with refuses(TypeError, f"^Own: expected no subclass of {base.__name__}; {reason}$"):

        class Own(base):
            def step(self, params, gradients):
                return None


def test_other_arguments():
    for value in (1, None, "yes"):
        got = type(value).__name__
        with refuses(TypeError, f"^nesterov: expected True or False, got {got}$"):
            bpfast.SGD(momentum=0.9, nesterov=value)
    with refuses(ValueError, "^nesterov: expected a momentum above 0, got 0$"):
        bpfast.SGD(nesterov=True)
    for value, got in (("0.1", "str"), (None, "NoneType"), (True, "bool"), ([0.1], "list")):
        opt = bpfast.Adam(0.5)
        message = f"^learning_rate: expected a number or a callable schedule\\(step\\), got {got}$"
        with refuses(TypeError, message, opt):
            opt.learning_rate = value
    with refuses(TypeError, f"^{A_CLASS.format('learning_rate', 'Cosine')}$"):
        bpfast.Adam(schedules.Cosine)
    message = "^Adam: expected all but learning_rate by name, as in beta1=…, got 2 by position$"
    with refuses(TypeError, message):
        bpfast.Adam(0.1, 0.9)
    for kind in KINDS:
        for name in ("lr", "eta", "learning_rate_init"):
            message = f"^{kind.__name__}: unknown argument '{name}'; did you mean 'learning_rate'"
            with refuses(TypeError, message):
                kind(**{name: 0.1})
    for options, meant in (({"eps": 1e-8}, "'epsilon'"), ({"betas": (0.9, 0.99)}, "beta1 and bet")):
        with refuses(TypeError, f"^Adam: unknown argument '{next(iter(options))}'; did .* {meant}"):
            bpfast.Adam(**options)
    with refuses(TypeError, "^Adam: unknown argument 'momentum'; valid: 'learning_rate', 'beta1'"):
        bpfast.Adam(momentum=0.9)
    with refuses(TypeError, "learning_rate"):
        optimizers.Optimizer()


def read_only(array):
    array.flags.writeable = False
    return array


P, G = np.linspace(1, 2, 6), np.linspace(3, 4, 6)


FLOATS = "expected dtype float32 or float64, got"


ARRAY = "expected a NumPy array, got"


REAL = "expected real numbers, got dtype"


BOTH = [P[:3].copy(), P[3:].copy()]


BAD_STEPS = [
    (P.astype(int), G, TypeError, f"params: {FLOATS} int64"),
    (P.astype("f2"), G, TypeError, f"params: {FLOATS} float16"),
    (P.astype(">f8"), G, TypeError, f"params: {FLOATS} >f8"),
    (P.astype(complex), G, TypeError, f"params: {FLOATS} complex128"),
    (P.astype(object), G, TypeError, f"params: {FLOATS} object"),
    (P.astype("f8,f8"), G, TypeError, rf"params: {FLOATS} \[.*\]"),
    (read_only(P.copy()), G, ValueError, READ_ONLY.format("params")),
    (3.0, G, TypeError, "params: expected an array or a list of arrays, got float"),
    (None, G, TypeError, "params: expected an array or a list of arrays, got NoneType"),
    (P.tolist(), G, TypeError, rf"params\[0\]: {ARRAY} float"),
    ("ab", BOTH, TypeError, rf"params\[0\]: {ARRAY} str"),
    ([], [], ValueError, "params: expected one array or more, got none"),
    ([P[:3].copy(), 1.0], BOTH, TypeError, rf"params\[1\]: {ARRAY} float"),
    ([P[:3].copy(), P.astype(int)], BOTH, TypeError, rf"params\[1\]: {FLOATS} int64"),
    (BOTH, BOTH[:1], ValueError, "gradient: expected 2 arrays, one for each of params, got 1"),
    (BOTH, [*BOTH, G], ValueError, "gradient: expected 2 arrays, one for each of params, got 3"),
    (BOTH, 3.0, TypeError, "gradient: expected a list of arrays, got float"),
    (BOTH, np.float64(3), TypeError, "gradient: expected a list of arrays, got float64"),
    (BOTH, [G[:3], G], ValueError, r"gradient\[1\]: expected shape \(3,\), got \(6,\)"),
    (BOTH, [G[:3], None], TypeError, r"gradient\[1\]: expected real numbers, got NoneType"),
    (P.copy(), G[:5], ValueError, r"gradient: expected shape \(6,\), got \(5,\)"),
    (P.copy(), G[:, None], ValueError, r"gradient: expected shape \(6,\), got \(6, 1\)"),
    (P.copy(), 1.0, ValueError, r"gradient: expected shape \(6,\), got \(\)"),
    (P.copy(), [[1.0], [1.0, 2.0]], ValueError, "gradient: .*"),
    (P.copy(), None, TypeError, "gradient: expected real numbers, got NoneType"),
    (P.copy(), G * 1j, TypeError, f"gradient: {REAL} complex128"),
    (P.copy(), G.astype(str), TypeError, f"gradient: {REAL} <U.*"),
    (P.copy(), G.astype(object), TypeError, f"gradient: {REAL} object; gradient.astype.*"),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("params", "gradient", "error", "message"), BAD_STEPS)
def test_a_step_with_arrays_that_do_not_match(kind, params, gradient, error, message):
    opt = kind()
    with refuses(error, f"^{message}$", params, gradient, watched(opt)):
        opt.step(params, gradient)
    assert opt.steps == 0


@pytest.mark.parametrize("kind", KINDS[1:])
def test_parameters_that_differ_from_those_of_previous_steps(kind):
    opt, params = kind(), [np.ones((2, 3)), np.ones(4, np.float32)]
    opt.step(params, params_like(params))
    shapes = r"params: expected shape \(2, 3\), \(4,\) as in the steps before, got "
    dtypes = "params: expected dtype float64, float32 as in the steps before, got "
    for others, message in (
        ([np.ones((3, 2)), np.ones(4, np.float32)], rf"{shapes}\(3, 2\), \(4,\)"),
        ([np.ones((2, 3))], rf"{shapes}\(2, 3\)"),
        (np.ones((2, 3)), rf"{shapes}\(2, 3\)"),
        ([np.ones((2, 3)), np.ones(4)], f"{dtypes}float64, float64"),
    ):
        single = isinstance(others, np.ndarray)
        gradient = others.copy() if single else params_like(others)
        with refuses(ValueError, f"^{message}$", others, watched(opt)):
            opt.step(others, gradient)
    assert opt.steps == 1
    opt.reset()
    opt.step(np.ones(3), np.ones(3))


def params_like(params):
    return [np.full_like(array, 0.5) for array in params]


def test_a_stateless_optimizer_accepts_any_parameters():
    opt, p = bpfast.SGD(1.0), np.ones(3)
    opt.step(p, p.copy())
    opt.step([p[:1].astype("f4")], [[1.0]])
    assert opt.state == {"steps": 2}


@pytest.mark.parametrize(
    ("value", "error", "got"),
    [
        (NAN, ValueError, "expected a finite rate, 0 or above, at step 1, got nan"),
        (-1, ValueError, "expected a finite rate, 0 or above, at step 1, got -1"),
        (math.inf, ValueError, "expected a finite rate, 0 or above, at step 1, got inf"),
        ("x", TypeError, "expected a number at step 1, got str"),
        (None, TypeError, "expected a number at step 1, got NoneType"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_schedule_that_gives_no_rate(kind, value, error, got):
    opt, p = kind(lambda step: value if step else 0.1), P.copy()
    opt.step(p, G)
    with refuses(error, f"^learning_rate: {got}$", p, G, watched(opt)):
        opt.step(p, G)
    assert opt.steps == 1


def test_exceptions_of_a_schedule_propagate():
    def own(step):
        raise KeyError(step)

    opt, p = bpfast.Adam(own), P.copy()
    with refuses(KeyError, "0", p, watched(opt)):
        opt.step(p, G)


def test_rates_of_every_type_of_number():
    for rate in (1, np.float32(1), np.array(1.0), np.int8(1)):
        p = np.ones(1)
        bpfast.SGD(lambda step, rate=rate: rate).step(p, [0.25])
        assert p == 0.75
    p = np.ones(1)
    bpfast.SGD(lambda step: 0).step(p, [0.25])
    assert p == 1


def test_a_constant_schedule_with_a_changed_rate():
    opt, p = bpfast.SGD(schedules.Constant(0.1)), P.copy()
    opt.learning_rate.rate = NAN
    with refuses(ValueError, "^learning_rate: expected a finite rate", p):
        opt.step(p, G)


LEVEL = """
import json, numpy as np, bpfast
p, opt = np.ones(3), bpfast.Adam()
try:
    opt.step(p, p.copy())
except ValueError as error:
    print(json.dumps([str(error), p.tolist(), opt.steps]))
"""


@pytest.mark.parametrize("variable", ["BPFAST_SIMD", "BPFAST_NUM_THREADS"])
def test_an_environment_that_is_wrong(variable):
    said, p, steps = run(LEVEL, **{variable: "x"})
    assert said.startswith(f"{variable}: ")
    assert (p, steps) == ([1, 1, 1], 0)


def test_networks_and_gradients_that_do_not_fit():
    net, other = bpfast.Network([3, 2], seed=0), bpfast.Network([3, 1], seed=0)
    x, opt = np.ones((4, 3)), bpfast.SGD()
    g, of_other = net.backprop(x, np.zeros((4, 2))), other.backprop(x, np.zeros((4, 1)))
    with refuses(TypeError, r"^params: expected .*, as net.params of a Network net, got", net):
        opt.step(net, g)
    message = (
        r"^gradient: expected a list of arrays, as \[\*g.weights, \*g.biases\] of a Gradient g"
    )
    with refuses(TypeError, message, net):
        opt.step([*net.weights, *net.biases], g)
    with refuses(ValueError, r"^gradient: expected shape \(8,\), got \(4,\)$", net):
        opt.step(net.params, of_other)


def go_on(opt, p, g):
    while True:
        opt.step(p, g)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals are sent by a timer")
def test_a_step_that_is_interrupted_is_counted():
    """KeyboardInterrupt is raised after the step, which is completed."""
    p, g, opt = np.zeros(3_000_000), np.ones(3_000_000), bpfast.SGD(1.0)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for turn in range(20):
            signal.setitimer(signal.ITIMER_REAL, 0.01 + 0.0007 * turn)
            with ctrl_c_raises(), pytest.raises(KeyboardInterrupt):
                go_on(opt, p, g)
            assert (p == -opt.steps).all()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert opt.steps > 0


def test_steps_of_two_threads_on_the_same_arrays():
    """Each step is completed or refused: the parameters show how many were done."""
    n, done, said = 400_000, [], []
    p, g = np.zeros(n), np.ones(n)

    def work():
        opt = bpfast.SGD(1.0)
        for _ in range(100):
            try:
                opt.step(p, g)
            except ValueError as error:
                said.append(str(error))
        done.append(opt.steps)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 3
    assert all("that no other call uses" in text for text in said)
    assert (p == -sum(done)).all()
