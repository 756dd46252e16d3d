"""Random neurons from their lines: their proof, and learning forward."""

import os

import pytest

from stbp_edu.arrows import (
    RULES,
    backward,
    forbidding_word,
    forward,
    local_derivatives,
)
from tests.arrows.oracle import by_traces
from tests.derive.texts import derived, run_of


def seeds(few, all_of_them):
    """Return a few seeds for the quick loop, and others marked slow: all in the weekly workflow."""
    if os.environ.get("STBP_EXAMPLES", "quick") in ("quick", "more"):
        all_of_them //= 3
    rest = [pytest.param(k, marks=pytest.mark.slow) for k in range(few, all_of_them)]
    return pytest.mark.parametrize("seed", [*range(few), *rest])


@seeds(3, 150)
def test_the_proof_holds(seed):
    # every constant learned: factors and gradients by differences, every rule by its paths
    proof = derived(seed).prove()
    assert not proof.faults, str(proof)
    assert all(row.difference <= row.allowed for row in proof.rows), str(proof)


@seeds(4, 60)
def test_the_online_form_equals_the_recursion(seed):
    mine = derived(seed)
    net, params, inputs, y = run_of(mine.neuron, seed, "3-3-2")
    trace = forward(net, params, inputs)
    local = local_derivatives(net, params, trace, y)
    for rule in RULES:
        if RULES[rule].keeps(net) and not forbidding_word(net, rule):
            assert net.loss.state == "u" or mine.online(rule).word is None
            found, swept = by_traces(local, rule), backward(net, params, trace, y, rule)
            for n in range(1, net.N + 1):
                wanted = swept.gradients[n]["W"]
                assert found[n] == pytest.approx(wanted, rel=1e-11, abs=1e-14)
