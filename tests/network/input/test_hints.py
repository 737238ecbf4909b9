"""What errors of shapes and of unknown names suggest to users of other conventions."""

import numpy as np
import pytest
import scipy.sparse

import bpfast
from bpfast import schedules
from tests.helpers.refuses import refuses

RNG = np.random.default_rng(0)
NET = bpfast.Network([6, 4, 3], seed=0)
X, Y = RNG.random((5, 6)), RNG.random((5, 3))
AS_ROWS = r"^x: expected shape \(6, 6\), got \(6, 5\); examples are rows: x.T$"


def cross_validate(**more):
    return bpfast.cross_validate(NET, X, Y, **more)


@pytest.mark.parametrize("convert", [np.asarray, scipy.sparse.csr_array])
def test_examples_as_columns(convert):
    x = convert(X.T)
    for call in (
        lambda: NET.forward(x),
        lambda: NET.backprop(x, Y),
        lambda: NET.fit(x, Y),
        lambda: bpfast.forward_many([NET], x),
    ):
        with refuses(ValueError, AS_ROWS.replace("^", r"^(nets\[0\]: )?")):
            call()


def test_targets_as_columns():
    message = r"^y: expected shape \(5, 3\), got \(3, 5\); examples are rows: y.T$"
    for call in (NET.backprop, NET.cost):
        with refuses(ValueError, message):
            call(X, Y.T)


def test_images_and_rows_of_sparse_matrices():
    hint = r"; one row per example is x.reshape\(len\(x\), -1\)$"
    with refuses(ValueError, r"got shape \(5, 2, 3\)" + hint):
        NET.forward(X.reshape(5, 2, 3))
    with refuses(ValueError, r"got shape \(6,\); one example is x.reshape\(1, -1\)$"):
        NET.forward(scipy.sparse.coo_array(X[0]))


def test_a_column_of_weights():
    hint = r"; one axis is .ravel\(\)$"
    with refuses(ValueError, r"^sample_weight: expected 1 dimension, got shape \(5, 1\)" + hint):
        NET.backprop(X, Y, sample_weight=np.ones((5, 1)))
    with refuses(ValueError, r"^sample_weight\[0\]: .* 0 or above, got -1; reduction='sum' takes"):
        NET.backprop(X, Y, sample_weight=-np.ones(5))


def test_entries_of_different_shapes():
    message = "^gradient: expected an array, got a tuple whose entries, of Gradient and ndarray, "
    with refuses(ValueError, message):
        bpfast.SGD(0.1).step(NET.copy().params, NET.vjp(X, Y))
    message = "^x: expected an array, got a list whose entries, of list, have different shapes$"
    with refuses(ValueError, message):
        NET.forward([[1, 2, 3, 4, 5, 6], [1]])


def test_parameters_of_other_conventions():
    weights, biases = [w.T for w in NET.weights], list(NET.biases)
    hint = r"; W\^l has the shape \(n_l, n_\(l-1\)\): pass weights\[k\].T of each$"
    with refuses(ValueError, r"^biases\[0\]: expected shape \(6,\), got \(4,\)" + hint):
        bpfast.Network.from_parameters(weights, biases)
    with refuses(ValueError, r"^weights\[1\]: expected shape \(4, 6\), got \(4, 3\)" + hint):
        bpfast.Network.from_parameters(weights, None)
    message = r"^biases\[1\]: expected shape \(3,\), got \(3, 1\); one axis is .ravel\(\)$"
    with refuses(ValueError, message):
        bpfast.Network.from_parameters(list(NET.weights), [biases[0], biases[1][:, np.newaxis]])
    with refuses(ValueError, r"^weights\[1\]: expected shape \(3, 4\), got \(3, 5\)$"):
        bpfast.Network.from_parameters([np.ones((4, 6)), np.ones((3, 5))], None)


@pytest.mark.parametrize(
    ("call", "title", "name", "meant"),
    [
        (NET.fit, "fit", "scheduler", r"learning_rate=bpfast.schedules.Cosine\(...\)"),
        (NET.fit, "fit", "test_data", "'validation'"),
        (NET.fit, "fit", "n_jobs", r"bpfast.set_num_threads\(...\)"),
        (NET.clipped_backprop, "clipped_backprop", "max_grad_norm", "'max_norm'"),
        (schedules.Cosine, "Cosine", "T_max", "'steps'"),
        (schedules.Plateau, "Plateau", "gamma", "'factor'"),
        (schedules.OneCycle, "OneCycle", "max_lr", "'peak'"),
        (bpfast.inside.explain, "explain", "lr", "'learning_rate'"),
        (bpfast.inside.Monitor, "Monitor", "every_step", "'every_steps'"),
        (bpfast.scipy_minimize, "scipy_minimize", "maxiter", "'max_iterations'"),
        (bpfast.least_squares, "least_squares", "gtol", "'gradient_tolerance'"),
        (cross_validate, "cross_validate", "cv", "'folds'"),
    ],
)  # fmt: skip
def test_arguments_of_other_libraries(call, title, name, meant):
    with refuses(TypeError, f"^{title}: unknown argument '{name}'; did you mean {meant}\\?$"):
        call(**{name: 1})


def test_too_many_arguments():
    with refuses(TypeError, "^Cosine: expected at most 3 arguments, got 4$"):
        schedules.Cosine(0.1, 10, 0.0, 1)


def test_what_is_no_callback_but_an_argument():
    stop = bpfast.EarlyStopping(3)
    for callbacks, name in ((stop, "callbacks"), ([stop], r"callbacks\[0\]")):
        with refuses(TypeError, f"^{name}: expected a callable.*; pass it as early_stopping=$"):
            NET.fit(X, Y, callbacks=callbacks)


def test_columns_of_other_libraries():
    history = NET.copy().fit(X, Y, epochs=1, validation=(X, Y))
    message = "name: expected one of .*, got 'val_loss'; did you mean 'validation_cost'\\?"
    with pytest.raises(AttributeError, match=message):
        _ = history.val_loss
    with pytest.raises(KeyError, match=message):
        _ = history["val_loss"]
    with refuses(ValueError, message.replace("name", "column")):
        history.best("val_loss")


def test_a_cross_validation_is_shown_in_one_line():
    found = bpfast.cross_validate(NET, X, Y, 2, epochs=1)
    mean = found.scores["validation_cost"].mean()
    assert repr(found) == f"CrossValidation(2 folds: validation_cost {mean:.4g})"
