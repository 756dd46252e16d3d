"""Find ε at every (t, n) only from the gradients, and what the ε of each case is made of.

∂L/∂W^n = Σ ε^{t,n} (O^{t,n-1})ᵀ over steps and samples. With ε as a (T·S, n[n]) matrix E and the
spikes below as a (T·S, n[n-1]) matrix, that is Eᵀ O. Where the layer below has at least T·S neurons
and O has full rank, E follows: the gradients reveal the ε that the backward pass had at every cell.
So a wrong gradient can be traced to the first wrong cell, whatever the program looks like inside.

An early error spoils every cell after it. So each case is tried on the reader's own numbers: ε of
the case's cells is fitted with the terms that the case may hold. A term with the coefficient 1 is
there, 0 is missing, -1 has its sign flipped.
"""

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.parameters import sizes_of
from stbp_edu.practice.grading.answer import Answer, call, in_shape, plain
from stbp_edu.practice.grading.search import Finding
from stbp_edu.practice.tasks import AnswerFunction, ForwardPass, step_name
from stbp_edu.practice.tasks.inputs import wide_network

TOLERANCE = 1e-6
LARGEST = 1e100  # whose squares are finite
SOLVED = 1e-5  # ε comes from a linear solve, which costs some digits
NO_SUM = "no sum of the terms"
PASSED_ON = "the case itself is right: it passes back an error made elsewhere"
NO_PAIRS = (
    "these gradients are not a sum over steps and samples of ε times the spikes below"
)
UNFIT = {  # where only one of them is not exact
    "W": "the gradients of the weights are not the sum over steps and samples of ε times the "
    "spikes below",
    "b": "the gradients of the biases are not the sum over steps and samples of ε",
}
DIRECT = "the direct term"
UP = "the term from the layer above"
ON = "the reset term from the next step"
LEAK = "the carry"
CLASSIC = " with δ ⊙ h"
"""What the classic rule has in place of ε; after the name of a term."""
Layers = list[Any]  # ε by layer: None, then arrays (T, S, n[n])


@dataclass(frozen=True)
class CaseReport:
    """How many cells of one case are right, and what is wrong.

    Attributes:
        case: 1 to 5.
        cells: how many cells (t, n) of the grid the case has; layers for case 5.
        wrong: how many of them hold a wrong value.
        first: the first wrong one in the order of the sweep, or an empty string.
        explanation: what is wrong with the case itself; empty where it is right, given what
            reaches it.
    """

    case: int
    cells: int
    wrong: int = 0
    first: str = ""
    explanation: str = ""

    def __str__(self) -> str:
        """Return the text form, one line."""
        right = f"case {self.case}: {self.cells - self.wrong} of {self.cells} right"
        if not self.wrong:
            return right
        why = self.explanation or PASSED_ON
        return f"{right}; first wrong at {self.first}; {why}"


def wrong_cases(answer: Answer) -> list[Finding]:
    """Return the findings on those cases of a whole backward pass that are wrong in themselves."""
    if not answer.task.whole:
        return []
    backward = answer.task.whole_pass(answer.function)
    cases = [c for c in case_reports(backward) if c.explanation]
    if cases and cases[-1].case == 5:
        cases = cases[-1:]  # then no ε can be found, and the other cases say nothing
    net = wide_network()
    where = f"of the {sizes_of(net.params)} network, T = {net.shape[0]}"
    return [
        Finding(
            "case", "", f"Case {c.case}: {c.explanation}. First at {c.first} {where}."
        )
        for c in cases
    ]


def case_reports(function: AnswerFunction) -> tuple[CaseReport, ...]:
    """Return the mistakes in each of the five cases of a backward pass.

    Empty where the function gives no gradients.
    """
    net = wide_network()
    exact = net.sweep("exact")
    args = (net.trace, net.targets, net.params, net.neuron)
    with contextlib.redirect_stdout(io.StringIO()):
        outcome: Any = call(function, args, exact.gradients)
    right: Any = plain(exact.gradients, exact.gradients)
    if not in_shape(outcome, right):
        return ()
    epsilon: Layers = [None]
    fifth = CaseReport(5, net.params.N)
    for n in range(1, net.params.N + 1):
        # The bias acts like a weight from a neuron that always spikes: one more column.
        parts = f"W[{n}]", f"b[{n}]"
        gradient = np.column_stack([outcome[p].astype(float) for p in parts])
        if not (np.abs(gradient) < LARGEST).all():
            return ()
        T, S, _ = net.shape
        spikes = net.trace.O[n - 1].reshape(T * S, -1)
        below = np.column_stack([spikes, np.ones(T * S)])
        E, *_ = np.linalg.lstsq(below.T, gradient.T, rcond=None)
        # Case 5, Σ over steps and samples, leaves no rest, whatever its ε.
        if _differ(below.T @ E, gradient.T):
            wrong = [p[0] for p in parts if _differ(outcome[p], right[p])]
            said = UNFIT.get("".join(wrong), NO_PAIRS)
            fifth = CaseReport(5, net.params.N, fifth.wrong + 1, f"layer {n}", said)
        epsilon.append(E.reshape(T, S, -1))
    reports = [_report(net, epsilon, exact.epsilon, case) for case in (1, 2, 3, 4)]
    return (*reports, fifth)


