"""Weights of classes and of examples, also of classes that are absent and below 0."""

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.utils import compute_sample_weight

from bpfast.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 5))
Y = RNG.integers(0, 3, 80)
LABELS = RNG.integers(0, 2, (80, 3))
WEIGHT = RNG.random(80)
SIGNED = np.where(np.arange(80) < 9, -0.5, WEIGHT)


def classifier(**parameters):
    settings = {"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0}
    return MLPClassifier(**settings | parameters)


def same(model, other):
    return np.array_equal(model.network_.params, other.network_.params)


def test_a_class_that_is_not_in_the_batch():
    model = classifier(class_weight={0: 2.0}).partial_fit(X, Y, classes=[0, 1, 2])
    other = classifier().partial_fit(X, Y, classes=[0, 1, 2], sample_weight=1.0 + (Y == 0))
    for fitted in (model, other):
        fitted.partial_fit(X[Y != 0], Y[Y != 0])
    assert same(model, other)


@pytest.mark.parametrize("seed", range(4))
def test_a_class_of_which_all_examples_are_held_out(seed):
    y = np.where(np.arange(80) == 3, 9, Y)
    model = classifier(class_weight={9: 2.0}, early_stopping=True, random_state=seed).fit(X, y)
    assert model.classes_.tolist() == [0, 1, 2, 9]


def test_several_labels():
    """Also those of which a batch has no 0 or no 1."""
    by_label = [{1: 2.0}, {0: 3.0, 1: 1.0}, {}]
    whole = [{0: 1.0, 1: 2.0}, {0: 3.0, 1: 1.0}, {0: 1.0, 1: 1.0}]
    weight = compute_sample_weight(whole, LABELS)
    model = classifier(class_weight=by_label).fit(X, LABELS)
    assert same(model, classifier().fit(X, LABELS, sample_weight=weight))
    model.partial_fit(X, np.zeros_like(LABELS))


@pytest.mark.parametrize(
    ("class_weight", "kind", "message"),
    [
        ({0: np.nan}, ValueError, r"class_weight\[0\]: expected a finite number, got nan"),
        ({0: np.inf}, ValueError, r"class_weight\[0\]: expected a finite number, got inf"),
        ({0: None}, TypeError, r"class_weight\[0\]: expected a number, got NoneType"),
        ({np.int64(1): "2"}, TypeError, r"class_weight\[1\]: expected a number, got str"),
        ({7: 1.0}, ValueError, r"class_weight: expected labels of the classes \[0 1 2\], got 7"),
        ([{0: 1.0}], ValueError, "class_weight: expected 'balanced' or a dict .*, got a list"),
        ({0: 0, 1: 0, 2: 0}, ValueError, "class_weight: expected a weight above 0 .*, got none"),
    ],
)
def test_weights_of_classes_that_are_refused(class_weight, kind, message):
    with pytest.raises(kind, match=f"^{message}$"):
        classifier(class_weight=class_weight).fit(X, Y)


@pytest.mark.parametrize(
    ("class_weight", "kind", "message"),
    [
        ({0: 1.0}, ValueError, "class_weight: expected .* a list of 3 dicts, .*, got a dict"),
        ([{}, {}], ValueError, "class_weight: expected .* a list of 3 dicts, .*, got a list of 2"),
        ([{}, 1.0, {}], TypeError, r"class_weight\[1\]: expected a dict for 0 and 1, got float"),
        ([{}, {2: 1.0}, {}], ValueError, r"class_weight\[1\]: expected labels of .*\[0 1\], got 2"),
        ([{}, {}, {1: "a"}], TypeError, r"class_weight\[2\]\[1\]: expected a number, got str"),
    ],
)
def test_weights_of_several_labels_that_are_refused(class_weight, kind, message):
    with pytest.raises(kind, match=f"^{message}$"):
        classifier(class_weight=class_weight).fit(X, LABELS)


def test_weights_below_0_with_lbfgs():
    """The loss is Σ s_x C_x / Σ s_x, as scikit-learn has it."""
    settings = {"hidden_layer_sizes": (4,), "solver": "lbfgs", "max_iter": 5, "random_state": 0}
    for ours, other, y in (
        (MLPClassifier, theirs.MLPClassifier, Y),
        (MLPRegressor, theirs.MLPRegressor, X[:, 0]),
    ):
        own, wanted = (
            class_(**settings).fit(X, y, sample_weight=SIGNED) for class_ in (ours, other)
        )
        assert own.n_iter_ == wanted.n_iter_
        assert own.loss_ == pytest.approx(wanted.loss_, rel=1e-9)


def test_weights_of_more_classes_than_a_fold_has():
    two = Y < 2
    by_class = {0: 1.0, 1: 2.0, 2: 3.0}
    model = classifier(class_weight=by_class).fit(X[two], Y[two])
    assert same(model, classifier(class_weight={0: 1.0, 1: 2.0}).fit(X[two], Y[two]))
    with pytest.raises(ValueError, match=r"labels of the classes \[0 1\], got 2"):
        classifier(class_weight={0: 1.0, 2: 3.0}).fit(X[two], Y[two])


@pytest.mark.parametrize("y", [Y, LABELS], ids=["classes", "labels"])
def test_balanced_classes_count_an_example_of_weight_2_twice(y):
    weight = RNG.integers(0, 4, 80)
    again = np.repeat(np.arange(80), weight)
    model = classifier(class_weight="balanced", solver="lbfgs", max_iter=20)
    once = model.fit(X, y, sample_weight=weight).network_.params.copy()
    np.testing.assert_allclose(model.fit(X[again], y[again]).network_.params, once, rtol=1e-6)


def test_a_class_whose_weights_are_0_is_none():
    weight = np.where(Y == 2, 0.0, 1.0)
    two = compute_sample_weight("balanced", Y[Y != 2])
    model = classifier(class_weight="balanced").fit(X, Y, sample_weight=weight)
    by_hand = np.zeros(80)
    by_hand[Y != 2] = two
    assert same(model, classifier().fit(X, Y, sample_weight=by_hand))


def test_weights_below_0_for_validation():
    model = classifier(max_iter=1).fit(X, Y, validation_data=(X, Y, SIGNED))
    right = model.predict(X) == Y
    score = (SIGNED * right).sum() / SIGNED.sum()
    assert model.validation_scores_[0] == pytest.approx(score, rel=1e-12)
    costs = model.network_.cost(X, Y, reduction="none")
    loss = (SIGNED * costs).sum() / SIGNED.sum()
    assert model.validation_loss_curve_[0] == pytest.approx(loss, rel=1e-12)
    classifier(early_stopping=True).fit(X, Y, sample_weight=SIGNED)


@pytest.mark.parametrize("parameters", [{}, {"solver": "lbfgs"}, {"early_stopping": True}])
def test_weights_of_which_none_is_above_0(parameters):
    weight = -WEIGHT
    weight[0] = 0
    message = (
        r"^sample_weight\[1\]: expected a finite weight, 0 or above, where no weight .*, got -"
    )
    with pytest.raises(ValueError, match=message) as caught:
        classifier(**parameters).fit(X, Y, sample_weight=weight)
    assert "float64" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"solver": "lbfgs"}, "a sum above 0 with solver='lbfgs', got -70"),
        ({"early_stopping": True}, "a sum above 0 over the examples for validation, got -"),
    ],
)
def test_weights_whose_sum_is_below_0(parameters, message):
    weight = np.where(np.arange(80) < 5, 1.0, -1.0)
    with pytest.raises(ValueError, match=f"^sample_weight: expected {message}"):
        classifier(**parameters).fit(X, Y, sample_weight=weight)
