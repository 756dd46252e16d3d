"""The lines of some rules, word for word, as one writes them down from the arrows."""

import pytest

from stbp_edu import LIF
from stbp_edu.arrows import (
    Rule,
    formulas,
    hard_reset,
    membrane,
    network,
    soft_reset,
    with_adaptation,
    with_current,
)

HARD, SOFT = hard_reset(LIF()), soft_reset(LIF())
HIDDEN = "t < T, n < N"


def lines(net, rule="exact", where=HIDDEN):
    """The lines of one case."""
    return [f"{line.left} = {line.right}" for line in formulas(net, rule) if line.where == where]


def test_a_line_says_what_it_is_and_where():
    last = formulas(network("2-1", SOFT))[-1]
    assert str(last) == (r"\frac{\partial L}{\partial b_i^n} = \sum_t \varepsilon_i^{t,n}  (all t)")


CLASSIC = {
    HIDDEN: [
        r"\delta_i^{t,n} = \sum_j w_{ji}^{n+1} \varepsilon_j^{t,n+1}[\mathrm{owes}] + "
        r"u_i^{t,n} f'(o_i^{t,n}) \varepsilon_i^{t+1,n}[\mathrm{owes}]",
        r"\varepsilon_i^{t,n} = h(u_i^{t,n}) \delta_i^{t,n} + f(o_i^{t,n}) \varepsilon_i^{t+1,n}",
        r"\varepsilon_i^{t,n}[\mathrm{owes}] = h(u_i^{t,n}) \delta_i^{t,n}",
    ],
    "t = T, n = N": [
        r"\delta_i^{T,N} = \frac{\partial L}{\partial o_i^{T,N}}",
        r"\varepsilon_i^{T,N} = h(u_i^{T,N}) \delta_i^{T,N}",
        r"\varepsilon_i^{T,N}[\mathrm{owes}] = h(u_i^{T,N}) \delta_i^{T,N}",
    ],
    "all t": [
        r"\frac{\partial L}{\partial w_{ij}^n} = \sum_t \varepsilon_i^{t,n} o_j^{t,n-1}",
        r"\frac{\partial L}{\partial b_i^n} = \sum_t \varepsilon_i^{t,n}",
    ],
}


@pytest.mark.parametrize("where", CLASSIC)
def test_the_classic_rule(where):
    assert lines(network("2-2-1", HARD), "classic", where) == CLASSIC[where]


def test_an_arrow_that_forgets_the_spike_has_the_leak_as_its_factor():
    assert lines(network("2-2-1", HARD), "leak-only") == [
        r"\delta_i^{t,n} = \sum_j w_{ji}^{n+1} \varepsilon_j^{t,n+1}",
        r"\varepsilon_i^{t,n} = h(u_i^{t,n}) \delta_i^{t,n} + \tau \varepsilon_i^{t+1,n}",
    ]


def test_a_rule_that_counts_steps_has_adjoints_for_each_count():
    assert lines(network("2-2-1", SOFT), "truncated-1") == [
        r"\delta_i^{t,n} = \sum_j w_{ji}^{n+1} \varepsilon_j^{t,n+1} - "
        r"V_{th} \varepsilon_i^{t+1,n}[\mathrm{1}]",
        r"\varepsilon_i^{t,n} = h(u_i^{t,n}) \delta_i^{t,n} + "
        r"\tau \varepsilon_i^{t+1,n}[\mathrm{1}]",
        r"\varepsilon_i^{t,n}[\mathrm{1}] = h(u_i^{t,n}) \delta_i^{t,n}[\mathrm{1}]",
        r"\delta_i^{t,n}[\mathrm{1}] = \sum_j w_{ji}^{n+1} \varepsilon_j^{t,n+1}[\mathrm{1}]",
    ]


def test_a_state_of_a_rule_that_refuses_an_arrow_has_adjoints_of_its_own():
    rule = Rule("mine", {"a": {"weight": "b", "*": "a"}, "b": {"carry": None, "*": "b"}})
    assert lines(network("2-2-1", SOFT), rule) == [
        r"\delta_i^{t,n} = \sum_j w_{ji}^{n+1} \varepsilon_j^{t,n+1}[\mathrm{b}] - "
        r"V_{th} \varepsilon_i^{t+1,n}",
        r"\varepsilon_i^{t,n} = h(u_i^{t,n}) \delta_i^{t,n} + \tau \varepsilon_i^{t+1,n}",
        r"\varepsilon_i^{t,n}[\mathrm{b}] = h(u_i^{t,n}) \delta_i^{t,n}[\mathrm{b}]",
        r"\delta_i^{t,n}[\mathrm{b}] = \sum_j w_{ji}^{n+1} \varepsilon_j^{t,n+1}[\mathrm{b}] - "
        r"V_{th} \varepsilon_i^{t+1,n}[\mathrm{b}]",
    ]


