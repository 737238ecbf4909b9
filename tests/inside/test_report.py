"""`Report` as text, HTML and tables, and `Report.check`."""

import copy
import pickle

import numpy as np
import pytest

import bpfast
from bpfast.inside import explain
from tests.helpers.refuses import refuses
from tests.helpers.tolerance import rounded

RNG = np.random.default_rng(1)
X = RNG.standard_normal((150, 3))
Y = np.sin(2 * X[:, :1]) * X[:, 1:2]


def network(**options):
    arguments = {"hidden": "tanh", "output": "identity", "init": "xavier", "seed": 0}
    return bpfast.Network([3, 6, 1], **(arguments | options))


@pytest.fixture(scope="module")
def report():
    net = network()
    net.biases[0][:] = 15
    return explain(net, X, Y, learning_rate=0.02)


def test_text(report):
    lines = str(report).splitlines()
    assert lines[0].startswith("Report on 3-6-1: 150 examples, cost ")
    assert lines[2].startswith("1. saturated hidden neurons, layer 2 (BP2): at 100% of the neurons")
    assert any(line.startswith("   evidence: mean of σ' ") for line in lines)
    assert "   try: start with biases of 0" in lines
    assert any(line.split()[:4] == ["layer", "neurons", "activation", "arrives"] for line in lines)
    assert max(map(len, lines)) <= 110
    assert repr(report) == "<Report 3-6-1: saturated hidden neurons in layer 2>"


def test_the_table_of_neurons_of_a_healthy_network_is_information():
    text = str(explain(network(), X, Y))
    assert "no cause of slow learning found" in text
    assert "\nfor information, no fault: the smallest factors" in text
    assert "slowest" not in text


def test_html(report):
    text = report._repr_html_()
    assert text.count("<table>") >= 2
    assert "saturated hidden neurons" in text
    assert "σ&#x27; is below a tenth" in text


def test_tables(report):
    columns = report.to_dict()
    assert columns["layer"].tolist() == [2] * 6 + [3]
    assert columns["neuron"].tolist() == [0, 1, 2, 3, 4, 5, 0]
    assert columns["gate"].dtype == np.float64
    frame = report.to_pandas()
    assert frame.shape == (7, len(columns) - 2)
    assert frame.loc[(2, 3), "gate"] == columns["gate"][3]
    medians = report.layer_medians
    assert medians.keys() == {2, 3}
    assert medians[2]["inputs"] == rounded(np.median(columns["inputs"][:6]))


def test_copies_and_pickles(report):
    for twin in (copy.deepcopy(report), pickle.loads(pickle.dumps(report))):
        assert str(twin) == str(report)


def test_bad_input(report):
    healthy = explain(network(), X, Y)
    with refuses(ValueError, "^finding: expected a report with a finding, got one without$"):
        healthy.check()
    for arguments, kind, message in (
        ({"finding": 1}, ValueError, "^finding: expected an index below 1, got 1$"),
        (
            {"finding": "large_step"},
            ValueError,
            "^finding: expected one of saturated_hidden, got 'l",
        ),
        ({"finding": 0.5}, TypeError, "^finding: expected an integer, got float$"),
        ({"steps": 0}, ValueError, "^steps: expected a positive integer, got 0$"),
        ({"optimizer": "best"}, ValueError, "^optimizer: unknown name"),
        ({"seed": "a"}, TypeError, "^seed: "),
    ):
        with refuses(kind, message):
            report.check(**arguments)
