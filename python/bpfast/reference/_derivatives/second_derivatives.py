"""The second derivatives of C_x by z^L in :mod:`bpfast.reference`, for one example.

``docs/mathematics.md`` derives them, and shows why they are finite.
"""

import math
from collections.abc import Callable

from bpfast.reference._activations import prime, second, sigmoid, sigmoid_prime
from bpfast.reference._arithmetic import dot, exact_sum
from bpfast.reference._arrays import Vector
from bpfast.reference._formulas import (
    NABLA,
    activate,
    half_log_one_minus_softmax,
    half_log_softmax,
    softmax_jacobian,
)

# ∂²C_x/∂a², for one neuron, from the residual r = a - y; 0 at a kink of huber.
SECOND_OF_COST: dict[str, Callable[[float], float]] = {
    "quadratic": lambda _: 1.0,
    "huber": lambda r: 0.0 if abs(r) > 1.0 else 1.0,
    "absolute": lambda _: 0.0,
}


def output_tangent(output: str, z: Vector, a: Vector, dz: Vector) -> Vector:
    """ȧ_j = Σ_k ∂a_j/∂z_k ż_k, which is σ'(z_j) ż_j except for softmax."""
    if output == "softmax":
        return softmax_jacobian(a, dz)
    slope = prime(output)
    return [slope(z_j) * dz_j for z_j, dz_j in zip(z, dz, strict=True)]


def hessian_product(output: str, cost: str, z: Vector, a: Vector, y: Vector, dz: Vector) -> Vector:
    """Σ_k ∂²C_x/∂z_j∂z_k ż_k: the derivative of ∂C_x/∂z_j along ż."""
    if (output, cost) in HESSIANS:
        return HESSIANS[output, cost](z, a, y, dz)
    residuals = [a_j - y_j for a_j, y_j in zip(a, y, strict=True)]
    da = output_tangent(output, z, a, dz)
    g = [NABLA[cost](r) for r in residuals]
    dg = [SECOND_OF_COST[cost](r) * da_j for r, da_j in zip(residuals, da, strict=True)]
    if output == "softmax":  # δ_j = a_j Σ_k a_k (g_j - g_k)
        return [
            exact_sum(
                [da_j * dot(a, [g_j - g_k for g_k in g])]
                + [a_j * da_k * (g_j - g_k) for da_k, g_k in zip(da, g, strict=True)]
                + [a_j * a_k * (dg_j - dg_k) for a_k, dg_k in zip(a, dg, strict=True)]
            )
            for a_j, da_j, g_j, dg_j in zip(a, da, g, dg, strict=True)
        ]
    slope, bend = prime(output), second(output)
    return [
        dg_j * slope(z_j) + g_j * bend(z_j) * dz_j
        for z_j, dz_j, g_j, dg_j in zip(z, dz, g, dg, strict=True)
    ]


def gauss_newton_product(
    output: str, cost: str, z: Vector, a: Vector, y: Vector, dz: Vector
) -> Vector:
    """Jᵀ (∂²C_x/∂a²) J ż with J = ∂a/∂z; the product with the Hessian where C_x is convex in z."""
    if (output, cost) in CONVEX:
        return hessian_product(output, cost, z, a, y, dz)
    if (output, cost) in GAUSS_NEWTON:
        return GAUSS_NEWTON[output, cost](z, a, y, dz)
    da = output_tangent(output, z, a, dz)
    curvature = [SECOND_OF_COST[cost](a_j - y_j) for a_j, y_j in zip(a, y, strict=True)]
    products = [c_j * da_j for c_j, da_j in zip(curvature, da, strict=True)]
    return output_tangent(output, z, a, products)  # J is symmetric


# The derivative of the ∂C_x/∂z of `_formulas` along ż


def _sigmoid_cross_entropy(z: Vector, a: Vector, y: Vector, dz: Vector) -> Vector:
    """Of a_j - y_j."""
    return output_tangent("sigmoid", z, a, dz)


def _softmax_log_likelihood(z: Vector, a: Vector, y: Vector, dz: Vector) -> Vector:
    """Of a_j Σ_k y_k - y_j."""
    return [exact_sum(y) * da_j for da_j in softmax_jacobian(a, dz)]


def _sigmoid_poisson(z: Vector, a: Vector, y: Vector, dz: Vector) -> Vector:
    """Of (a - y)(1 - a): σ'(z) ż (1 - 2a + y), and 1 - 2a + y = y - 1 + 2σ(-z)."""
    return [
        sigmoid_prime(z_j) * ((y_j - 1.0) + 2.0 * sigmoid(-z_j)) * dz_j
        for z_j, y_j, dz_j in zip(z, y, dz, strict=True)
    ]


def _softplus_poisson(z: Vector, a: Vector, y: Vector, dz: Vector) -> Vector:
    """Of σ'(z) - y σ'(z)/a. As σ'(z) = 1 - e^{-a}, the ratio is ρ(a) = (1 - e^{-a}) / a."""
    return [
        (sigmoid_prime(z_j) - y_j * _ratio_prime(a_j) * sigmoid(z_j)) * dz_j
        for z_j, a_j, y_j, dz_j in zip(z, a, y, dz, strict=True)
    ]


