"""Estimators for scikit-learn: `MLPClassifier` and `MLPRegressor`.

Install scikit-learn with ``pip install "bpfast[sklearn]"``. ``import bpfast`` does not import it;
the first use of ``bpfast.sklearn`` does.

They have the parameters, attributes and methods of ``sklearn.neural_network``, with the same
meaning, and more: activations per layer, dropout, class weights, other costs, learning-rate
schedules, validation curves, callbacks and checkpoints. `network_` is the `bpfast.Network` inside.
"""

try:
    from bpfast.sklearn._classifier import MLPClassifier
    from bpfast.sklearn._regressor import MLPRegressor
except ModuleNotFoundError as error:
    if error.name not in ("sklearn", "scipy", "threadpoolctl"):
        raise
    raise ImportError('bpfast.sklearn needs scikit-learn: pip install "bpfast[sklearn]"') from error

__all__ = ["MLPClassifier", "MLPRegressor"]

# Their public module, in `help` and in pickles.
MLPClassifier.__module__ = MLPRegressor.__module__ = "bpfast.sklearn"


def __dir__() -> list[str]:
    return __all__
