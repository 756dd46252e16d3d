"""What the formulas of a rule say of its states, as one writes them down from the arrows."""

from stbp_edu import LIF, arrows, derive

HARD, SOFT = arrows.hard_reset(LIF()), arrows.soft_reset(LIF())
DEEP, FLAT = arrows.network("2-2-1", SOFT), arrows.network("2-1", SOFT)
HIDDEN = "t < T, n < N"


def lines(net, rule="exact", where=HIDDEN):
    """The lines of one case."""
    found = arrows.formulas(net, rule)
    return [f"{line.left} = {line.right}" for line in found if line.where == where]


def own(**moves):
    """A rule of one's own, by the moves of each of its states."""
    return arrows.Rule("mine", moves)


def test_states_of_a_rule_share_an_adjoint_only_where_they_keep_the_same():
    same = own(a={"weight": "b", "*": "a"}, b={"*": "b"})
    assert lines(DEEP, same) == lines(DEEP)
    cut = own(a={"weight": "b", "*": "a"}, b={"carry": None, "*": "b"})
    assert [line.split(" = ")[0] for line in lines(DEEP, cut)] == [
        *(r"\delta_i^{t,n}", r"\varepsilon_i^{t,n}"),
        *(r"\varepsilon_i^{t,n}[\mathrm{b}]", r"\delta_i^{t,n}[\mathrm{b}]"),
    ]


def test_formulas_name_the_state_that_is_sent():
    neuron = derive("u = tau * u + x", tau=0.5).neuron
    net = arrows.network("2-2R-2R", neuron, arrows.Loss("u"))
    by_weight, _, by_recurrent = arrows.formulas(net)[-3:]
    assert by_weight.right.endswith("u_j^{t,n-1}")
    assert by_recurrent.right.endswith("u_j^{t,n}")
