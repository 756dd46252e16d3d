"""The register of equations says what forward lines and the table of arrows say, term by term.

That the table's factors are derivatives, and its sums the gradients, is shown by the other tests.
"""

import re

from stbp_edu import LIF, arrows
from stbp_edu._support.equations import EQUATIONS
from stbp_edu.lines.expressions import latex, symbol

HARD = arrows.hard_reset(LIF())
SOFT = arrows.soft_reset(LIF(), learn_leak=True)
CURRENT = arrows.with_current(HARD, 0.7)
ADAPTIVE = arrows.with_adaptation(HARD, 0.4, 0.8)
BRINGS = "x_i^{t+1,n} + b_i^n"
SUM = re.compile(r"\\,|\\sum_(\{.*?\}|\w)(\^(\{.*?\}|\w))?")
SAME = {"{l(n+1)}": "l", "{l(n)}": "l", "{n}": "n", "k": "j"}


def canonical(formula):
    """What is assigned, and the terms, each a sign and its factors in any order."""
    for written, meant in SAME.items():
        formula = formula.replace(written, meant)
    left, _, right = SUM.sub("", formula).partition("=")
    terms, depth = [["+", ""]], 0
    for sign in right:
        depth += (sign in "([{") - (sign in ")]}")
        if sign in "+-" and depth == 0:
            terms.append([sign, ""])
        elif sign == " " and depth == 0:
            terms[-1].append("")
        else:
            terms[-1][-1] += sign.strip()
    kept = (sorted(factor for factor in term if factor) for term in terms)
    return left.replace(" ", ""), sorted(term for term in kept if term != ["+"])


def assert_registered(ids, neuron, sizes="2-2-1", brings=BRINGS):
    """Assert that each of these equations is a line of a network's formulas, or of its text."""

    states = {}
    for state in neuron.lines.lines:
        letter = "c" if state == "i" else symbol(state)
        states[state] = f"{letter}_i^{{t+1,n}}"
        states[f"{state}_last"] = f"{letter}_i^{{t,n}}"
    states["x"] = brings
    said = [
        f"{f.left} = {f.right}" for f in arrows.formulas(arrows.network(sizes, neuron))
    ]
    for state, line in neuron.lines.lines.items():
        said.append(f"{states[state]} = {latex(line, states)}")
    found = [canonical(line) for line in said]
    for id_ in ids.split():
        assert canonical(EQUATIONS[id_].forms["index"]) in found, id_


def test_the_five_cases_come_out_of_the_table():
    """But for the loss's own part of cases 1 and 3, which the table calls ∂L/∂o."""
    ids = "c1-epsilon c2-delta c2-epsilon c3-epsilon c4-delta c4-epsilon c5-b c5-w"
    assert_registered(ids, HARD)
    said = [
        str(line).split(" = ", 1)[1]
        for line in arrows.formulas(arrows.network("2-2-1", HARD))
    ]
    assert said[0] == r"\frac{\partial L}{\partial o_i^{T,N}}  (t = T, n = N)"
    assert said[4].startswith(
        r"\frac{\partial L}{\partial o_i^{t,N}} + u_i^{t,N} f'(o_i^{t,N}) "
    )


def test_p2_soft_u_p2_soft_delta_output_p2_soft_delta_p2_soft_epsilon_and_p2_leak():
    assert_registered(
        "p2-soft-u p2-soft-delta-output p2-soft-delta p2-soft-epsilon p2-leak", SOFT
    )


def test_p2_current_c_p2_current_u_p2_current_gamma_p2_current_delta_and_p2_current_w():
    ids = "p2-current-c p2-current-u p2-current-gamma p2-current-delta p2-current-w"
    assert_registered(ids, CURRENT)


def test_p2_adapt_a_p2_adapt_zeta_p2_adapt_delta_and_p2_adapt_epsilon():
    assert_registered(
        "p2-adapt-a p2-adapt-zeta p2-adapt-delta p2-adapt-epsilon", ADAPTIVE
    )


def test_p2_recur_u_p2_recur_delta_and_p2_recur_r():
    brings = BRINGS + r" + \sum_k r_{ij}^n o_j^{t,n}"
    assert_registered("p2-recur-u p2-recur-delta p2-recur-r", HARD, "2-2R-2R", brings)
