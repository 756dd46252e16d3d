"""Learning forward in time: the traces of a synapse give the gradient of the backward form."""

import numpy as np
import pytest
from hypothesis import given

from stbp_edu import arrows, derive
from tests.arrows.oracle import Case, by_traces, cases

ABLE = ("spatial-only", "ottt", "e-prop", "e-prop-reset")


@given(case=cases(sizes=("3-2", "2-3-2", "2-2-3-2", "3-3R-2R")))
def test_p2_trace_step_p2_trace_signal_p2_trace_w_and_p2_trace_adapt(case):
    """Every rule that has an online form, on every neuron × loss: 1e-12.

    In one layer nothing leaves the neuron but to the loss, and even the exact rule has one.
    """
    net, params, trace, _, y = case.run()
    able = [name for name in arrows.RULES if not arrows.forbidding_word(net, name)]
    assert set(ABLE if net.N > 1 else arrows.RULES) <= set(able)
    local = arrows.local_derivatives(net, params, trace, y)
    for rule in able:
        found = by_traces(local, rule)
        wanted = arrows.backward(net, params, trace, y, rule).gradients
        for n in range(1, net.N + 1):
            size = np.abs(wanted[n]["W"]).max()
            apart = np.abs(found[n] - wanted[n]["W"]).max()
            assert apart <= 1e-12 * max(size, 1e-3), rule


@pytest.mark.parametrize(
    ("sizes", "rule", "word"),
    [
        ("2-2-1", "exact", "enter spike weight carry spike readout"),
        ("2-2-1", "classic", "enter spike weight spike reset spike readout"),
        ("2-2R", "exact", "enter spike recur spike readout"),
    ],
)
def test_a_rule_without_an_online_form_shows_the_word_that_forbids_it(
    sizes, rule, word
):
    net = Case(sizes=sizes).net
    assert " ".join(arrows.forbidding_word(net, rule)) == word
    assert tuple(word.split()[1:]) in {
        w for n in (1, net.N) for w in arrows.words(net, 4, rule, n)
    }


def test_steps_before_are_written_with_one_minus():
    """A factor that reads the step before its tail's, in a trace that reads the step before."""
    mine = derive("i = 0.5 * i * u + x\nu = 0.6 * u + i\no = spike(u - 0.4)")
    for rule in ("ottt", "e-prop"):
        written = "\n".join(map(str, mine.online(rule).formulas))
        assert "--" not in written
        assert "t-1" in written