def _differ(x: Array, y: Array) -> bool:
    """Return whether two arrays are not the same to some digits."""
    return bool(np.linalg.norm(x - y) > TOLERANCE * np.linalg.norm(y))


def _report(
    net: ForwardPass, epsilon: Layers, exact: Sequence[Any], case: int
) -> CaseReport:
    """Return the mistakes in the cells of one of the first four cases."""
    cells = list(net.cells(case))
    wrong = [
        (t, n)
        for t, n in cells
        if np.abs(epsilon[n][t] - exact[n][t]).max()
        > SOLVED * np.abs(exact[n][t]).max()
    ]
    if not wrong:
        return CaseReport(case, len(cells))
    t, n = wrong[0]
    terms = [_terms(net, epsilon, t, n) for t, n in cells]
    columns = {
        name: np.concatenate([of[name].ravel() for of in terms]) for name in terms[0]
    }
    y = np.concatenate([epsilon[n][t].ravel() for t, n in cells])
    said = "; ".join(_explanation(_fitted(columns, y)))
    return CaseReport(case, len(cells), len(wrong), f"{step_name(t)}, n = {n}", said)


def _explanation(factors: dict[str, float]) -> Iterator[str]:
    """Yield which terms are missing, too many, or off by a factor in the ε of a case."""
    if not factors:
        yield f"{NO_SUM} of this case gives these values"
    for name, factor in factors.items():
        classic = factors.get(name + CLASSIC, 0)
        if name.endswith(CLASSIC):
            continue  # said with the term itself
        if (factor, classic) == (0, 1):
            yield f"{name} contains δ ⊙ h where ε belongs"
            continue
        if factor == 0:
            yield f"{name} is missing"
        elif factor == -1:
            yield f"the sign of {name} is reversed"
        elif factor != 1:
            yield f"{name} is {factor:.4g} times what it should be"
        if classic:
            yield f"it contains {name}{CLASSIC}, times {classic:.4g}"


def _terms(net: ForwardPass, epsilon: Layers, t: int, n: int) -> dict[str, Array]:
    """Return the possible terms of ε at (t, n), from the reader's own ε elsewhere."""
    T, S, N = net.shape
    U, O, neuron = net.trace.U, net.trace.O, net.neuron
    is_last = t == T - 1
    h = neuron.h(U[n][t])

    def own_spike(t: int, n: int) -> Any:
        """Return δ ⊙ h: ε without what comes through the next potential."""
        rest = 0 if t == T - 1 else epsilon[n][t + 1] * neuron.f(O[n][t])
        return epsilon[n][t] - rest

    terms: dict[str, Array] = {}
    if n == N:
        terms[DIRECT] = (O[N].mean(axis=0) - net.targets) / (T * S) * h
    else:
        W = net.params.W[n + 1]
        terms[UP] = epsilon[n + 1][t] @ W * h
        if not is_last:
            terms[UP + CLASSIC] = own_spike(t, n + 1) @ W * h
    if not is_last:
        later = epsilon[n][t + 1]
        back = U[n][t] * neuron.df(O[n][t]) * h
        terms[ON] = later * back
        terms[ON + CLASSIC] = own_spike(t + 1, n) * back
        terms[LEAK] = later * neuron.f(O[n][t])
    return terms


def _fitted(columns: dict[str, Array], y: Array) -> dict[str, float]:
    """Return the factors with which columns add up to numbers; {} if there are none such.

    Factors are rounded to six digits.
    """
    A = np.stack(list(columns.values()), axis=1)
    scale = np.linalg.norm(A, axis=0)
    scale[scale == 0] = 1.0
    c = np.linalg.lstsq(A / scale, y, rcond=1e-10)[0] / scale
    if _differ(A @ c, y):
        return {}
    return dict(zip(columns, np.round(c, 6).tolist(), strict=True))
