"""Estimators of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bpfast._network import Network
from bpfast._optional import optional
from bpfast.formats._activations import of_layers
from bpfast.formats._chain import Chain, describe_type

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Each activation of scikit-learn, and ours.
ACTIVATION_NAMES = {
    "identity": "identity",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "softmax": "softmax",
}
HIDDEN = {ours: theirs for theirs, ours in ACTIVATION_NAMES.items() if theirs != "softmax"}


def from_sklearn(estimator: Any) -> Network:
    """The network of a fitted ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn.

    W^l is ``coefs_[l - 2].T``, since scikit-learn stores weights as (in, out), and b^l is
    ``intercepts_[l - 2]``. The cost is that of the estimator: log_likelihood or cross_entropy for a
    classifier, quadratic for a regressor.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted. Its subclasses are taken too.

    Returns
    -------
    Network
        It has copies of the parameters, with the same bits, and their dtype. ``net(x)`` is
        ``predict_proba(x)`` of a classifier with three classes or more, or with several labels, and
        ``predict(x)`` of a regressor, as (n, n_L). With two classes it is the probability of
        ``classes_[1]``, as (n, 1).

    Raises
    ------
    TypeError
        The estimator is of another class. A pipeline: pass its last step, and scale x as before.
    ValueError
        It is not fitted, or its output activation is unknown, as that of ``loss="poisson"``.
    ImportError
        scikit-learn is not installed.

    Examples
    --------
    >>> import bpfast, numpy as np
    >>> from sklearn.neural_network import MLPRegressor
    >>> x = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> mlp = MLPRegressor(hidden_layer_sizes=(8,), max_iter=5000, random_state=0)
    >>> mlp = mlp.fit(x, x[:, 0] ** 2)
    >>> net = bpfast.formats.from_sklearn(mlp)
    >>> net.sizes, net.config["hidden"]
    ((1, 8, 1), ['relu'])
    >>> np.allclose(net(x)[:, 0], mlp.predict(x))
    True
    """
    models = optional("sklearn.neural_network", "from_sklearn", "sklearn")
    what, kind = "estimator", describe_type(estimator)
    if not isinstance(estimator, models.MLPClassifier | models.MLPRegressor):
        expected = "a fitted MLPClassifier or MLPRegressor"
        hint = ""
        if hasattr(estimator, "steps"):
            hint = "; pass its last step, pipeline[-1], and x after the other steps"
        elif isinstance(getattr(estimator, "network_", None), Network):
            hint = " of bpfast.sklearn; its network_ is the network"
        elif hasattr(estimator, "best_estimator_"):
            hint = "; pass its best_estimator_"
        raise TypeError(f"{what}: expected {expected}, got {kind}{hint}")
    if not hasattr(estimator, "coefs_"):
        raise ValueError(f"{what}: expected a fitted estimator, got a {kind} before fit")
    chain = Chain(what)
    last = len(estimator.coefs_) - 1
    for k, (coefs, intercepts) in enumerate(
        zip(estimator.coefs_, estimator.intercepts_, strict=True)
    ):
        theirs = estimator.activation if k < last else estimator.out_activation_
        name = f"coefs_[{k}]"
        if theirs not in ACTIVATION_NAMES:
            expected = f"expected one of the activations {', '.join(ACTIVATION_NAMES)}"
            chain.refuse(name, expected, repr(theirs))
        chain.add_affine(name, coefs.T, intercepts)
        chain.add_activation(name, ACTIVATION_NAMES[theirs])
    costs = {"softmax": "log_likelihood", "logistic": "cross_entropy"}
    is_classifier = isinstance(estimator, models.MLPClassifier)
    cost: Any = costs[estimator.out_activation_] if is_classifier else "quadratic"
    return chain.network(cost)


def to_sklearn(net: Network, *, classes: ArrayLike | None = None) -> Any:
    """A fitted ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn with the parameters of `net`.

    - softmax with log_likelihood: an ``MLPClassifier`` of n_L classes. With two classes that of
      scikit-learn has one logistic output, of z_2 - z_1.
    - One sigmoid with cross_entropy: an ``MLPClassifier`` of two classes.
    - Several sigmoids with cross_entropy: an ``MLPClassifier`` of n_L labels, of which any number
      may be true.
    - identity with quadratic: an ``MLPRegressor``.

    Parameters
    ----------
    net : Network
        Its hidden layers have one activation: identity, sigmoid, tanh or relu.
    classes : array_like, (n_L,), or (2,) if n_L = 1, optional
        The labels that the outputs stand for, ascending: ``classes_``. Default: 0, 1, 2, …. Only
        for classifiers whose classes exclude each other.

    Returns
    -------
    MLPClassifier or MLPRegressor
        It has copies of the parameters, with the same bits, in ``coefs_`` and ``intercepts_``; with
        two softmax outputs, the last ones are the differences of the two outputs' parameters.
        Settings of the training are scikit-learn's defaults; ``partial_fit`` continues from the
        parameters. ``n_iter_`` is 0 and ``loss_curve_`` is empty.

    Raises
    ------
    ValueError
        An activation, or the output with the cost, is not in scikit-learn; or ``classes`` has
        another length, is not ascending, or has other labels than text or whole numbers.
    TypeError
        `net` is not a Network.
    ImportError
        scikit-learn is not installed.

    Examples
    --------
    >>> import bpfast
    >>> net = bpfast.Network(
    ...     [4, 8, 3], hidden="relu", output="softmax", cost="log_likelihood", seed=0
    ... )
    >>> mlp = bpfast.formats.to_sklearn(net, classes=["ant", "bee", "fly"])
    >>> x = [[1, 2, 3, 4]]
    >>> mlp.predict_proba(x).shape, bool(mlp.predict(x)[0] == mlp.classes_[net(x).argmax()])
    ((1, 3), True)
    """
    models = optional("sklearn.neural_network", "to_sklearn", "sklearn")
    *hidden, output = of_layers(net)
    for k, name in enumerate(hidden):
        if name not in HIDDEN or name != hidden[0]:
            expected = "one activation of " + ", ".join(HIDDEN) + " for all hidden layers"
            got = f"{name!r} in hidden[{k}]" + (f" after {hidden[0]!r}" if k else "")
            raise ValueError(f"net: expected {expected}, as in scikit-learn, got {got}")
    if any(biases is None for biases in net.biases):
        raise ValueError("net: expected biases in each layer, as in scikit-learn, got none in one")
    labels, outputs, cost = None, net.sizes[-1], net.config["cost"]
    many = output == "sigmoid" and outputs > 1
    match (output, cost):
        case ("softmax", "log_likelihood") | ("sigmoid", "cross_entropy"):
            labels = _labels(classes, outputs, many)
        case ("identity", "quadratic"):
            if classes is not None:
                expected = "None, as a regressor has no classes"
                raise ValueError(f"classes: expected {expected}, got {_shortened(classes)}")
        case _:
            expected = "softmax with log_likelihood, sigmoid with cross_entropy, or identity with "
            expected += "quadratic, as in scikit-learn"
            raise ValueError(f"net: expected {expected}, got {output} with {cost}")
    options: dict[str, Any] = {"hidden_layer_sizes": net.sizes[1:-1]}
    if hidden:
        options["activation"] = HIDDEN[hidden[0]]
    # One step on other data sets every attribute that a fitted estimator has, in each version.
    rows = max(outputs, 2)
    x = np.zeros((rows, net.sizes[0]), net.dtype)
    if labels is None:
        estimator = models.MLPRegressor(**options, random_state=0)
        estimator.partial_fit(x, np.zeros((rows, outputs) if outputs > 1 else rows, net.dtype))
    else:
        estimator = models.MLPClassifier(**options, random_state=0)
        estimator.partial_fit(x, np.eye(outputs, dtype=int) if many else labels, classes=labels)
    estimator.set_params(random_state=None)
    parameters = list(zip(net.weights, net.biases, strict=True))
    if (output, outputs) == ("softmax", 2):  # a_2 = 1 / (1 + exp(z_1 - z_2))
        w, b = parameters[-1]
        parameters[-1] = (w[1:] - w[:1], b[1:] - b[:1])
    estimator.coefs_ = [np.array(w.T, order="C") for w, _ in parameters]
    estimator.intercepts_ = [np.array(b) for _, b in parameters]
    estimator.n_iter_ = estimator.t_ = 0
    estimator.loss_curve_ = []
    estimator.loss_ = estimator.best_loss_ = np.inf
    for stale in ("_optimizer", "_random_state"):  # of that step
        vars(estimator).pop(stale, None)
    return estimator


def _labels(classes: ArrayLike | None, outputs: int, many: bool) -> Any:
    """The labels of a classifier.

    Raises
    ------
    ValueError
        They do not fit the outputs.
    """
    count = max(outputs, 2)
    if classes is None:
        return np.arange(count)
    if many:
        expected = "None, as several sigmoid outputs are labels that do not exclude each other"
        raise ValueError(f"classes: expected {expected}, got {_shortened(classes)}")
    labels = np.asarray(classes)
    if labels.shape != (count,):
        raise ValueError(f"classes: expected shape ({count},), got {labels.shape}")
    if not _are_labels(classes, labels):
        expected = "text or whole numbers as labels"
        raise ValueError(f"classes: expected {expected}, got {_shortened(classes)}")
    if np.any(labels[:-1] >= labels[1:]):
        expected = "ascending labels, as scikit-learn sorts them"
        raise ValueError(f"classes: expected {expected}, got {_shortened(classes)}")
    return labels


def _shortened(classes: ArrayLike) -> str:
    """Labels for an error."""
    return np.array2string(np.asarray(classes, object), threshold=10, separator=", ")


def _are_labels(classes: Any, labels: NDArray[Any]) -> bool:
    """Whether scikit-learn takes `labels`, the array of `classes`, for those of classes."""
    from sklearn.utils.multiclass import type_of_target

    is_text = {isinstance(label, str) for label in np.asarray(classes, object)}
    if len(is_text) > 1 or (labels.dtype.kind == "f" and not np.isfinite(labels).all()):
        return False
    try:
        return type_of_target(labels) in ("binary", "multiclass")
    except (TypeError, ValueError):  # bytes
        return False
