"""Fit a network to Burgers' equation: u_t + u u_x = ν u_xx, with u = -sin πx at t = 0.

A network 2-24-24-24-1 is fitted to the equation at points (t, x) with 0 ≤ t ≤ 1 and -1 ≤ x ≤ 1, and
to the values at t = 0 and at x = ±1, where u = 0. `net.backprop_taylor` computes the gradient of
the residual, and SciPy's L-BFGS minimises it. The Cole-Hopf formula gives the exact solution.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import bpfast
from shared import options

try:
    from scipy.optimize import OptimizeResult, minimize
except ModuleNotFoundError as missing:
    raise SystemExit(f"This program needs {missing.name}: pip install scipy") from None

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

NU = 0.02  # the viscosity
ALONG = np.eye(2)  # the directions t and x
WEIGHT = 10.0  # of the cost at the edges; the cost at the points has weight 1


def known(t: float, x: Array) -> Array:
    """The exact solution by Cole and Hopf: u = -∫ sin(π(x-s)) f(x-s) g(s) ds / ∫ f(x-s) g(s) ds.

    f(y) = e^(-cos(πy)/(2πν)) and g(s) = e^(-s²/(4νt)), by Gauss and Hermite's quadrature.
    """
    if t == 0:
        return np.asarray(-np.sin(np.pi * x))
    nodes, weights = np.polynomial.hermite.hermgauss(100)
    y = x[:, None] - 2 * np.sqrt(NU * t) * nodes
    exponents = -np.cos(np.pi * y) / (2 * np.pi * NU)
    f = weights * np.exp(exponents - exponents.max(axis=1, keepdims=True))
    return np.asarray(-(f * np.sin(np.pi * y)).sum(axis=1) / f.sum(axis=1))


def equation(taylor: bpfast.Taylor) -> tuple[Array, tuple[Array, Array, Array]]:
    """r²/2 with r = u_t + u u_x - ν u_xx, and its derivatives."""
    assert taylor.second is not None
    u, (u_t, u_x), u_xx = taylor.value, taylor.first, taylor.second[1]
    r = u_t + u * u_x - NU * u_xx
    nabla_second = np.stack([np.zeros_like(r), -NU * r])
    return (r[:, 0] ** 2) / 2, (u_x * r, np.stack([r, u * r]), nabla_second)


def train(
    net: bpfast.Network, points: Array, edges: tuple[Array, Array], iterations: int
) -> list[float]:
    """Fit the network; the cost after each iteration."""
    g, h = bpfast.Gradient(net), bpfast.Gradient(net)
    costs: list[float] = []

    def gradient(params: Array) -> tuple[float, Array]:
        net.params[:] = params
        net.backprop_taylor(points, ALONG, equation, out=g)
        net.backprop(*edges, out=h)  # the network's own cost, quadratic
        return g.cost + WEIGHT * h.cost, g.flat + WEIGHT * h.flat

    def after(intermediate_result: OptimizeResult) -> None:
        costs.append(float(intermediate_result.fun))

    found = minimize(
        gradient,
        net.params.copy(),
        jac=True,
        method="L-BFGS-B",
        callback=after,
        options={
            "maxiter": iterations,
            "maxfun": 2 * iterations,
            "maxcor": 50,
            "ftol": 0,
            "gtol": 0,
        },
    )
    net.params[:] = found.x
    return costs


def sample(seed: int) -> tuple[Array, tuple[Array, Array]]:
    """4000 points inside, and the values on the edges."""
    rng = np.random.default_rng(seed)
    points = rng.uniform([0, -1], [1, 1], size=(4000, 2))
    x, t = np.linspace(-1, 1, 200), np.linspace(0, 1, 100)
    start = np.column_stack([np.zeros_like(x), x])
    sides = [np.column_stack([t, np.full_like(t, side)]) for side in (-1, 1)]
    y = np.concatenate([-np.sin(np.pi * x), np.zeros(2 * len(t))])
    return points, (np.concatenate([start, *sides]), y[:, None])


def grid(net: bpfast.Network, times: Array, x: Array) -> tuple[Array, Array]:
    """The network's and the known solution, (times, x)."""
    found = [net(np.column_stack([np.full_like(x, t), x]))[:, 0] for t in times]
    return np.array(found), np.array([known(t, x) for t in times])


def draw(net: bpfast.Network, costs: list[float]) -> "Figure":
    """The solution at four times, the error everywhere, and the cost by iteration."""
    from shared import plots

    figure, (left, middle, right) = plots.panels(3)
    x, some = np.linspace(-1, 1, 201), np.array([0, 0.25, 0.5, 1])
    found, exact = grid(net, some, x)
    for place, t in enumerate(some):
        color = plots.COLORS[place]
        left.plot(x, exact[place], color=color, alpha=0.4, linewidth=3)
        left.plot(x, found[place], color=color, linestyle="--", label=f"t = {t:g}")
    left.legend(loc="upper right")
    left.set(title="Known (wide) and network (dashed)", xlabel="x", ylabel="u")
    times = np.linspace(0, 1, 101)
    found, exact = grid(net, times, x)
    image = middle.pcolormesh(times, x, np.abs(found - exact).T, cmap="viridis", rasterized=True)
    figure.colorbar(image, ax=middle)
    middle.grid(visible=False)
    middle.set(title="|u - known|", xlabel="t", ylabel="x")
    right.semilogy(np.arange(1, len(costs) + 1), costs, color=plots.COLORS[0])
    right.set(title="Training", xlabel="iteration of L-BFGS", ylabel="cost")
    return figure


def main() -> None:
    parser = options.parser(__doc__)
    options.add_number(parser, "--iterations", 2500, "iterations of L-BFGS")
    options.add_number(parser, "--seed", 0, "seed of the points and the initial weights")
    options.add_plot(parser, "burgers.png")
    args = parser.parse_args()
    options.check_whole(parser, args, iterations=1)
    options.check_seed(parser, args.seed)
    options.check_picture(parser, "--plot", args.plot)

    net = bpfast.Network(
        [2, 24, 24, 24, 1], hidden="tanh", output="identity", init="xavier", seed=args.seed
    )
    points, edges = sample(args.seed)
    costs = train(net, points, edges, args.iterations)
    found, exact = grid(net, np.linspace(0, 1, 101), np.linspace(-1, 1, 201))
    relative = np.linalg.norm(found - exact) / np.linalg.norm(exact)
    largest = np.abs(found - exact).max()
    print(
        f"{len(costs)} iterations: cost {costs[-1]:.1e}, "
        f"relative error {relative:.1e}, largest {largest:.1e} of 1"
    )
    options.save(parser, args.plot, draw(net, costs))


if __name__ == "__main__":
    main()
