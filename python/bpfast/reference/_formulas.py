"""The formulas of :mod:`bpfast.reference`: σ and σ', C_x and ∇_a C_x, for one neuron or one layer.

``docs/mathematics.md`` derives them, and shows why they are finite.
"""

import math
from collections.abc import Callable, Iterable
from operator import mul

from bpfast.reference._arrays import Vector


def named_cost(cost: str, output: str, z: Vector, a: Vector, y: Vector) -> tuple[float, Vector]:
    """C_x and ∂C_x/∂z^L of one example."""
    if (output, cost) in FUSED:
        return FUSED[output, cost](z, a, y)
    residuals = [a_j - y_j for a_j, y_j in zip(a, y, strict=True)]
    nabla_a = [NABLA[cost](r) for r in residuals]
    return exact_sum(COST[cost](r) for r in residuals), bp1_of(output, z, a, nabla_a)


def bp1_of(output: str, z: Vector, a: Vector, nabla_a: Vector) -> Vector:
    """∂C_x/∂z_j = Σ_k ∂C_x/∂a_k ∂a_k/∂z_j, which is ∂C_x/∂a_j σ'(z_j) except for softmax."""
    if output == "softmax":
        return softmax_jacobian(a, nabla_a)
    return [g_j * PRIME[output](z_j) for g_j, z_j in zip(nabla_a, z, strict=True)]


# σ and σ', for one neuron


def _sigmoid(z: float) -> float:
    """1 / (1 + e^{-z}), without e^{|z|}."""
    return math.exp(z) / (1.0 + math.exp(z)) if z < 0.0 else 1.0 / (1.0 + math.exp(-z))


def _sigmoid_prime(z: float) -> float:
    """σ'(z) = a (1 - a), where 1 - σ(z) = σ(-z) keeps its digits for large z."""
    return _sigmoid(z) * _sigmoid(-z)


def _softplus(z: float) -> float:
    """ln(1 + e^z) = max(z, 0) + ln(1 + e^{-|z|})."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def _normal_cdf(z: float) -> float:
    """Φ(z) = ½ erfc(-z / √2)."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def normal_pdf(z: float) -> float:
    """φ(z) = Φ'(z) = e^{-z²/2} / √(2π)."""
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


SIGMA: dict[str, Callable[[float], float]] = {
    "identity": lambda z: z,
    "sigmoid": _sigmoid,
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),  # in this order, NaN stays
    "leaky_relu": lambda z: 0.01 * z if z <= 0.0 else z,
    "elu": lambda z: math.expm1(z) if z <= 0.0 else z,
    "gelu": lambda z: times(_normal_cdf(z), z),
    "silu": lambda z: times(_sigmoid(z), z),
    "softplus": _softplus,
}

PRIME: dict[str, Callable[[float], float]] = {
    "identity": lambda _: 1.0,
    "sigmoid": _sigmoid_prime,
    "tanh": lambda z: 4.0 * _sigmoid_prime(2.0 * z),  # = 1 - tanh² z
    "relu": lambda z: 1.0 if z > 0.0 else 0.0,
    "leaky_relu": lambda z: 1.0 if z > 0.0 else 0.01,
    "elu": lambda z: math.exp(z) if z <= 0.0 else 1.0,
    "gelu": lambda z: _normal_cdf(z) + times(normal_pdf(z), z),
    "silu": lambda z: _sigmoid(z) + times(_sigmoid_prime(z), z),
    "softplus": _sigmoid,
}


# σ', σ'' and σ''', of the smooth activations, for one neuron


def _sigmoid_three(z: float) -> tuple[float, float, float]:
    """σ' = s (1 - s), σ'' = σ' (1 - 2s), σ''' = σ' (1 - 6σ'); 1 - 2s = -tanh(z/2)."""
    prime = _sigmoid_prime(z)
    return prime, -prime * math.tanh(0.5 * z), prime * (1.0 - 6.0 * prime)


def _tanh_three(z: float) -> tuple[float, float, float]:
    """Tanh z = 2 s(2z) - 1."""
    first, second, third = _sigmoid_three(2.0 * z)
    return 4.0 * first, 8.0 * second, 16.0 * third


def _softplus_three(z: float) -> tuple[float, float, float]:
    """The sigmoid and its first two derivatives."""
    first, second, _ = _sigmoid_three(z)
    return _sigmoid(z), first, second


def _silu_three(z: float) -> tuple[float, float, float]:
    """(z s)' = s + z s', (z s)'' = 2 s' + z s'', (z s)''' = 3 s'' + z s'''."""
    first, second, third = _sigmoid_three(z)
    return PRIME["silu"](z), 2.0 * first + times(second, z), 3.0 * second + times(third, z)


