import pytest

from stbp_edu import LIF
from stbp_edu.rules import ABLATIONS, RULES, backward_gate


@pytest.mark.parametrize("rule", RULES + ABLATIONS)
def test_every_rule_says_what_flows_back(rule):
    assert len(backward_gate(LIF(), rule)) == 2


def test_a_misspelt_rule_is_none():
    with pytest.raises(ValueError, match="'exakt'"):
        backward_gate(LIF(), "exakt")
