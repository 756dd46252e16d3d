"""What a derived neuron gives: its table, formulas, program, picture and proof."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from stbp_edu import LIF, arrows, derive
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.lines.expressions import parse
from stbp_edu.losses import Membrane
from stbp_edu.verify.proof import prove

CONSTANTS = {"tau": 0.6, "v_th": 0.5}
TWO_MORE = (
    "{i} = 0.6 * {i} + x\n{a} = 0.8 * {a} + {o}\n{u} = tau * {u} * (1 - {o}) + {i}\n"
)
TWO_MORE += "{o} = spike({u} - v_th - 0.3 * {a})"


def test_a_read_out_does_not_spike_and_e_prop_goes_on_in_it():
    read_out = derive("u = kappa * u + x", kappa=0.9, learn=["kappa"])
    assert read_out.neuron.output == "u"
    assert [a.kind for a in read_out.neuron.arrows] == ["integrate"]
    assert read_out.prove().holds
    hidden = derive(from_lif(LIF(gate="soft")).lines.text, **CONSTANTS).neuron
    net = arrows.network("2-3R-2", [hidden, read_out.neuron], Membrane(None))
    word = arrows.forbidding_word(net, "e-prop")
    assert word == ("enter", "spike", "weight", "integrate", "readout")


def test_formulas_name_every_parameter_case_by_case():
    mine = derive(
        from_lif(LIF()).lines.text, **CONSTANTS, learn=["tau"], learn_each=["v_th"]
    )
    cases = {f"t {a} T, n {b} N" for a in "=<" for b in "=<"}
    for rule in arrows.RULES:
        assert {line.where for line in mine.formulas(rule, recurrent=True)} == {
            *cases,
            "all t",
        }
    names = ("w_{ij}^n", "b_i^n", "r_{ij}^n", r"\tau^n", "{V_{th}}_i^n")
    lefts = [line.left for line in mine.formulas(recurrent=True)[-5:]]
    assert lefts == [rf"\frac{{\partial L}}{{\partial {name}}}" for name in names]
    assert mine.formulas()[-2].right == (
        r"\sum_{t,i} u_i^{t,n} \partial_{\tau}f(o_i^{t,n}) \varepsilon_i^{t+1,n}"
    )
    assert (
        mine.formulas()
        ._repr_latex_()
        .startswith("$$\\begin{aligned}\n&\\textbf{t = T, n = N}")
    )


def test_names_and_powers_are_written_so_that_latex_reads_them():
    lines = "w_in = c1 * w_in ** 2 + x\nu = w_in ** 2\no = spike(u - theta)"
    mine = derive(lines, c1=0.5, theta=1.0)
    text = str(mine.formulas())
    assert "{w_{in}}_i^{t,n}" in text
    assert "_i^{t,n}^" not in text
    assert r"h(u_i^{t,n}-\theta)" in text


def test_each_kind_of_arrow_is_in_the_table_and_named_in_the_picture():
    mine = derive(TWO_MORE.format(i="i", a="a", u="u", o="o"), **CONSTANTS)
    shown = mine.graph()
    rows = re.findall(r"^(\d+) & \\textrm\{(\w+)\}", mine._repr_latex_(), flags=re.M)
    for _, kind in rows:
        assert kind in shown.alt
    assert [int(k) for k, _ in rows] == [*range(1, len(rows) + 1)]
    assert {"adapt", "threshold", "decay"} <= {kind for _, kind in rows}
    pictures = (shown.svg, shown.narrow)
    assert all(f">{kind}<" in svg for _, kind in rows for svg in pictures)


def test_a_word_or_the_traces():
    mine = derive(from_lif(LIF(gate="soft")).lines.text, **CONSTANTS)
    assert [str(line) for line in mine.online("ottt").formulas] == [
        r"e_{u,ij}^{t,n} = \tau e_{u,ij}^{t-1,n} + o_j^{t,n-1}  (each synapse)",
        r"e_{o,ij}^{t,n}[\mathrm{up}] = h(u_i^{t,n}-V_{th}) e_{u,ij}^{t,n}  (each synapse)",
        r"\frac{\partial L}{\partial w_{ij}^n} = \sum_t \left(\sum_k w_{ki}^{n+1} "
        r"\varepsilon_k^{t,n+1}[\mathrm{up}]\right) e_{o,ij}^{t,n}[\mathrm{up}]  (all t, n < N)",
    ]
    assert "'enter spike weight carry spike readout'" in str(mine.online("exact"))


def with_arrow(neuron, kind, **changes):
    """A neuron with a change of one arrow of its table."""
    table = tuple(replace(a, **changes) if a.kind == kind else a for a in neuron.arrows)
    return replace(neuron, arrows=table)


def first_fault(neuron):
    """What the proof says first of a neuron that is wrong."""
    proof = prove(neuron)
    assert not proof.holds
    return proof.faults[0]


def spiking(v_th, surrogate=None, line="u"):
    """A neuron with a threshold and a curve."""
    text = f"u = tau * {line} * (1 - o) + x\no = spike(u - v_th)"
    return derive(text, surrogate=surrogate, tau=0.6, v_th=v_th).neuron


FAR = parse("0.6 * (1 - o) * (1 + 0.1 * at_least(u, 3))")
"""The factor of what is carried, but for potentials that a neuron with V_th = 3 meets."""
UNCLIPPED = parse("0.6 * (1 - o)")
"""The factor of what is carried where nothing is clipped."""
HIGH, CLIPPED = spiking(3.0), spiking(0.5, line="max(u, -0.5)")
LEARNING = arrows.soft_reset(LIF(), learn_leak=True)
LATE, MORE = (
    arrows.Arrow("more", "o", target, parse("1"), step=step)
    for target, step in (("o", 1), ("u", 0))
)
ENTRY = replace(LEARNING.enters[0], factor=parse("o_last"))
FLAT = SimpleNamespace(derivative=lambda v: 0 * v + 0.5)
FLAT.antiderivative = FLAT.derivative
CARRY = "arrow 'carry' from u to u"
WRONG = {  # one thing, and the beginning of what the proof says
    **{
        f"an arrow too many, to {more.target}": (
            replace(LEARNING, arrows=(*LEARNING.arrows, more)),
            f"arrow 'more' from o to {more.target}: its factor is 1",
        )
        for more in (LATE, MORE)
    },
    "an entry": (
        replace(LEARNING, learned={"tau": (ENTRY,)}),
        "tau into u: its factor is",
    ),
    "a factor far away": (with_arrow(HIGH, "carry", factor=FAR), CARRY),
    "a clip that is forgotten": (with_arrow(CLIPPED, "carry", factor=UNCLIPPED), CARRY),
    "a curve": (spiking(0.5, FLAT), "arrow 'spike' from u to o: its factor is"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_the_first_thing_that_the_proof_says(name):
    neuron, said = WRONG[name]
    assert first_fault(neuron).startswith(said)


@pytest.mark.slow
def test_what_no_run_meets_is_not_called_proved():
    never = derive("u = tanh(x)\no = spike(u - v_th)", v_th=3.0).prove()
    assert not never.holds
    assert "NOT TESTED: no drawn run in which every layer fires" in str(never)
    idle = derive(
        "u = tau * u + x\nw = max(u - 1e5, 0)\no = spike(u - w)", tau=0.5
    ).prove()
    assert (
        "no drawn run in which arrow 'u>w' from u to w has a factor other than 0"
        in str(idle)
    )
    with pytest.raises(ValueError, match="no drawn run stays finite"):
        derive("u = x / u\no = spike(u)").prove()


@pytest.mark.slow
def test_what_is_not_judged_is_said():
    power = derive(
        "u = tau * u ** p + x\no = spike(u - v_th)", **CONSTANTS, p=2.0
    ).prove()
    assert power.holds
    assert "not judged: how p is learned" in str(power)


def test_a_constant_called_gamma_is_not_taken_for_an_adjoint():
    lines = "i = gamma * i + x\nu = 0.5 * u + i\no = spike(u - 0.3)"
    text = str(derive(lines, gamma=0.5).formulas())
    assert r"\gamma \bar{i}_i^{t+1,n}" in text
    assert r"\gamma_i" not in text


def test_what_stands_in_for_the_derivative_of_the_spike_is_said():
    mine = derive("u = 0.5 * u + x; o = spike(u - 0.3)")
    assert repr(mine).endswith("surrogate=Gaussian(a=0.5))")
    assert "surrogate" not in repr(derive("u = 0.5 * u + x"))
