"""Arguments of the wrong kind: each is named in an error of ours, or gives the right result."""

import math

import numpy as np
import pytest

from stbp_edu import LIF, loss, network
from stbp_edu.neuron import GATES
from stbp_edu.surrogates import SURROGATES
from tests.networks import make_problem

PROBLEM = make_problem(3, [4, 3, 2], T=4, S=2, neuron=LIF(tau=0.5, v_th=0.6))


@pytest.mark.parametrize(
    "function",
    [
        getattr(s(1.0), name)
        for s in SURROGATES.values()
        for name in ("derivative", "antiderivative")
    ]
    + [getattr(LIF(gate=gate), name) for gate in GATES for name in ("f", "df", "g", "h", "H")],
)
def test_whole_numbers_and_pythons_own_count_as_floats(function) -> None:
    expected = function(np.array([-3.0, 0.0, 1.0]))
    np.testing.assert_array_equal(function(np.array([-3, 0, 1])), expected)
    assert [float(function(v)) for v in (-3, 0.0, True)] == expected.tolist()
    assert function(np.float32(0.5)).dtype == function(np.ones(1, np.float32)).dtype == np.float32


def test_the_loss_checks_the_outputs() -> None:
    p, spoiled = PROBLEM, [o.copy() for o in PROBLEM.trace.O]
    spoiled[-1][0, 0, 0] = math.nan
    with pytest.raises(ValueError, match=r"trace\.O\[N\] must be finite, got nan at index"):
        loss(network.Trace(U=p.trace.U, O=spoiled), p.targets)
    with pytest.raises(ValueError, match=r"trace\.O\[N\] must have shape \(T, S, n\[N\]\)"):
        loss(network.Trace(U=p.trace.U, O=[p.spikes[0]]), p.targets)
