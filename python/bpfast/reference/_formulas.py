"""The formulas of :mod:`bpfast.reference`: σ of a layer, C_x and ∇_a C_x.

``docs/mathematics.md`` derives them, and shows why they are finite.
"""

import math
from collections.abc import Callable

from bpfast.reference._activations import prime, sigma, sigmoid, softplus
from bpfast.reference._arithmetic import dot, exact_sum, times
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
    slope = prime(output)
    return [g_j * slope(z_j) for g_j, z_j in zip(nabla_a, z, strict=True)]


# σ and σ', for a layer


def activate(z: Vector, activation: str) -> Vector:
    """σ(z)."""
    return _softmax(z) if activation == "softmax" else list(map(sigma(activation), z))


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
        for term in (times(y_j, softplus(-z_j)), times(1.0 - y_j, softplus(z_j)))
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
    c = [times(y_j, softplus(-z_j)) for z_j, y_j in zip(z, y, strict=True)]
    rows = zip(z, a, y, strict=True)
    return exact_sum([*a, *c]), [(a_j - y_j) * sigmoid(-z_j) for z_j, a_j, y_j in rows]


def _softplus_poisson(z: Vector, a: Vector, y: Vector) -> tuple[float, Vector]:
    """C_x as above, ∂C_x/∂z = (1 - y/a) σ'(z) = σ'(z) - y σ'(z)/a.

    For z < -40, a = e^z to the last digit: then ln a = z and σ'(z)/a = 1.
    """
    c, nabla_z = list(a), []
    for z_j, a_j, y_j in zip(z, a, y, strict=True):
        s_j = sigmoid(z_j)
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
