"""Show the uncertainty of an ensemble: its networks disagree where there are few examples.

The data come with scikit-learn (Efron et al., 2004): the body mass index of 442 patients with
diabetes, and the progression of the disease after a year. Each network of the ensemble trains on a
bootstrap sample of the patients.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import bpfast
from shared import options
from shared.runs import table

try:
    from sklearn.datasets import load_diabetes
except ModuleNotFoundError as missing:
    raise SystemExit(f"This program needs {missing.name}: pip install scikit-learn") from None

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]


def patients() -> tuple[Array, Array]:
    """The body mass index and the progression of each patient."""
    x, y = load_diabetes(return_X_y=True, scaled=False)
    return x[:, 2:3], y[:, None]


def standard(values: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each column."""
    return values.mean(axis=0), values.std(axis=0)


def fit(x: Array, y: Array, networks: int, epochs: int, seed: int) -> bpfast.Ensemble:
    """Train each network with as many patients as there are, drawn with replacement."""
    rng = np.random.default_rng(seed)
    rows = [rng.integers(0, len(x), len(x)) for _ in range(networks)]
    nets = [
        bpfast.Network([1, 20, 1], hidden="tanh", output="identity", init="xavier", seed=seed + k)
        for k in range(networks)
    ]
    return bpfast.fit_many(nets, x, y, rows=rows, epochs=epochs, learning_rate=0.01, seed=seed)


def draw(x: Array, y: Array, at: Array, found: Any) -> "Figure":
    """The patients, and mean and bands of the ensemble."""
    from shared import plots

    figure, (axes,) = plots.panels(1)
    axes.plot(x, y, ".", color="0.6", markersize=4, label="patients")
    low, high = found.quantiles[:, :, 0]
    axes.fill_between(
        at[:, 0], low, high, color=plots.COLORS[0], alpha=0.3, label="90 % of the networks"
    )
    axes.plot(at, found.mean, color=plots.COLORS[0], label="mean")
    axes.set(
        title="An ensemble and its band",
        xlabel="body mass index (kg/m²)",
        ylabel="progression of the disease",
    )
    axes.legend(loc="lower right")
    return figure


def main() -> None:
    parser = options.parser(__doc__)
    options.add_number(parser, "--networks", 100, "number of networks")
    options.add_number(parser, "--epochs", 60, "passes through the patients")
    options.add_number(parser, "--seed", 0, "seed of the first network; the next is N + 1, …")
    options.add_plot(parser, "uncertainty.png")
    args = parser.parse_args()
    options.check_whole(parser, args, networks=2, epochs=1)
    options.check_seed(parser, args.seed, args.networks)
    options.check_picture(parser, "--plot", args.plot)

    x, y = patients()
    (x_mean, x_scale), (y_mean, y_scale) = standard(x), standard(y)
    ensemble = fit((x - x_mean) / x_scale, (y - y_mean) / y_scale, args.networks, args.epochs,
                   args.seed)  # fmt: skip
    at = np.linspace(15, 50, 141)[:, None]
    found = ensemble.predict((at - x_mean) / x_scale, quantiles=[0.05, 0.95])
    found = found._replace(
        mean=found.mean * y_scale + y_mean,
        std=found.std * y_scale,
        quantiles=found.quantiles * y_scale + y_mean,
    )
    rows = []
    for index in (20, 25, 30, 40, 50):
        k = int(np.abs(at[:, 0] - index).argmin())
        near = int((np.abs(x - index) < 1).sum())
        low, high = found.quantiles[:, k, 0]
        rows.append([f"{index}", f"{near}", f"{found.mean[k, 0]:.0f}", f"{low:.0f} to {high:.0f}"])
    print(table(["body mass index", "patients within 1", "mean", "90 % of the networks"], rows))
    options.save(parser, args.plot, draw(x, y, at, found))


if __name__ == "__main__":
    main()
