"""The lines of some rules, word for word, as one writes them down from the arrows."""

import pytest

from stbp_edu import LIF, arrows, derive

HARD, SOFT = arrows.hard_reset(LIF()), arrows.soft_reset(LIF())
HIDDEN = "t < T, n < N"


def lines(net, rule="exact", where=HIDDEN):
    """The lines of one case."""
    return [
        f"{line.left} = {line.right}" for line in arrows.formulas(net, rule) if line.where == where
    ]


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
def test_the_classic_rule_has_one_adjoint_more(where):
    assert lines(arrows.network("2-2-1", HARD), "classic", where) == CLASSIC[where]


def test_an_arrow_that_forgets_the_spike_has_the_leak_as_its_factor():
    assert lines(arrows.network("2-2-1", HARD), "leak-only") == [
        r"\delta_i^{t,n} = \sum_j w_{ji}^{n+1} \varepsilon_j^{t,n+1}",
        r"\varepsilon_i^{t,n} = h(u_i^{t,n}) \delta_i^{t,n} + \tau \varepsilon_i^{t+1,n}",
    ]


def test_a_rule_that_counts_steps_has_adjoints_for_each_count():
    assert lines(arrows.network("2-2-1", SOFT), "truncated-1") == [
        r"\delta_i^{t,n} = \sum_j w_{ji}^{n+1} \varepsilon_j^{t,n+1} - "
        r"V_{th} \varepsilon_i^{t+1,n}[\mathrm{1}]",
        r"\varepsilon_i^{t,n} = h(u_i^{t,n}) \delta_i^{t,n} + "
        r"\tau \varepsilon_i^{t+1,n}[\mathrm{1}]",
        r"\varepsilon_i^{t,n}[\mathrm{1}] = h(u_i^{t,n}) \delta_i^{t,n}[\mathrm{1}]",
        r"\delta_i^{t,n}[\mathrm{1}] = \sum_j w_{ji}^{n+1} \varepsilon_j^{t,n+1}[\mathrm{1}]",
    ]


def test_states_of_a_rule_share_an_adjoint_only_where_they_keep_the_same():
    net, one = arrows.network("2-2-1", SOFT), arrows.network("2-1", SOFT)
    same = arrows.Rule("mine", {"a": {"weight": "b", "*": "a"}, "b": {"*": "b"}})
    assert lines(net, same) == lines(net)
    unread = arrows.Rule("mine", {"a": {"reset": "b", "*": "a"}, "b": {"readout": None, "*": "b"}})
    assert lines(one, unread, "t = T, n = N")[-1] == r"\delta_i^{T,N}[\mathrm{b}] = 0"
    cut = arrows.Rule("mine", {"a": {"weight": "b", "*": "a"}, "b": {"carry": None, "*": "b"}})
    assert [line.split(" = ")[0] for line in lines(net, cut)] == [
        *(r"\delta_i^{t,n}", r"\varepsilon_i^{t,n}"),
        *(r"\varepsilon_i^{t,n}[\mathrm{b}]", r"\delta_i^{t,n}[\mathrm{b}]"),
    ]
    moves = {"spike": "b", "*": "a"}, {"carry": "z", "*": "a"}, {"readout": None, "*": "z"}
    unreached = arrows.Rule("mine", dict(zip("abz", moves, strict=True)))  # b is of spikes alone
    assert lines(net, unreached) == lines(net)


def test_formulas_name_the_state_that_is_sent():
    sent = derive("u = tau * u + x", tau=0.5).neuron
    rights = [
        f.right
        for f in arrows.formulas(arrows.network("2-2R-2R", sent, arrows.Loss("of u", "u")))[-3:]
    ]
    assert rights[0].endswith("u_j^{t,n-1}")
    assert rights[2].endswith("u_j^{t,n}")
