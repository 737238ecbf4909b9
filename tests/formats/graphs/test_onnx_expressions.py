"""Each activation in ONNX operators beside its formula, also those that networks get later."""

import math

import numpy as np
import pytest

from bpfast.formats._onnx.activations import DOUBLE, SINGLE, expression_for, recognised
from bpfast.formats._onnx.expressions import normal
from bpfast.formats._onnx.write import _Writer

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")

Z = np.linspace(-9, 9, 73)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softplus(z):
    return np.log1p(np.exp(z))


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.expm1(z))


def hard_sigmoid(z):
    return np.clip(z + 3, 0, 6) / 6


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
FORMULAS = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu(0.2)": lambda z: np.where(z > 0, z, 0.2 * z),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": elu,
    "elu(0.5)": lambda z: elu(z, 0.5),
    "gelu": lambda z: z * (1 + np.array([*map(math.erf, z / math.sqrt(2))])) / 2,
    "gelu_tanh": lambda z: 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z * sigmoid(z),
    "softplus": softplus,
    "selu": lambda z: SELU_SCALE * elu(z, SELU_ALPHA),
    "mish": lambda z: z * np.tanh(softplus(z)),
    "hard_sigmoid": hard_sigmoid,
    "hard_swish": lambda z: z * hard_sigmoid(z),
    "sin": np.sin,
}


def parts(activation):
    name, _, rest = activation.partition("(")
    defaults = {"leaky_relu": 0.01, "elu": 1.0}
    return name, float(rest[:-1]) if rest else defaults.get(name, math.nan)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", FORMULAS)
def test_operators_and_formula(activation, dtype):
    """The tolerance is that of outputs: 1e-6 and 1e-14, relative to the largest, 9."""
    if (activation, dtype) == ("gelu", "float64"):
        pytest.skip("the reference of onnx computes Erf in float32")
    writer = _Writer(onnx, np.dtype(dtype))
    writer.activation(activation, "z", "a", "2")
    helper = onnx.helper
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    values = [helper.make_tensor_value_info(name, kind, ["n"]) for name in ("z", "a")]
    graph = helper.make_graph(writer.nodes, "g", values[:1], values[1:], writer.tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(model, full_check=True)
    got = reference.ReferenceEvaluator(model).run(None, {"z": Z.astype(dtype)})[0]
    assert got.dtype == dtype
    tolerance = 9 * {"float32": 1e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(got, FORMULAS[activation](Z), rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", FORMULAS)
def test_what_is_written_is_recognised(activation, dtype):
    name, parameter = parts(activation)
    found = recognised(expression_for(name, parameter, np.dtype(dtype)))
    assert found[0] == name
    assert found[1] == parameter or (math.isnan(found[1]) and math.isnan(parameter))


def test_every_name_has_a_formula_here():
    assert SINGLE.keys() == DOUBLE.keys() == {parts(name)[0] for name in FORMULAS}


def test_forms_differ():
    """No two activations have one normal form, so that a graph has one meaning."""
    for table in (SINGLE, DOUBLE):
        forms = [repr(normal(form)) for form in table.values()]
        assert len({*forms}) == len(forms)


@pytest.mark.parametrize(
    "expression",
    [
        ("Mul", 0.5, ("Mul", "z", ("Add", 1.0, ("Erf", "z")))),
        ("Mul", "z", ("Sigmoid", ("Mul", 1.702, "z"))),
        ("Add", ("Relu", "z"), ("Mul", 0.5, ("Min", "z", 1.0))),
        ("Where", ("Greater", "z", 5.0), "z", ("Softplus", "z")),
        ("Max", "z", ("Mul", 2.0, "z")),
        ("HardSigmoid", "z", 0.2, 0.5),
        ("Selu", "z", 1.6, 1.05),
        ("Mul", 2.0, "z"),
        ("Add", 1.0, "z"),
        1.0,
    ],
)
def test_near_misses_are_not_recognised(expression):
    assert recognised(expression) is None
