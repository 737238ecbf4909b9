"""Each activation in ONNX operators, as it is written, and as it may be read."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from bpfast.formats._activations import DEFAULTS
from bpfast.formats._onnx.expressions import PARAMETER, Expression, normal, parameter_of

Z = "z"
NEGATIVE: Expression = ("Min", Z, 0.0)
EXPM1: Expression = ("Add", ("Exp", NEGATIVE), -1.0)
# ln(1 + e^z) without overflow.
SOFTPLUS: Expression = (
    *("Add", ("Relu", Z)),
    ("Log", ("Add", 1.0, ("Exp", ("Neg", ("Abs", Z))))),
)
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
SIXTH = 1 / 6
CUBE: Expression = ("Mul", Z, ("Mul", Z, Z))
TANH_INNER: Expression = (
    *("Mul", math.sqrt(2 / math.pi)),
    ("Add", Z, ("Mul", 0.044715, CUBE)),
)


def _erf(inner: Expression) -> Expression:
    return ("Mul", 0.5, ("Mul", Z, ("Add", 1.0, inner)))


GELU = _erf(("Erf", ("Mul", Z, math.sqrt(0.5))))
# Operators of opset 13 that ONNX Runtime has for float32.
SINGLE: dict[str, Expression] = {
    "sigmoid": ("Sigmoid", Z),
    "tanh": ("Tanh", Z),
    "relu": ("Relu", Z),
    "leaky_relu": ("LeakyRelu", Z, PARAMETER),
    "elu": ("Elu", Z, PARAMETER),
    "gelu": GELU,
    "gelu_tanh": _erf(("Tanh", TANH_INNER)),
    "silu": ("Mul", Z, ("Sigmoid", Z)),
    "softplus": ("Softplus", Z),
    "selu": ("Selu", Z, SELU_ALPHA, SELU_SCALE),
    "mish": ("Mul", Z, ("Tanh", ("Softplus", Z))),
    "hard_sigmoid": ("HardSigmoid", Z, SIXTH, 0.5),
    "hard_swish": ("Mul", Z, ("HardSigmoid", Z, SIXTH, 0.5)),
    "sin": ("Sin", Z),
}
# It has fewer for float64, and attributes are float32: 0.2 as a slope would not be 0.2.
CLIPPED: Expression = ("Mul", SIXTH, ("Clip", ("Add", Z, 3.0), 0.0, 6.0))
DOUBLE = SINGLE | {
    "leaky_relu": ("Add", ("Relu", Z), ("Mul", PARAMETER, NEGATIVE)),
    "elu": ("Add", ("Relu", Z), ("Mul", PARAMETER, EXPM1)),
    "softplus": SOFTPLUS,
    "selu": ("Mul", SELU_SCALE, ("Add", ("Relu", Z), ("Mul", SELU_ALPHA, EXPM1))),
    "mish": ("Mul", Z, ("Tanh", SOFTPLUS)),
    "hard_sigmoid": CLIPPED,
    "hard_swish": ("Mul", Z, CLIPPED),
}
# What other writers use, and which parameters are right there.
CDF: Expression = ("Add", 0.5, ("Mul", 0.5, ("Erf", ("Mul", Z, math.sqrt(0.5)))))
FACTORED: Expression = ("Mul", Z, ("Add", 1.0, ("Mul", 0.044715, ("Mul", Z, Z))))
OTHERS: list[tuple[str, Expression, float, float]] = [
    ("identity", Z, 0, 0),
    ("softmax", ("Softmax", Z), 0, 0),
    ("gelu", ("Gelu", Z, 0.0), 0, 0),
    ("gelu_tanh", ("Gelu", Z, 1.0), 0, 0),
    ("gelu", ("Mul", Z, CDF), 0, 0),
    ("gelu_tanh", _erf(("Tanh", ("Mul", math.sqrt(2 / math.pi), FACTORED))), 0, 0),
    ("silu", ("Swish", Z, 1.0), 0, 0),
    ("mish", ("Mish", Z), 0, 0),
    ("hard_swish", ("HardSwish", Z), 0, 0),
    ("hard_sigmoid", ("Mul", SIXTH, ("Min", ("Relu", ("Add", Z, 3.0)), 6.0)), 0, 0),
    ("softplus", ("Log", ("Add", 1.0, ("Exp", Z))), 0, 0),
    ("softplus", ("Where", ("Greater", Z, PARAMETER), Z, ("Softplus", Z)), 20, math.inf),
    ("leaky_relu", ("PRelu", Z, PARAMETER), -math.inf, math.inf),
    ("leaky_relu", ("Max", Z, ("Mul", PARAMETER, Z)), 0, 1),
    ("leaky_relu", ("Where", ("Less", Z, 0.0), ("Mul", PARAMETER, Z), Z), -math.inf, math.inf),
    ("leaky_relu", ("Where", ("Greater", Z, 0.0), Z, ("Mul", PARAMETER, Z)), -math.inf, math.inf),
]
# Constants of float32 graphs, and all attributes, are rounded to 6e-8.
CONSTANT_TOLERANCE = 1e-6


def expression_for(name: str, parameter: float, dtype: np.dtype[np.floating]) -> Expression | None:
    """The expression to write for an activation, or None.

    Examples
    --------
    >>> expression_for("elu", 0.5, np.dtype("float32"))
    ('Elu', 'z', 0.5)
    """
    form = (SINGLE if dtype == np.float32 else DOUBLE).get(name)
    return None if form is None else _filled(form, parameter)


def _filled(form: Expression, parameter: float) -> Expression:
    """`form` with the parameter in its place."""
    if isinstance(form, tuple):
        return tuple(_filled(part, parameter) for part in form)
    return parameter if form == PARAMETER else form


@cache
def _forms() -> list[tuple[str, Expression, float, float]]:
    """Names, normal forms, and the least and the largest parameter."""
    ours = [*SINGLE.items(), *DOUBLE.items()]
    known = [(name, form, -math.inf, math.inf) for name, form in ours] + OTHERS
    forms = []
    for name, form, least, most in known:
        forms.append((name, normal(form), least, most))
        if name == "leaky_relu" or name == "elu":  # a factor 1 is not in the normal form
            forms.append((f"{name} 1", normal(_filled(form, 1.0)), least, most))
    return forms


def recognised(expression: Expression) -> tuple[str, float] | None:
    """The name and the parameter of an activation, NaN if it has none; or None.

    Examples
    --------
    >>> recognised(("Mul", "z", ("Sigmoid", "z"))), recognised(("LeakyRelu", "z", 0.2))
    (('silu', nan), ('leaky_relu', 0.2))
    >>> recognised(("Softsign", "z"))
    """
    given = normal(expression)
    for key, form, least, most in _forms():
        parameter = parameter_of(form, given, CONSTANT_TOLERANCE)
        if parameter is None or not (math.isnan(parameter) or least <= parameter <= most):
            continue
        name, _, factor = key.partition(" ")
        return name, float(factor or parameter) if name in DEFAULTS else math.nan
    return None