def test_a_state_of_a_rule_that_does_not_read_the_loss_has_adjoints_of_its_own():
    rule = Rule("mine", {"a": {"reset": "b", "*": "a"}, "b": {"readout": None, "*": "b"}})
    assert lines(network("2-1", SOFT), rule, "t = T, n = N") == [
        r"\delta_i^{T,N} = \frac{\partial L}{\partial o_i^{T,N}}",
        r"\varepsilon_i^{T,N} = h(u_i^{T,N}) \delta_i^{T,N}",
        r"\varepsilon_i^{T,N}[\mathrm{b}] = h(u_i^{T,N}) \delta_i^{T,N}[\mathrm{b}]",
        r"\delta_i^{T,N}[\mathrm{b}] = 0",
    ]


def test_states_of_a_rule_that_keep_the_same_share_their_adjoints():
    rule = Rule("mine", {"a": {"weight": "b", "*": "a"}, "b": {"*": "b"}})
    net = network("2-2-1", SOFT)
    assert lines(net, rule) == lines(net)


def test_an_adjoint_that_no_word_reaches_has_no_line():
    """Only spikes are in state b, so that nothing is ever carried on from it."""
    rule = Rule(
        "mine",
        {
            "a": {"spike": "b", "*": "a"},
            "b": {"carry": "z", "*": "a"},
            "z": {"readout": None, "*": "z"},
        },
    )
    net = network("2-2-1", SOFT)
    assert lines(net, rule) == lines(net)


def test_a_loss_that_reads_potentials():
    net = network("2-2-1", HARD, membrane())
    assert lines(net, where="t = T, n = N") == [
        r"\delta_i^{T,N} = 0",
        r"\varepsilon_i^{T,N} = \frac{\partial L}{\partial u_i^{T,N}} + "
        r"h(u_i^{T,N}) \delta_i^{T,N}",
    ]


def test_two_states_more_recurrent_weights_and_a_learned_leak():
    leaky = hard_reset(LIF(), learn_leak=True)
    net = network("2-2R-2R", with_adaptation(with_current(leaky, 0.5), 0.5, 0.9))
    assert lines(net) == [
        r"\delta_i^{t,n} = \sum_j w_{ji}^{n+1} \gamma_j^{t,n+1} + u_i^{t,n} f'(o_i^{t,n}) "
        r"\varepsilon_i^{t+1,n} + \zeta_i^{t+1,n} + \sum_j r_{ji}^{n} \gamma_j^{t+1,n}",
        r"\varepsilon_i^{t,n} = h(u_i^{t,n}-\beta a_i^{t,n}) \delta_i^{t,n} + "
        r"f(o_i^{t,n}) \varepsilon_i^{t+1,n}",
        r"\zeta_i^{t,n} = \rho \zeta_i^{t+1,n} - \beta h(u_i^{t,n}-\beta a_i^{t,n}) \delta_i^{t,n}",
        r"\gamma_i^{t,n} = \alpha \gamma_i^{t+1,n} + \varepsilon_i^{t,n}",
    ]
    assert lines(net, where="t = T, n < N") == [
        r"\delta_i^{T,n} = \sum_j w_{ji}^{n+1} \gamma_j^{T,n+1}",
        r"\varepsilon_i^{T,n} = h(u_i^{T,n}-\beta a_i^{T,n}) \delta_i^{T,n}",
        r"\zeta_i^{T,n} = -\beta h(u_i^{T,n}-\beta a_i^{T,n}) \delta_i^{T,n}",
        r"\gamma_i^{T,n} = \varepsilon_i^{T,n}",
    ]
    assert lines(net, where="all t") == [
        r"\frac{\partial L}{\partial w_{ij}^n} = \sum_t \gamma_i^{t,n} o_j^{t,n-1}",
        r"\frac{\partial L}{\partial b_i^n} = \sum_t \gamma_i^{t,n}",
        r"\frac{\partial L}{\partial r_{ij}^n} = \sum_t \gamma_i^{t+1,n} o_j^{t,n}",
        r"\frac{\partial L}{\partial \tau^n} = "
        r"\sum_{t,i} u_i^{t,n} \partial_{\tau}f(o_i^{t,n}) \varepsilon_i^{t+1,n}",
    ]


def test_an_output_neuron_without_a_state_of_the_hidden_ones_has_no_line_of_it():
    net = network("2-2-1", [with_current(SOFT, 0.5), SOFT])
    assert lines(net, where="t = T, n = N") == [
        r"\delta_i^{T,N} = \frac{\partial L}{\partial o_i^{T,N}}",
        r"\varepsilon_i^{T,N} = h(u_i^{T,N}) \delta_i^{T,N}",
    ]
