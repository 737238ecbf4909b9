"""Train many networks on digits at once: all of them to the end, and with successive halving.

Each network 784-10-10 has its own initial weights, seed and learning rate. `fit_many` trains all at
once. With `keep` and `every` it repeatedly stops the worse half, which takes a fraction of the
epochs.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

import bpfast
from shared import options
from shared.digits import Digits
from shared.runs import table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def networks(count: int, seed: int) -> list[bpfast.Network]:
    """Networks that differ in their initial weights."""
    return [
        bpfast.Network(
            [784, 10, 10],
            hidden="relu",
            output="softmax",
            cost="log_likelihood",
            init="he",
            dtype="float32",
            seed=seed + k,
        )
        for k in range(count)
    ]


def search(digits: Digits, count: int, epochs: int, seed: int, **how: Any) -> bpfast.Ensemble:
    """Train networks at learning rates from 1e-4 to 1e-1, and hold a fifth of the digits out.

    The same fifth for all networks, so that their costs compare them.
    """
    rng = np.random.default_rng(seed)
    rates = 10 ** rng.uniform(-4, -1, count)
    held = rng.permutation(len(digits.x))[: len(digits.x) // 5]
    return bpfast.fit_many(
        networks(count, seed),
        digits.x,
        digits.labels,
        epochs=epochs,
        learning_rate=rates.tolist(),
        validation_rows=held,
        metrics="accuracy",
        seed=seed,
        **how,
    )


def draw(searches: dict[str, bpfast.Ensemble]) -> "Figure":
    """The validation cost of all networks, for each search."""
    from shared import plots

    figure, panels = plots.panels(len(searches))
    for axes, (title, ensemble) in zip(panels, searches.items(), strict=True):
        for k, history in enumerate(ensemble.histories):
            assert history is not None
            is_best = k == ensemble.ranking()[0]
            axes.semilogy(
                history.epoch,
                history.validation_cost,
                color=plots.COLORS[1] if is_best else plots.COLORS[0],
                linewidth=2.5 if is_best else 0.7,
                alpha=1.0 if is_best else 0.5,
            )
        axes.set(title=title, xlabel="epoch", ylabel="validation cost")
    return figure


def main() -> None:
    parser = options.parser(__doc__)
    options.add_data(parser)
    options.add_digits(parser, 2000)
    options.add_number(parser, "--networks", 32, "number of networks")
    options.add_number(parser, "--epochs", 20, "epochs of a whole training")
    options.add_number(parser, "--seed", 0, "seed of the first network; the next is N + 1, …")
    options.add_plot(parser, "restarts.png")
    args = parser.parse_args()
    options.check_whole(parser, args, networks=2, epochs=1)
    options.check_seed(parser, args.seed, args.networks)
    options.check_picture(parser, "--plot", args.plot)
    digits = options.first_digits(parser, args)
    few = {"keep": 0.5, "every": max(args.epochs // 10, 1)}
    searches = {
        "all to the end": search(digits, args.networks, args.epochs, args.seed),
        "the better half": search(digits, args.networks, args.epochs, args.seed, **few),
    }
    rows = []
    for title, ensemble in searches.items():
        best = ensemble.best()
        assert best.history is not None
        found = best.evaluate(digits.test_x, digits.test_labels, metrics="accuracy")
        epochs = sum(len(history) for history in ensemble.histories if history is not None)
        rows.append([title, f"{epochs:,}", f"{best.history.learning_rate[-1]:.1e}",
                     f"{found['accuracy']:.2%}"])  # fmt: skip
    print(table(["networks", "epochs", "rate of the best", "its test digits"], rows))
    options.save(parser, args.plot, draw(searches))


if __name__ == "__main__":
    main()
