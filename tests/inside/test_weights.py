"""Examples of weight 0 have no part in what `explain`, `demon` and `Monitor` say."""

import numpy as np
import pytest

from benches.planted import cases
from bpfast.inside import Monitor, demon, explain
from tests.helpers.cases.explained import LABELS, X, classifier
from tests.helpers.refuses import refuses


def with_ignored_rows(x, y):
    """x and y with rows of weight 0 between the others, their weights, and the rows that count.

    The ignored rows have the largest x, the smallest ones, and the y of other rows.
    """
    rng = np.random.default_rng(0)
    n = len(x)
    rows = np.sort(rng.permutation(3 * n)[:n])
    order = rng.integers(n, size=3 * n)
    order[rows] = np.arange(n)
    weight, factor = np.zeros(3 * n), rng.choice([0.0, 1.0, 1e4], (3 * n, 1))
    weight[rows], factor[rows] = 1.0, 1.0
    targets = y[rng.integers(n, size=3 * n)]
    targets[rows] = y
    return x[order] * factor, targets, weight, rows


@pytest.mark.parametrize("case", cases.PLANTED, ids=lambda case: case.title)
def test_planted_faults(case):
    setup = case.make()
    x, y, weight, rows = with_ignored_rows(setup.x, setup.y)
    expected = explain(setup.net, setup.x, setup.y, **setup.options)
    found = explain(setup.net, x, y, sample_weight=weight, **setup.options)
    assert len(found.findings) == len(expected.findings) > 0
    for finding, other in zip(found.findings, expected.findings, strict=True):
        assert (finding.kind, finding.cause) == (other.kind, other.cause)
        assert finding.evidence == other.evidence
        assert finding.neurons.tolist() == other.neurons.tolist()
        assert finding.examples.tolist() == rows[other.examples].tolist()
    for row, other in zip(found.rows, expected.rows, strict=True):
        assert row.gradient == other.gradient
        assert row.examples.tolist() == rows[other.examples].tolist()
    assert (found.cost, found.baseline) == (expected.cost, expected.baseline)


def test_a_check_leaves_the_same_examples_out():
    case = next(case for case in cases.PLANTED if case.kind == "contradicting_examples")
    setup = case.make()
    x, y, weight, _ = with_ignored_rows(setup.x, setup.y)
    expected = explain(setup.net, setup.x, setup.y, **setup.options)
    found = explain(setup.net, x, y, sample_weight=weight, **setup.options)
    checks = [report.check("contradicting_examples", steps=5) for report in (found, expected)]
    assert checks[0].change == checks[1].change
    assert checks[0].cost_after.tolist() == checks[1].cost_after.tolist()


def test_demon():
    x, y, weight, _ = with_ignored_rows(X, LABELS)
    expected = demon(classifier(), X, LABELS)
    found = demon(classifier(), x, y, sample_weight=weight)
    np.testing.assert_array_equal(found.true, expected.true)
    np.testing.assert_array_equal(found.delta, expected.delta)


@pytest.mark.parametrize("hidden", ["tanh", "relu"])
def test_records_of_epochs(hidden):
    net = classifier(hidden=hidden)
    net.biases[0][:6] = -3.0
    x, y, weight, _ = with_ignored_rows(X, LABELS)
    expected = Monitor(X, LABELS, sample=200)
    expected.record(net)
    found = Monitor(x, y, sample_weight=weight, sample=200)
    found.record(net)
    for name in found.names:  # the samples have different orders
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)
    assert found.saturation_2[0] > 0


def test_the_sample_is_drawn_from_the_examples_that_count():
    weight = np.zeros(200)
    weight[7] = 1.0
    monitor = Monitor(X, LABELS, sample_weight=weight, sample=3)
    monitor.record(classifier())
    assert monitor.cost[0] == classifier().cost(X[7:8], LABELS[7:8])
    monitor = Monitor(X, LABELS, sample_weight=0 * weight, sample=3)
    with refuses(ValueError, "sample_weight"):
        monitor.record(classifier())
