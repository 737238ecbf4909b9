"""Fit a network to a damped oscillator: u'' + 2δ u' + ω² u = 0, u(0) = 1, u'(0) = 0.

A network 1-24-24-1 is fitted to the equation at 100 times and to the two initial values, without
the solution. `net.backprop_taylor` computes the gradient of the residual, which contains u, u' and
u'', and SciPy's L-BFGS minimises it. The exact solution is used for the error alone.
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

DELTA, OMEGA = 1.0, 6.0  # damping, frequency
END = 2.0  # the last time
ALONG = [[1.0]]  # the only direction: time


def known(t: Array) -> Array:
    """The solution: e^(-δt) (cos w t + δ/w sin w t), w² = ω² - δ²."""
    w = np.sqrt(OMEGA**2 - DELTA**2)
    return np.asarray(np.exp(-DELTA * t) * (np.cos(w * t) + DELTA / w * np.sin(w * t)))


def equation(taylor: bpfast.Taylor) -> tuple[Array, tuple[Array, Array, Array]]:
    """r²/2 with r = u + (2δ u' + u'')/ω², and its derivatives by u, u' and u''."""
    assert taylor.second is not None
    r = taylor.value + (2 * DELTA * taylor.first[0] + taylor.second[0]) / OMEGA**2
    nabla = r, 2 * DELTA / OMEGA**2 * r[None], r[None] / OMEGA**2
    return (r[:, 0] ** 2) / 2, nabla


def start(taylor: bpfast.Taylor) -> tuple[Array, tuple[Array, Array]]:
    """Half of (u - 1)² + (u'/ω)² at t = 0."""
    r, s = taylor.value - 1, taylor.first[0] / OMEGA
    return (r[:, 0] ** 2 + s[:, 0] ** 2) / 2, (r, s[None] / OMEGA)


def train(net: bpfast.Network, t: Array, iterations: int) -> list[float]:
    """Fit the network; the cost after each iteration."""
    first, g, h = np.zeros((1, 1)), bpfast.Gradient(net), bpfast.Gradient(net)
    costs: list[float] = []

    def gradient(params: Array) -> tuple[float, Array]:
        net.params[:] = params
        net.backprop_taylor(t, ALONG, equation, out=g)
        net.backprop_taylor(first, ALONG, start, order=1, out=h)
        return g.cost + h.cost, g.flat + h.flat

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


def draw(net: bpfast.Network, t: Array, costs: list[float]) -> "Figure":
    """The solution and its error, and the cost by iteration."""
    from shared import plots

    figure, (left, middle, right) = plots.panels(3)
    u = net(t)[:, 0]
    left.plot(t[:, 0], known(t[:, 0]), color=plots.COLORS[0], label="known")
    left.plot(t[:, 0], u, color=plots.COLORS[1], linestyle="--", label="network")
    middle.semilogy(t[:, 0], np.abs(u - known(t[:, 0])), color=plots.COLORS[1])
    right.semilogy(np.arange(1, len(costs) + 1), costs, color=plots.COLORS[0])
    left.legend(loc="upper right")
    for axes, title, name in (
        (left, "Damped oscillator", "u"),
        (middle, "Error", "|u - known|"),
    ):
        axes.set(title=title, xlabel="t", ylabel=name)
    right.set(title="Training", xlabel="iteration of L-BFGS", ylabel="cost")
    return figure


def main() -> None:
    parser = options.parser(__doc__)
    options.add_number(parser, "--iterations", 2000, "iterations of L-BFGS")
    options.add_number(parser, "--seed", 0, "seed of the initial weights")
    options.add_plot(parser, "oscillator.png")
    args = parser.parse_args()
    options.check_whole(parser, args, iterations=1)
    options.check_seed(parser, args.seed)
    options.check_picture(parser, "--plot", args.plot)

    net = bpfast.Network(
        [1, 24, 24, 1], hidden="tanh", output="identity", init="xavier", seed=args.seed
    )
    net.weights[0][:] *= 3  # a first layer steep enough for several oscillations
    t = np.linspace(0, END, 100)[:, None]
    costs = train(net, t, args.iterations)
    times = np.linspace(0, END, 601)[:, None]
    error = np.abs(net(times)[:, 0] - known(times[:, 0])).max()
    print(f"{len(costs)} iterations: cost {costs[-1]:.1e}, largest error {error:.1e} of 1")
    options.save(parser, args.plot, draw(net, times, costs))


if __name__ == "__main__":
    main()
