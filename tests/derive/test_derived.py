"""What a derived neuron gives: its table, formulas, program, picture and proof."""

import re
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

import stbp_edu
from stbp_edu import LIF, Gaussian, Rectangle, Triangle, arrows, derive
from stbp_edu.arrows.neurons import lif_lines
from stbp_edu.proof import prove
from tools.notebooks.numbering import files

CONSTANTS = {"tau": 0.6, "v_th": 0.5}
TWO_MORE = "{i} = 0.6 * {i} + x\n{a} = 0.8 * {a} + {o}\n{u} = tau * {u} * (1 - {o}) + {i}\n"
TWO_MORE += "{o} = spike({u} - v_th - 0.3 * {a})"


def started():
    """The ten neurons to start from, as the notebook has them."""
    cells = nbformat.read(files()["derive_yours"], as_version=4).cells
    space = {"stbp_edu": stbp_edu}
    for cell in cells:
        if cell.source.startswith(("texts = {", "values = dict(")):
            exec(cell.source.split("\nfor name in texts")[0], space)
    return {name: space["start_from"](name) for name in space["texts"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", started())
def test_the_ten_neurons_to_start_from_are_proved(name):
    proof = started()[name].prove()
    assert proof.holds, str(proof)


def test_a_neuron_that_is_not_the_courses_is_proved():
    mine = derive(
        """
        # a gate between two steps, x read twice, and a constant in two lines
        i = alpha * i + (1 - alpha) * x
        u = tau * u * (1 - o) + i * o + x + w
        o = spike(u - v_th)
        w = tanh(w) * o + tau * u * x
        """,
        **CONSTANTS,
        alpha=0.7,
    )
    new = [a.kind for a in mine.neuron.arrows if ">" in a.kind]
    assert new == ["x>i", "x>u", "x>w", "u>w", "w>u", "w>w"]
    proof = mine.prove()
    assert proof.holds, str(proof)
    assert {row.against for row in proof.rows} == {
        "nudging its tail",
        "finite differences",
        "automatic differentiation",
        "the sum over kept paths",
    }
    assert str(proof).count("agrees") == len(proof.rows) == 15


def test_a_read_out_does_not_spike_and_e_prop_goes_on_in_it():
    read_out = derive("u = kappa * u + x", kappa=0.9, learn=["kappa"])
    assert read_out.neuron.output == "u"
    assert [a.kind for a in read_out.neuron.arrows] == ["integrate"]
    assert read_out.prove().holds
    hidden = derive(lif_lines(LIF(gate="soft")), **CONSTANTS)
    net = arrows.network("2-3R-2", [hidden.neuron, read_out.neuron], arrows.membrane(None))
    rng = np.random.default_rng(1)
    params = arrows.draw_params(net, rng)
    inputs, y = rng.random((5, 2, 2)), rng.random((2, 2))
    trace = arrows.forward(net, params, inputs)
    back = arrows.backward(net, params, trace, y, "e-prop")
    # by hand: a trace at each synapse, and the error filtered by the read-out's decay
    error = net.loss.direct(trace["u"][2], y)
    for t in range(3, -1, -1):
        error[t] += 0.9 * error[t + 1]
    e, total = 0.0, 0.0
    for t in range(5):
        e = 0.6 * e + inputs[t][:, None, :]
        h = Gaussian(0.5).derivative(trace["u"][1][t] - 0.5)
        total = total + np.einsum(
            "si,sij->ij", (error[t] @ params[2]["W"]) * h, e * np.ones((2, 3, 1))
        )
    assert back.gradients[1]["W"] == pytest.approx(total, rel=1e-12)
    word = arrows.forbidding_word(net, "e-prop")
    assert word == ("enter", "spike", "weight", "integrate", "readout")


def test_formulas_name_every_parameter_case_by_case():
    mine = derive(lif_lines(LIF()), **CONSTANTS, learn=["tau"], learn_each=["v_th"])
    for rule in arrows.RULES:
        lines = mine.formulas(rule, recurrent=True)
        assert {line.where for line in lines} == {
            *(f"t {a} T, n {b} N" for a in "=<" for b in "=<"),
            "all t",
        }
    lefts = [line.left for line in mine.formulas(recurrent=True)[-5:]]
    assert lefts == [
        rf"\frac{{\partial L}}{{\partial {name}}}"
        for name in ("w_{ij}^n", "b_i^n", "r_{ij}^n", r"\tau^n", "{V_{th}}_i^n")
    ]
    assert mine.formulas()[-2].right == (
        r"\sum_{t,i} u_i^{t,n} \partial_{\tau}f(o_i^{t,n}) \varepsilon_i^{t+1,n}"
    )
    assert mine.formulas()._repr_html_().startswith("<p><strong>t = T, n = N</strong></p><p><math>")


def test_names_and_powers_are_written_so_that_latex_reads_them():
    mine = derive(
        "w_in = c1 * w_in ** 2 + x\nu = w_in ** 2\no = spike(u - theta)", c1=0.5, theta=1.0
    )
    text = str(mine.formulas())
    assert "{w_{in}}_i^{t,n}" in text
    assert "_i^{t,n}^" not in text
    assert r"h(u_i^{t,n}-\theta)" in text


@pytest.mark.slow
def test_the_picture_says_what_it_shows():
    mine = derive(lif_lines(LIF()), **CONSTANTS)
    shown = mine.graph()
    assert "reset from o to the next u" in shown.alt
    assert shown.svg.startswith("<svg")


def test_each_kind_of_arrow_has_a_number_and_its_factor_stands_below_the_picture():
    shown = derive(TWO_MORE.format(i="i", a="a", u="u", o="o"), **CONSTANTS).graph()
    rows = re.findall(r"<tr><td>(\d+)</td><td>(\w+)</td><td><math>", shown._repr_html_())
    assert [int(k) for k, _ in rows] == [*range(1, len(rows) + 1)]
    assert {"adapt", "threshold", "decay"} <= {kind for _, kind in rows}
    assert all(f">{k}<" in svg for k, _ in rows for svg in (shown.svg, shown.narrow))


def test_a_word_or_the_traces():
    mine = derive(lif_lines(LIF(gate="soft")), **CONSTANTS)
    assert [str(line) for line in mine.online("ottt").formulas] == [
        r"e_{u,ij}^{t,n} = \tau e_{u,ij}^{t-1,n} + o_j^{t,n-1}  (each synapse)",
        r"e_{o,ij}^{t,n}[\mathrm{up}] = h(u_i^{t,n}-V_{th}) e_{u,ij}^{t,n}  (each synapse)",
        r"\frac{\partial L}{\partial w_{ij}^n} = \sum_t \left(\sum_k w_{ki}^{n+1} "
        r"\varepsilon_k^{t,n+1}[\mathrm{up}]\right) e_{o,ij}^{t,n}[\mathrm{up}]  (all t, n < N)",
    ]
    assert "'enter spike weight carry spike readout'" in str(mine.online("exact"))


def wrong(kind, factor):
    """Part I's neuron with another factor on one arrow, or without it."""
    neuron = arrows.hard_reset(LIF())
    others = [a for a in neuron.arrows if a.kind != kind]
    (one,) = set(neuron.arrows) - set(others)
    new = [replace(one, factor=factor)] if factor else []
    return replace(neuron, arrows=(*others, *new))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["spike", "carry", "reset"])
def test_a_wrong_or_missing_arrow_of_a_table_is_named(kind):
    ends = {"spike": ("u", "o"), "carry": ("u", "u"), "reset": ("o", "u")}[kind]
    proof = prove(wrong(kind, lambda s, p: 0.3 + s["u"]))
    assert not proof.holds
    assert proof.faults[0].startswith(f"arrow {kind!r} from {ends[0]} to {ends[1]}: its factor is")
    (fault,) = prove(wrong(kind, None)).faults
    last = " of the last step" if kind != "spike" else ""
    assert fault.startswith(f"no arrow from {ends[0]}{last} to {ends[1]}: ")


def test_an_arrow_too_many_and_the_wrong_entry_are_named():
    neuron = arrows.soft_reset(LIF(), learn_leak=True)
    for ends, step in (("ou", 0), ("oo", 1)):
        more = arrows.Arrow("more", *ends, lambda s, p: 1 + 0 * s["u"], step=step)
        (fault,) = prove(replace(neuron, arrows=(*neuron.arrows, more))).faults
        assert fault.startswith(f"arrow 'more' from o to {ends[1]}: its factor is 1")
    enter = replace(neuron.enters[0], factor=lambda s, p: s["o-1"])
    (fault,) = prove(replace(neuron, learned={"tau": (enter,)})).faults
    assert fault.startswith("tau into u: its factor is")


def spiking(v_th, surrogate=None, more=""):
    """A neuron with a threshold and a curve."""
    text = f"u = tau * u * (1 - o) + x{more}\no = spike(u - v_th)"
    return derive(text, surrogate=surrogate, tau=0.6, v_th=v_th)


def test_the_proof_judges_a_curve_whose_h_is_a_number():
    def with_h(h, twin=lambda v: 0.5 + 0.5 * v):
        return spiking(0.5, SimpleNamespace(derivative=lambda v: h, antiderivative=twin))

    assert with_h(0.5).prove().holds
    assert prove(with_h(0.5, lambda v: 0.5)).faults[0].startswith("arrow 'spike' from u to o: its")
    with pytest.raises(TypeError, match=r"h\(v\) must be a number or an array"):
        prove(with_h("0.5 or so"))


@pytest.mark.slow
@pytest.mark.parametrize("curve", [Rectangle, Triangle, Gaussian])
@pytest.mark.parametrize("v_th", [10.0, 1000.0])
def test_the_proof_judges_a_curve_where_its_neuron_fires(curve, v_th):
    class Wrong(curve):
        def derivative(self, v):
            return np.where(v > 0.01, 1.01, 1.0) * super().derivative(v)

    proof = spiking(v_th, curve(1.0)).prove()
    assert proof.holds, str(proof)
    assert re.search(r"layer 2 in [1-9]\d% of its steps, h > 0 in [1-9]", str(proof))
    assert prove(spiking(v_th, Wrong(1.0))).faults[0].startswith("arrow 'spike' from u to o")


def test_factors_are_judged_where_the_neuron_goes_and_without_the_spike():
    neuron = spiking(3.0).neuron
    spike, carry, reset = neuron.arrows
    far = replace(carry, factor=lambda s, p: np.where(s["u"] > 3, 1.1, 1.0) * carry.factor(s, p))
    for one in (far, replace(carry, leak=lambda s, p: 0.3)):
        fault = prove(replace(neuron, arrows=(spike, one, reset))).faults[0]
        assert fault.startswith("arrow 'carry' from u to u")


@pytest.mark.parametrize(
    ("line", "forgets"),
    [
        ("max(u, -0.5)", 1.0),
        *(pytest.param(line, 1.0, marks=pytest.mark.slow) for line in ("max(u, -5)", "min(u, 3)")),
        ("u", lambda u: u > 2),
    ],
)
def test_a_factor_that_forgets_a_clip_or_is_wrong_far_away_is_named(line, forgets):
    neuron = derive(f"u = tau * {line} * (1 - o) + x\no = spike(u - v_th)", **CONSTANTS).neuron
    assert prove(neuron).holds
    (kind,) = (a.kind for a in neuron.arrows if (a.source, a.target) == ("u", "u"))

    def factor(s, p):
        return 0.6 * (1 - s["o"]) * (np.where(forgets(s["u"]), 7, 1) if callable(forgets) else 1)

    changed = [replace(a, factor=factor) if a.kind == kind else a for a in neuron.arrows]
    fault = prove(replace(neuron, arrows=tuple(changed))).faults[0]
    assert fault.startswith(f"arrow {kind!r} from u to u: its factor is")


@pytest.mark.slow
def test_what_no_run_meets_is_not_called_proved():
    never = derive("u = tanh(x)\no = spike(u - v_th)", v_th=3.0).prove()
    assert not never.holds
    assert "NOT TESTED: no drawn run in which every layer fires" in str(never)
    idle = spiking(1.0, more=" + max(u - 1e5, 0)").prove()
    assert idle.holds  # the same arrow has another term
    idle = derive("u = tau * u + x\nw = max(u - 1e5, 0)\no = spike(u - w)", tau=0.5).prove()
    assert "no drawn run in which arrow 'u>w' from u to w has a factor other than 0" in str(idle)
    with pytest.raises(ValueError, match="no drawn run stays finite"):
        derive("u = x / u\no = spike(u)").prove()


@pytest.mark.parametrize(
    ("line", "constants"),
    [("tau * max(u, c)", {"c": 0.1}), ("tau * min(c, d) * u", {"c": 0.1, "d": 0.1})],
)
def test_constants_may_be_compared_and_be_equal(line, constants):
    proof = derive(f"u = {line} + x\no = spike(u - v_th)", **CONSTANTS, **constants).prove()
    assert proof.holds, str(proof)


@pytest.mark.slow
def test_what_is_not_judged_is_said():
    power = derive("u = tau * u ** p + x\no = spike(u - v_th)", **CONSTANTS, p=2.0)
    assert power.prove().holds
    assert "not judged: how p is learned" in str(power.prove())
    neuron = arrows.hard_reset(LIF(), learn_leak=True)
    (enter,) = neuron.learned["tau"]
    odd = replace(neuron, learned={"tau": (replace(enter, letters="?"),)})
    assert prove(odd).notes[1:] == ("not judged: the letters of tau",)
    with pytest.raises(ValueError, match="neuron reads 'rho', which is none of its states"):
        prove(wrong("carry", lambda s, p: p["rho"] * s["u"]))


def test_of_minus_one_only_the_sign_is_written():
    mine = derive("v = tau * v + x - w\nw = w + v\no = spike(v)", tau=0.5)
    assert r"\bar{w}_i^{t,n} = - \varepsilon_i^{t+1,n} + \bar{w}_i^{t+1,n}" in str(mine.formulas())
    assert "    d_w = -d_v_next + d_w_next  # w>v, w>w\n" in mine.program()
    assert "w>v        w → v  next step  -1\n" in str(mine)


@pytest.mark.parametrize("names", ["cpuo", "piva", "uaos"])
@pytest.mark.parametrize("rule", arrows.RULES)
def test_under_every_rule_the_letters_of_a_text_play_no_part(rule, names):
    found = []
    for i, a, u, o in ("iauo", names):
        mine = derive(TWO_MORE.format(i=i, a=a, u=u, o=o), **CONSTANTS).neuron
        net = arrows.network("2-3R-2", mine, arrows.Loss("rate", o))
        rng = np.random.default_rng(3)
        params, inputs = arrows.draw_params(net, rng, 3.0), rng.random((6, 2, 2))
        trace = arrows.forward(net, params, inputs)
        found.append(arrows.backward(net, params, trace, np.ones((2, 2)), rule).gradients[1]["W"])
    assert np.abs(found[0]).max() > 1e-3
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_a_factor_may_be_a_number_for_the_proof_and_for_the_backward_pass():
    mine = derive("u = 0.6 * u + x - o\no = spike(u - 0.5)")
    spike, carry, reset = mine.neuron.arrows
    by_hand = (spike, replace(carry, factor=lambda s, p: 0.6), reset)
    made = replace(mine.neuron, arrows=by_hand)
    assert prove(mine).holds
    assert prove(made).holds
    found = []
    for one in (mine.neuron, made):
        net = arrows.network("2-2", one)
        params = arrows.draw_params(net, np.random.default_rng(1))
        trace = arrows.forward(net, params, np.ones((4, 1, 2)))
        found.append(arrows.backward(net, params, trace, np.ones((1, 2))).gradients[1]["W"])
    assert np.array_equal(*found)
    odd = replace(carry, factor=lambda s, p: np.ones(3))
    net = arrows.network("2-2", replace(made, arrows=(spike, odd, reset)))
    with pytest.raises(TypeError, match="the factor of arrow 'carry' must be a number or an array"):
        arrows.backward(net, params, trace, np.ones((1, 2)))
