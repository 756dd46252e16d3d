"""The oracle of the drawing: which paths there are, and what they carry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stbp_edu import LIF, Gaussian, cases
from stbp_edu.arrows import unrolled as graph
from stbp_edu.cases import ABLATIONS, CASE_RULES
from stbp_edu.verify import paths, report
from stbp_edu.verify.paths import Node, count_paths, paths_from, unroll
from tests.networks import failures, fast_backward, fast_forward, problems

NEURON = LIF(tau=0.5, v_th=0.5, surrogate=Gaussian(a=1.0))


def unrolled(sizes, T):
    """The graph of a random smooth twin: no factor is 0."""
    net = report.draw(np.random.default_rng(0), sizes, T, NEURON)
    trace = fast_forward(net.spikes, net.params, NEURON, twin=True)
    return unroll(trace, *net[1:])


@given(
    problem=problems(max_layers=3, max_steps=3, max_width=2, max_batch=2),
    rule=st.sampled_from(CASE_RULES + ABLATIONS),
)
def test_every_rule_is_the_sum_of_the_paths_it_keeps(problem, rule):
    args = (problem.trace, *problem[1:], rule)
    form = fast_backward if problem.neuron.gate == "soft" else cases.sweep
    assert not failures(form(*args), paths.derivatives(*args))


def test_too_many_paths_are_refused(monkeypatch):
    net = unrolled((1, 1), 3)
    start = Node("u", 1, 0, 0)
    monkeypatch.setattr(graph, "MOST_PATHS", 6)
    with pytest.raises(ValueError, match="T = 3 must make at most 6 paths, got 7 from"):
        paths_from(start, net)
    deep = unrolled((6, 4, 3, 2), 20)
    assert count_paths(Node("W", 1, i=0, j=0), deep) == 2_176_843_620
