"""The sweep and the engine say what is wrong with what they are given."""

import numpy as np
import pytest

from stbp_edu import LIF, backward, cases
from stbp_edu.network import Trace
from tests.networks import make_problem

PROBLEM = make_problem(0, [3, 4, 2], T=3, S=5, neuron=LIF(tau=0.5, v_th=0.6))


@pytest.mark.parametrize("run", [cases.sweep, backward], ids=["sweep", "engine"])
class TestBadInput:
    def call(self, run, trace=None, targets=None, params=None, rule="exact"):
        given = (trace or PROBLEM.trace, PROBLEM.targets if targets is None else targets)
        return run(*given, params or PROBLEM.params, PROBLEM.neuron, rule)

    def test_an_unknown_rule(self, run):
        with pytest.raises(ValueError, match="rule must be one of 'exact', 'classic'"):
            self.call(run, rule="bptt")

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            (lambda y: y[0], ValueError, r"targets must have shape \(S, n\[N\]\)"),
            (lambda y: y[:1], ValueError, r"= \(5, 2\), got \(1, 2\)"),
            (lambda y: y[:, :1], ValueError, r"= \(5, 2\), got \(5, 1\)"),
            (lambda y: y * np.nan, ValueError, "targets must be finite"),
            (lambda y: y.astype(int), TypeError, "targets must be float64"),
            (lambda y: y.astype(np.float32), TypeError, "targets must be float64"),
        ],
    )
    def test_targets(self, run, change, error, message):
        with pytest.raises(error, match=message):
            self.call(run, targets=change(PROBLEM.targets))

    def test_a_trace_of_other_layers(self, run):
        trace = PROBLEM.trace
        with pytest.raises(ValueError, match=r"trace.U must have N \+ 1 = 3 entries, got 2"):
            self.call(run, trace=Trace(U=trace.U[:2], O=trace.O[:2]))

    def test_a_trace_of_another_shape(self, run):
        trace = PROBLEM.trace
        U = [None, trace.U[1][:2], trace.U[2]]
        with pytest.raises(ValueError, match=r"trace.U\[1\] must have shape"):
            self.call(run, trace=Trace(U=U, O=trace.O))

    def test_a_trace_with_a_nan(self, run):
        trace = PROBLEM.trace
        trace.U[2][1, 2, 0] = np.nan
        with pytest.raises(
            ValueError, match=r"trace.U\[2\] must be finite, got nan at index .1, 2, 0."
        ):
            self.call(run, trace=trace)