def _gelu_three(z: float) -> tuple[float, float, float]:
    """Φ + z φ, (2 - z²) φ and (z³ - 4z) φ, as φ' = -z φ."""
    pdf = normal_pdf(z)
    return PRIME["gelu"](z), times(pdf, 2.0 - z * z), times(pdf, z * (z * z - 4.0))


SMOOTH: dict[str, Callable[[float], tuple[float, float, float]]] = {
    "identity": lambda _: (1.0, 0.0, 0.0),
    "sigmoid": _sigmoid_three,
    "tanh": _tanh_three,
    "gelu": _gelu_three,
    "silu": _silu_three,
    "softplus": _softplus_three,
}


# σ and σ', for a layer


def activate(z: Vector, activation: str) -> Vector:
    """σ(z)."""
    return _softmax(z) if activation == "softmax" else list(map(SIGMA[activation], z))


def _softmax(z: Vector) -> Vector:
    """a_j = e^{z_j - m} / Σ_k e^{z_k - m}, m the largest z."""
    m = max(z, default=0.0)
    exps = [math.exp(z_j - m) for z_j in z]
    total = exact_sum(exps)
    return [e / total for e in exps]


def softmax_jacobian(a: Vector, g: Vector) -> Vector:
    """a_j (g_j - Σ_k a_k g_k) = a_j Σ_k a_k (g_j - g_k), as Σ_k a_k = 1."""
    return [a_j * dot(a, [g_j - g_k for g_k in g]) for a_j, g_j in zip(a, g, strict=True)]


# C_x and ∇_a C_x, for one neuron, from the residual r = a - y


COST: dict[str, Callable[[float], float]] = {
    "quadratic": lambda r: 0.5 * r * r,
    "huber": lambda r: abs(r) - 0.5 if abs(r) > 1.0 else 0.5 * r * r,
    "absolute": abs,
}

NABLA: dict[str, Callable[[float], float]] = {
    "quadratic": lambda r: r,
    "huber": lambda r: math.copysign(1.0, r) if abs(r) > 1.0 else r,
    "absolute": lambda r: math.copysign(1.0, r) if abs(r) > 0.0 else r,  # 0 and NaN stay
}


# C_x and ∂C_x/∂z^L together, where ∂C_x/∂a is infinite at a = 0 or 1 and the product is not


def _sigmoid_cross_entropy(z: Vector, a: Vector, y: Vector) -> tuple[float, Vector]:
    """C_x = -Σ_j [y_j ln a_j + (1 - y_j) ln(1 - a_j)], ∂C_x/∂z = a - y.

    -ln a = ln(1 + e^{-z}) and -ln(1 - a) = ln(1 + e^z).
    """
    c = [
        term
        for z_j, y_j in zip(z, y, strict=True)
        for term in (times(y_j, _softplus(-z_j)), times(1.0 - y_j, _softplus(z_j)))
    ]
    return exact_sum(c), [a_j - y_j for a_j, y_j in zip(a, y, strict=True)]


def _softmax_cross_entropy(z: Vector, a: Vector, y: Vector) -> tuple[float, Vector]:
    """C_x as above, ∂C_x/∂z_j = a_j - y_j - Σ_{k≠j} r_jk (a_k - y_k).

    r_jk = a_j / (1 - a_k) is what softmax gives neuron j when neuron k is left out. For a_k above
    half, a_k - y_k = (1 - y_k) - (1 - a_k), as 1 - a_k is known to its last digit.
    """
    half_ln_1_a = half_log_one_minus_softmax(z)
    c = [
        2.0 * term
        for half, half_1, y_j in zip(half_log_softmax(z), half_ln_1_a, y, strict=True)
        for term in (times(-y_j, half), times(y_j - 1.0, half_1))
    ]
    residuals = [
        (1.0 - y_k) - math.exp(2.0 * half_1) if a_k > 0.5 else a_k - y_k
        for a_k, half_1, y_k in zip(a, half_ln_1_a, y, strict=True)
    ]
    nabla_z = [[r] for r in residuals]
    for k, r_k in enumerate(residuals):
        others = [j for j in range(len(z)) if j != k and r_k != 0.0]  # no share of 0
        for j, r_jk in zip(others, _shares([z[j] for j in others]), strict=True):
            nabla_z[j].append(-r_jk * r_k)
    return exact_sum(c), [exact_sum(terms) for terms in nabla_z]


def _softmax_log_likelihood(z: Vector, a: Vector, y: Vector) -> tuple[float, Vector]:
    """C_x = -Σ_j y_j ln a_j, ∂C_x/∂z_j = a_j Σ_k y_k - y_j."""
    c = [2.0 * times(-y_j, half) for y_j, half in zip(y, half_log_softmax(z), strict=True)]
    total = exact_sum(y)
    return exact_sum(c), [a_j * total - y_j for a_j, y_j in zip(a, y, strict=True)]


