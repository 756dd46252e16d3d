import numpy as np
import pytest

from stbp_edu import LIF
from stbp_edu.rules import ABLATIONS, RULES, backward_gate

O, NONE = np.array([0.25, 1.0]), np.zeros(2)
DECAY = np.exp(-O / 0.6)
GATES = {
    "exponential": (0.6 * DECAY, -DECAY),
    "linear": (0.6 * (1 - O), np.full(2, -0.6)),
    "soft": (np.full(2, 0.6), NONE),
}


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_a_rule_keeps_the_gate_and_its_slope_or_leaves_them_out(gate, rule):
    neuron = LIF(tau=0.6, v_th=0.5, gate=gate)
    f, df = GATES[gate]
    left_out = {"leak-only": np.full(2, 0.6), "spatial-only": NONE}
    found = backward_gate(neuron, rule)
    assert found[0](O) == pytest.approx(left_out.get(rule, f), rel=1e-12)
    assert found[1](O) == pytest.approx(df if rule in RULES else NONE, rel=1e-12)
