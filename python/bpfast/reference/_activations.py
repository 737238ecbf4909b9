"""The activations of :mod:`bpfast.reference`: σ, σ', σ'' and σ''', for one neuron.

``docs/mathematics.md`` derives them. A name may have a parameter: ``"leaky_relu(0.2)"``.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

from bpfast.reference._arithmetic import times

Function: TypeAlias = Callable[[float], float]
Three: TypeAlias = tuple[float, float, float]


def sigma(activation: str) -> Function:
    """σ of one neuron."""
    name, parameters = split(activation)
    return lambda z: SIGMA[name](z, *parameters)


def prime(activation: str) -> Function:
    """σ'."""
    name, parameters = split(activation)
    return lambda z: PRIME[name](z, *parameters)


def second(activation: str) -> Function:
    """σ''; 0 at a kink."""
    name, parameters = split(activation)
    if name in SMOOTH:
        return lambda z: SMOOTH[name](z)[1]
    return lambda z: SECOND[name](z, *parameters)


def split(activation: str) -> tuple[str, list[float]]:
    """Separate name and parameter: ``"elu(alpha=0.5)"`` is ``"elu", [0.5]``; ``"elu"``, ``[]``."""
    name, _, rest = activation.partition("(")
    number = rest.rstrip().removesuffix(")").rpartition("=")[2]
    return name.rstrip(), [float(number)] if number else []


# σ and σ'


def sigmoid(z: float) -> float:
    """1 / (1 + e^{-z}), without e^{|z|}."""
    return math.exp(z) / (1.0 + math.exp(z)) if z < 0.0 else 1.0 / (1.0 + math.exp(-z))


def sigmoid_prime(z: float) -> float:
    """σ'(z) = a (1 - a), where 1 - σ(z) = σ(-z) keeps its digits for large z."""
    return sigmoid(z) * sigmoid(-z)


def softplus(z: float) -> float:
    """ln(1 + e^z) = max(z, 0) + ln(1 + e^{-|z|})."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def _normal_cdf(z: float) -> float:
    """Φ(z) = ½ erfc(-z / √2)."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def normal_pdf(z: float) -> float:
    """φ(z) = Φ'(z) = e^{-z²/2} / √(2π)."""
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


# w of GELU by tanh, z s(w) = ½ z (1 + tanh ½w), is z (A + B z²).
_A = 2.0 * math.sqrt(2.0 / math.pi)
_B = 0.044715 * _A


def _cubic(z: float) -> float:
    return z * (_A + _B * z * z)


# λ and α of SELU (Klambauer et al. 2017).
_LAMBDA, _ALPHA = 1.0507009873554805, 1.6732632423543772


def _hard_sigmoid(z: float) -> float:
    return min(max(z + 3.0, 0.0), 6.0) / 6.0  # in this order, NaN stays


def _hard_swish_prime(z: float) -> float:
    """S + z S' for the hard sigmoid S; at ±3 its value outside."""
    return (2.0 * z + 3.0) / 6.0 if abs(z) < 3.0 else _hard_sigmoid(z)


def _sin(z: float) -> float:
    return math.nan if math.isinf(z) else math.sin(z)


def _cos(z: float) -> float:
    return math.nan if math.isinf(z) else math.cos(z)


def _elu(z: float, alpha: float = 1.0) -> float:
    return alpha * math.expm1(z) if z <= 0.0 else z


def _elu_second(z: float, alpha: float = 1.0) -> float:
    return alpha * math.exp(z) if z <= 0.0 else 0.0


SIGMA: dict[str, Callable[..., float]] = {
    "identity": lambda z: z,
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),  # in this order, NaN stays
    "leaky_relu": lambda z, slope=0.01: slope * z if z <= 0.0 else z,
    "elu": _elu,
    "selu": lambda z: _LAMBDA * _elu(z, _ALPHA),
    "gelu": lambda z: times(_normal_cdf(z), z),
    "gelu_tanh": lambda z: times(sigmoid(_cubic(z)), z),
    "silu": lambda z: times(sigmoid(z), z),
    "mish": lambda z: times(math.tanh(softplus(z)), z),
    "softplus": softplus,
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": lambda z: times(_hard_sigmoid(z), z),
    "sin": _sin,
}

