"""bpfast.metrics: the threshold of the outputs, and errors that begin with the argument."""

import numpy as np
import pytest

from bpfast import metrics
from tests.helpers.refuses import refuses

OUTPUTS = np.array([[3.0, -2.0], [-1.0, 0.2]])
Y = np.array([[1, 0], [1, 0]])
BOTH = (metrics.subset_accuracy, metrics.binary_accuracy)


@pytest.mark.parametrize(
    ("threshold", "rows", "numbers"),
    [(-1.5, 0.5, 0.75), (0.1, 0.5, 0.5), (np.float32(2), 0.5, 0.75), (9, 0, 0.5)],
)
def test_the_threshold_is_that_of_the_outputs(threshold, rows, numbers):
    """Outputs may be logits, whose threshold is below both values of y or above them."""
    for y in (Y, 2 * Y - 1):
        assert metrics.subset_accuracy(OUTPUTS, y, threshold=threshold) == rows
        assert metrics.binary_accuracy(OUTPUTS, y, threshold=threshold) == numbers


def test_the_default_threshold():
    assert metrics.binary_accuracy(OUTPUTS, Y) == 0.75  # 1/2
    assert metrics.binary_accuracy(OUTPUTS, 2 * Y - 1) == 0.5  # 0


@pytest.mark.parametrize("metric", BOTH)
@pytest.mark.parametrize(
    ("threshold", "kind", "message"),
    [
        ("high", TypeError, "^threshold: expected a number, got str$"),
        (True, TypeError, "^threshold: expected a number, got bool$"),
        ([0.5, 0.5], TypeError, "^threshold: expected a number, got list$"),
        (np.nan, ValueError, "^threshold: expected a number, got nan$"),
    ],
)
def test_a_bad_threshold(metric, threshold, kind, message):
    with refuses(kind, message, OUTPUTS, Y):
        metric(OUTPUTS, Y, threshold=threshold)


ALL = [getattr(metrics, name) for name in metrics.__all__]


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("outputs", "y", "kind", "message"),
    [
        (OUTPUTS, Y[:1], ValueError, r"^y: expected shape \(2, 2\), or labels, got \(1, 2\)$"),
        (OUTPUTS, [["a", "b"]] * 2, TypeError, "^y: expected real numbers, got dtype <U1"),
        (OUTPUTS[:0], Y[:0], ValueError, r"^outputs: expected shape \(n, n_L\) with one or more"),
    ],
)
def test_errors_begin_with_the_argument(metric, outputs, y, kind, message):
    with refuses(kind, message):
        metric(outputs, y)


@pytest.mark.parametrize("metric", [metrics.accuracy, *BOTH])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 2], "^y: expected labels from 0 to 1, got 2 in row 1; mean_squared_error"),
        ([[0.5, 0.1], [0, 1]], "^y: expected .* that are 0 or 1.*, got .* in row 0"),
    ],
)
def test_a_y_without_classes(metric, y, message):
    with refuses(ValueError, message):
        metric(OUTPUTS, y)


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.filterwarnings("error")
def test_labels_of_any_dtype(metric):
    """As `fit` and `cost` take them; none that is no output counts as a row of zeros."""
    labels = [0, 1]
    for dtype in (bool, np.uint8, np.float32, np.float64):
        assert metric(OUTPUTS, np.array(labels, dtype)) == metric(OUTPUTS, labels)
    for wrong in (2, -1, 255, 2.0, np.inf):
        with refuses(ValueError, f"^y: expected labels from 0 to 1, got {wrong:g} in row 1"):
            metric(OUTPUTS, [0, wrong])
    with refuses(ValueError, "^y.*: expected (labels from 0 to 1|finite numbers), got nan"):
        metric(OUTPUTS, [0, np.nan])
    with refuses(ValueError, r"^y: expected shape \(2, 2\), or labels, got \(2,\)$"):
        metric(OUTPUTS, [0, 0.5])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-315, 1e-250, 1e-3, 1e30, 1e250, 3e307])
def test_regressions_of_any_size(size):
    """The columns differ in size, and their sums and squares may be outside of float64."""
    y = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.0]])
    outputs = y + np.array([[0.5, 1.0]])
    scale = np.array([size, 1.0])
    assert metrics.r2(outputs * scale, y * scale) == pytest.approx(1 - (1 / 5 + 4 / 5) / 2, 1e-3)
    few = slice(None), slice(0, 1)
    error = metrics.mean_absolute_error(outputs[few] * size, y[few] * size)
    assert error == pytest.approx(size / 2, 1e-3)
    root = np.sqrt(metrics.mean_squared_error(outputs[few] * size, y[few] * size))
    assert root == pytest.approx(size / 2, 1e-3) or not 1e-150 < size < 1e150