def _ratio_prime(a: float) -> float:
    """ρ'(a) = ((1 + a) e^{-a} - 1) / a², near 0 by its series -Σ_k (-a)^k / (k! (k + 2))."""
    if a < 1.0:
        return -exact_sum((-a) ** k / (math.factorial(k) * (k + 2)) for k in range(20))
    return ((1.0 + a) * math.exp(-a) - 1.0) / a / a


def _softmax_cross_entropy(z: Vector, a: Vector, y: Vector, dz: Vector) -> Vector:
    """Of a_j - y_j - Σ_{k≠j} r_jk (a_k - y_k), where r_jk is softmax without neuron k."""
    n = len(z)
    da = softmax_jacobian(a, dz)
    products = [[da_j] for da_j in da]
    for k, (da_k, residual) in enumerate(zip(da, _residuals(z, a, y), strict=True)):
        others = [j for j in range(n) if j != k]
        r = [1.0] if n == 2 else activate([z[j] for j in others], "softmax")
        dr = softmax_jacobian(r, [dz[j] for j in others])
        for j, r_jk, dr_jk in zip(others, r, dr, strict=True):
            products[j] += [-dr_jk * residual, -r_jk * da_k]
    return [exact_sum(terms) for terms in products]


def _residuals(z: Vector, a: Vector, y: Vector) -> Vector:
    """The a_k - y_k, from 1 - a_k for a_k above half."""
    return [
        (1.0 - y_k) - math.exp(2.0 * half) if a_k > 0.5 else a_k - y_k
        for a_k, y_k, half in zip(a, y, half_log_one_minus_softmax(z), strict=True)
    ]


HESSIANS: dict[tuple[str, str], Callable[[Vector, Vector, Vector, Vector], Vector]] = {
    ("sigmoid", "cross_entropy"): _sigmoid_cross_entropy,
    ("softmax", "cross_entropy"): _softmax_cross_entropy,
    ("softmax", "log_likelihood"): _softmax_log_likelihood,
    ("sigmoid", "poisson"): _sigmoid_poisson,
    ("softplus", "poisson"): _softplus_poisson,
    ("softmax", "poisson"): _softmax_log_likelihood,
}

# The costs that are functions of z^L: their Hessian by z^L has no negative eigenvalue.
CONVEX = (
    ("sigmoid", "cross_entropy"),
    ("softmax", "log_likelihood"),
    ("softmax", "poisson"),
)


# Jᵀ (∂²C_x/∂a²) J ż, where ∂²C_x/∂a² is infinite at a = 0 or 1 and the product is not


def _gauss_newton_sigmoid_poisson(z: Vector, a: Vector, y: Vector, dz: Vector) -> Vector:
    """y / a² times a² (1 - a)²."""
    return [y_j * sigmoid(-z_j) ** 2 * dz_j for z_j, y_j, dz_j in zip(z, y, dz, strict=True)]


def _gauss_newton_softplus_poisson(z: Vector, a: Vector, y: Vector, dz: Vector) -> Vector:
    """y / a² times σ'(z)²; σ'(z) / a = 1 where a = 0 to the last digit."""
    ratios = [sigmoid(z_j) / a_j if z_j >= -40.0 else 1.0 for z_j, a_j in zip(z, a, strict=True)]
    return [y_j * r * r * dz_j for r, y_j, dz_j in zip(ratios, y, dz, strict=True)]


def _gauss_newton_softmax_cross_entropy(z: Vector, a: Vector, y: Vector, dz: Vector) -> Vector:
    """Σ_k [y_k p_k p_kᵀ + (1 - y_k) q_k q_kᵀ] ż, p_k = ∂(ln a_k)/∂z and q_k = ∂ ln(1 - a_k)/∂z.

    ∂²C_x/∂a_k² = y_k / a_k² + (1 - y_k) / (1 - a_k)². p_k has 1 - a_k at k and -a_j at j ≠ k; q_k
    has -a_k at k and, at j ≠ k, r_jk a_k, where r_jk is softmax without neuron k.
    """
    n = len(z)
    products: list[Vector] = [[] for _ in range(n)]
    rests = [math.exp(2.0 * half) for half in half_log_one_minus_softmax(z)]
    a = [math.exp(2.0 * half) for half in half_log_softmax(z)]
    for k in range(n):
        others = [j for j in range(n) if j != k]
        r = [1.0] if n == 2 else activate([z[j] for j in others], "softmax")
        # p_k · ż = Σ_j a_j (ż_k - ż_j) and q_k · ż = -a_k Σ_{j≠k} r_jk (ż_k - ż_j).
        p_dz = dot([a[j] for j in others], [dz[k] - dz[j] for j in others])
        q_dz = -a[k] * dot(r, [dz[k] - dz[j] for j in others])
        products[k] += [y[k] * p_dz * rests[k], -(1.0 - y[k]) * q_dz * a[k]]
        for j, r_jk in zip(others, r, strict=True):
            products[j] += [-y[k] * p_dz * a[j], (1.0 - y[k]) * q_dz * r_jk * a[k]]
    return [exact_sum(terms) for terms in products]


GAUSS_NEWTON: dict[tuple[str, str], Callable[[Vector, Vector, Vector, Vector], Vector]] = {
    ("sigmoid", "poisson"): _gauss_newton_sigmoid_poisson,
    ("softplus", "poisson"): _gauss_newton_softplus_poisson,
    ("softmax", "cross_entropy"): _gauss_newton_softmax_cross_entropy,
}