def _sigmoid_poisson(z: Vector, a: Vector, y: Vector) -> tuple[float, Vector]:
    """C_x = Σ_j (a_j - y_j ln a_j), ∂C_x/∂z = (a - y)(1 - a)."""
    c = [times(y_j, _softplus(-z_j)) for z_j, y_j in zip(z, y, strict=True)]
    rows = zip(z, a, y, strict=True)
    return exact_sum([*a, *c]), [(a_j - y_j) * _sigmoid(-z_j) for z_j, a_j, y_j in rows]


def _softplus_poisson(z: Vector, a: Vector, y: Vector) -> tuple[float, Vector]:
    """C_x as above, ∂C_x/∂z = (1 - y/a) σ'(z) = σ'(z) - y σ'(z)/a.

    For z < -40, a = e^z to the last digit: then ln a = z and σ'(z)/a = 1.
    """
    c, nabla_z = list(a), []
    for z_j, a_j, y_j in zip(z, a, y, strict=True):
        s_j = _sigmoid(z_j)
        ln_a_j, ratio = (z_j, 1.0) if z_j < -40.0 else (math.log(a_j), s_j / a_j)
        c.append(times(-y_j, ln_a_j))
        nabla_z.append(s_j - y_j * ratio)
    return exact_sum(c), nabla_z


def _softmax_poisson(z: Vector, a: Vector, y: Vector) -> tuple[float, Vector]:
    """C_x = Σ_j a_j - Σ_j y_j ln a_j; as Σ_j a_j = 1, ∂C_x/∂z is that of the log-likelihood."""
    c, nabla_z = _softmax_log_likelihood(z, a, y)
    return exact_sum(a) + c, nabla_z


FUSED: dict[tuple[str, str], Callable[[Vector, Vector, Vector], tuple[float, Vector]]] = {
    ("sigmoid", "cross_entropy"): _sigmoid_cross_entropy,
    ("softmax", "cross_entropy"): _softmax_cross_entropy,
    ("softmax", "log_likelihood"): _softmax_log_likelihood,
    ("sigmoid", "poisson"): _sigmoid_poisson,
    ("softplus", "poisson"): _softplus_poisson,
    ("softmax", "poisson"): _softmax_poisson,
}


def half_log_softmax(z: Vector) -> Vector:
    """The ½ ln a_j = ½ (z_j - m) - ½ ln Σ_k e^{z_k - m}; the largest z, m, gives the 1 in log1p.

    Halves, since z_j - m may overflow where y_j times it does not.
    """
    top = max(range(len(z)), key=z.__getitem__)
    others = exact_sum([math.exp(z_k - z[top]) for k, z_k in enumerate(z) if k != top])
    half_log_sum = (z[top] - z[top]) + 0.5 * math.log1p(others)  # NaN if z[top] is infinite
    return [(0.5 * z_j - 0.5 * z[top]) - half_log_sum for z_j in z]


def half_log_one_minus_softmax(z: Vector) -> Vector:
    """The ½ ln(1 - a_j), which is ½ ln Σ_{k≠j} a_k where a_j is more than half."""
    halves = half_log_softmax(z)
    return [
        0.5 * math.log1p(-math.exp(2.0 * half))
        if 2.0 * half < -math.log(2.0)
        else _half_log_sum_exp([half_k for k, half_k in enumerate(halves) if k != j])
        for j, half in enumerate(halves)
    ]


def _half_log_sum_exp(halves: Vector) -> float:
    """The ½ ln Σ e^{2h}; -∞ if there is none, or none above -∞."""
    m = max(halves, default=-math.inf)
    if m == -math.inf:
        return m
    return m + 0.5 * math.log(exact_sum([math.exp(2.0 * (half - m)) for half in halves]))


def _shares(z: Vector) -> Vector:
    """Softmax, also of a single -∞: 1."""
    return [1.0] if len(z) == 1 else _softmax(z)


# Sums and products


def exact_sum(values: Iterable[float]) -> float:
    """Σ values, rounded once; where that overflows or is not finite, added from left to right."""
    values = list(values)
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # out of range on the way; or ∞ - ∞
        return sum(values)


def dot(u: Iterable[float], v: Iterable[float], start: float = 0.0) -> float:
    """Σ_k u_k v_k, added to start."""
    return exact_sum([start, *map(mul, u, v)])


def times(factor: float, value: float) -> float:
    """The product, and 0 for 0 · ∞: the limit in 0 ln 0, and in z σ(z) as z → -∞."""
    return 0.0 if factor == 0.0 and math.isinf(value) else factor * value
