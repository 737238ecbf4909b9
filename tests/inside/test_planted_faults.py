"""`explain` names a planted fault first, and none in a healthy network."""

import numpy as np
import pytest

import bpfast
from benches.planted import cases, variants
from bpfast.inside import CAUSES, explain

# The goal of benches/planted/__main__.py; all of them at present.
MIN_FOUND = 19


def named(case):
    setup = case.make()
    return explain(setup.net, setup.x, setup.y, **setup.options)


@pytest.mark.parametrize("chosen", [cases, variants], ids=["cases", "variants"])
def test_planted(chosen):
    assert len(chosen.PLANTED) == 20
    wrong = {}
    for case in chosen.PLANTED:
        main = named(case).main
        found = "" if main is None else main.kind
        because = "" if main is None or not case.because else main.because
        if (found, because) != (case.kind, case.because):
            wrong[case.title] = found, because
    assert len(wrong) <= 20 - MIN_FOUND, wrong


@pytest.mark.parametrize("case", cases.HEALTHY + variants.HEALTHY, ids=lambda case: case.title)
def test_healthy(case):
    assert [finding.kind for finding in named(case).findings] == []


def test_the_planted_faults_are_of_many_kinds():
    kinds = {case.kind for case in cases.PLANTED + variants.PLANTED}
    # Small weights are an own case below.
    assert kinds == CAUSES.keys() - {"small_weights"}


def test_small_weights():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 4))
    net = bpfast.Network([4, 20, 20, 1], hidden="tanh", output="identity", init="xavier", seed=0)
    net.params *= 0.01
    main = explain(net, x, np.sin(x[:, :1])).main
    assert (main.kind, main.because) == ("small_weights", "weights")