PRIME: dict[str, Callable[..., float]] = {
    "identity": lambda _: 1.0,
    "sigmoid": sigmoid_prime,
    "tanh": lambda z: 4.0 * sigmoid_prime(2.0 * z),  # = 1 - tanh² z
    "relu": lambda z: 1.0 if z > 0.0 else 0.0,
    "leaky_relu": lambda z, slope=0.01: 1.0 if z > 0.0 else slope,
    "elu": lambda z, alpha=1.0: alpha * math.exp(z) if z <= 0.0 else 1.0,
    "selu": lambda z: _LAMBDA * PRIME["elu"](z, _ALPHA),
    "gelu": lambda z: _normal_cdf(z) + times(normal_pdf(z), z),
    "gelu_tanh": lambda z: _gelu_tanh_three(z)[0],
    "silu": lambda z: sigmoid(z) + times(sigmoid_prime(z), z),
    "mish": lambda z: _mish_three(z)[0],
    "softplus": sigmoid,
    "hard_sigmoid": lambda z: 1.0 / 6.0 if -3.0 < z < 3.0 else 0.0,
    "hard_swish": _hard_swish_prime,
    "sin": _cos,
}

# σ'' of the activations that are not smooth.
SECOND: dict[str, Callable[..., float]] = {
    "relu": lambda _: 0.0,
    "leaky_relu": lambda *_: 0.0,
    "elu": _elu_second,
    "selu": lambda z: _LAMBDA * _elu_second(z, _ALPHA),
    "hard_sigmoid": lambda _: 0.0,
    "hard_swish": lambda z: 1.0 / 3.0 if -3.0 < z < 3.0 else 0.0,
}


# σ', σ'' and σ''' of the smooth activations


def _sigmoid_three(z: float) -> Three:
    """σ' = s (1 - s), σ'' = σ' (1 - 2s), σ''' = σ' (1 - 6σ'); 1 - 2s = -tanh(z/2)."""
    first = sigmoid_prime(z)
    return first, -first * math.tanh(0.5 * z), first * (1.0 - 6.0 * first)


def _tanh_three(z: float) -> Three:
    """tanh z = 2 s(2z) - 1."""
    first, second, third = _sigmoid_three(2.0 * z)
    return 4.0 * first, 8.0 * second, 16.0 * third


def _softplus_three(z: float) -> Three:
    """The sigmoid and its first two derivatives."""
    first, second, _ = _sigmoid_three(z)
    return sigmoid(z), first, second


def _silu_three(z: float) -> Three:
    """(z s)' = s + z s', (z s)'' = 2 s' + z s'', (z s)''' = 3 s'' + z s'''."""
    first, second, third = _sigmoid_three(z)
    return PRIME["silu"](z), 2.0 * first + times(second, z), 3.0 * second + times(third, z)


def _gelu_three(z: float) -> Three:
    """Φ + z φ, (2 - z²) φ and (z³ - 4z) φ, as φ' = -z φ."""
    pdf = normal_pdf(z)
    return PRIME["gelu"](z), times(pdf, 2.0 - z * z), times(pdf, z * (z * z - 4.0))


def _gelu_tanh_three(z: float) -> Three:
    """Those of z s(w), with w' = A + 3B z², w'' = 6B z and z w''' = w''."""
    w = _cubic(z)
    s1, s2, s3 = _sigmoid_three(w)
    w1, w2 = _A + 3.0 * _B * z * z, 6.0 * _B * z
    return (
        sigmoid(w) + times(s1, z * w1),
        times(s1, 2.0 * w1 + z * w2) + times(s2, z * w1 * w1),
        times(s1, 4.0 * w2) + times(s2, 3.0 * w1 * (w1 + z * w2)) + times(s3, z * w1 * w1 * w1),
    )


def _mish_three(z: float) -> Three:
    """Those of z t, with t = tanh(p), p = ln(1 + e^z) and p' = s."""
    s, p = sigmoid(z), softplus(z)
    s1, s2, _ = _sigmoid_three(z)
    t1, t2, t3 = _tanh_three(p)
    u = t1 * s  # t'
    u1 = t2 * s * s + t1 * s1
    u2 = t3 * s * s * s + 3.0 * t2 * s * s1 + t1 * s2
    first = math.tanh(p) + times(u, z)
    return first, 2.0 * u + times(u1, z), 3.0 * u1 + times(u2, z)


SMOOTH: dict[str, Callable[[float], Three]] = {
    "identity": lambda _: (1.0, 0.0, 0.0),
    "sigmoid": _sigmoid_three,
    "tanh": _tanh_three,
    "gelu": _gelu_three,
    "gelu_tanh": _gelu_tanh_three,
    "silu": _silu_three,
    "mish": _mish_three,
    "softplus": _softplus_three,
    "sin": lambda z: (_cos(z), -_sin(z), -_cos(z)),
}
