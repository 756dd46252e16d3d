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
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.practice.grading.calling import CallResult, call
from stbp_edu.practice.tasks import AnswerFunction, ForwardPass, step_name
from stbp_edu.practice.tasks.inputs import wide_network

DIGITS = 6
TOLERANCE = 1e-6
LARGEST = 1e100  # whose squares are finite
SOLVED = 1e-5  # ε comes from a linear solve, which costs some digits
NO_SUM = "no sum of the terms"
PASSED_ON = "the case itself is right: it passes back an error made elsewhere"
DIRECT = "the direct term"
UP = "the term from the layer above"
ON = "the reset term from the next step"
LEAK = "the carry"
CLASSIC = {
    UP: "the term from the layer above with δ ⊙ h",
    ON: "the reset term from the next step with δ ⊙ h",
}
EXPECTED = {
    1: {DIRECT},
    2: {UP},
    3: {DIRECT, ON, LEAK},
    4: {UP, ON, LEAK},
}
"""What the ε of each case is made of."""
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


def case_reports(function: AnswerFunction) -> tuple[CaseReport, ...]:
    """Return the mistakes in each of the five cases of a backward pass.

    Empty where the function gives no gradients.
    """
    net = wide_network()
    exact = net.sweep("exact")
    right = list(exact.epsilon)
    N = net.params.N
    args = (net.trace, net.targets, net.params, net.neuron)
    with contextlib.redirect_stdout(io.StringIO()):
        outcome = call(function, args, exact.gradients)
    epsilon: Layers = [None]
    wrong = []  # layers whose gradients fit no ε
    for n in range(1, N + 1):
        found = recover_epsilon(net, outcome, n)
        if found is None:
            return ()
        of_layer, misfit = found
        epsilon.append(of_layer)
        if misfit > TOLERANCE:
            wrong.append(n)
    text = "these gradients are not a sum over steps and samples of ε times the spikes below"
    what = _out_of_order(epsilon, right)
    if what:
        text = f"the {what} of ε and of the spikes below are not paired correctly"
        wrong = list(range(1, N + 1))
        epsilon = right
    fifth = CaseReport(5, N)
    if wrong:
        fifth = CaseReport(5, N, len(wrong), f"layer {wrong[-1]}", text)
    reports = [_report(net, epsilon, right, case) for case in (1, 2, 3, 4)]
    return (*reports, fifth)


def _report(net: ForwardPass, epsilon: Layers, right: Layers, case: int) -> CaseReport:
    """Return the mistakes in the cells of one of the first four cases."""
    cells = list(net.cells(case))
    wrong = []
    for t, n in cells:
        exact = right[n][t]
        off = np.abs(epsilon[n][t] - exact).max()
        if off > SOLVED * np.abs(exact).max():
            wrong.append((t, n))
    if not wrong:
        return CaseReport(case, len(cells))
    t, n = wrong[0]
    first = f"{step_name(t)}, n = {n}"
    explanation = _explanation(net, epsilon, case)
    return CaseReport(case, len(cells), len(wrong), first, explanation)


def recover_epsilon(
    net: ForwardPass, outcome: CallResult, n: int
) -> tuple[Array, float] | None:
    """Return ε of a layer, shape (T, S, n[n]), and how badly the gradients fit any ε.

    The misfit is 0 for any backward pass whose last step is right (case 5: Σ over steps and
    samples of ε times the spikes below, and for the bias of ε alone), whatever its ε. None where
    what came is no gradient of each parameter, or not finite.
    """
    if not isinstance(outcome, dict):
        return None
    # In float64, whatever precision they came in.
    gW = np.asarray(outcome[f"W[{n}]"], dtype=float)
    gb = np.asarray(outcome[f"b[{n}]"], dtype=float)
    if gW.shape != net.params.W[n].shape:
        return None
    if gb.shape != net.params.b[n].shape:
        return None
    # The bias acts like a weight from a neuron that always spikes: one more column.
    gradient = np.column_stack([gW, gb])
    if not (np.abs(gradient) < LARGEST).all():
        return None
    T, S, _ = net.shape
    spikes = net.trace.O[n - 1].reshape(T * S, -1)
    below = np.column_stack([spikes, np.ones(T * S)])
    E, *_ = np.linalg.lstsq(below.T, gradient.T, rcond=None)
    return E.reshape(T, S, -1), _misfit(below.T @ E, gradient.T)


def _misfit(fit: Array, values: Array) -> float:
    """Return the residual of a fit, relative to the values."""
    off = float(np.linalg.norm(fit - values))
    size = float(np.linalg.norm(values))
    return off / max(size, 1e-30)


def _explanation(net: ForwardPass, epsilon: Layers, case: int) -> str:
    """Return which terms are missing, too many, or off by a factor in the ε of a case."""
    columns = []
    values = []
    for t, n in net.cells(case):
        terms = _terms(net, epsilon, t, n)
        raveled = [term.ravel() for term in terms.values()]
        columns.append(np.stack(raveled, axis=1))
        values.append(epsilon[n][t].ravel())
    A = np.concatenate(columns)
    y = np.concatenate(values)
    scale = np.linalg.norm(A, axis=0)
    scale[scale == 0] = 1.0
    scaled, *_ = np.linalg.lstsq(A / scale, y, rcond=1e-10)
    c = scaled / scale
    if _misfit(A @ c, y) >= TOLERANCE:
        return f"{NO_SUM} of this case gives these values"
    factors = np.round(c, DIGITS).tolist()
    return "; ".join(_said(dict(zip(terms, factors, strict=True)), case))


def _said(factors: dict[str, float], case: int) -> Iterator[str]:
    """Yield what is wrong with the factors of the terms of a case."""
    for exact, classic in CLASSIC.items():
        if (factors.get(exact), factors.get(classic)) == (0, 1):
            yield f"{exact} contains δ ⊙ h where ε belongs"
            del factors[exact], factors[classic]
    for name, factor in factors.items():
        if name not in EXPECTED[case]:
            if factor != 0:
                yield f"it contains {name}, times {factor:.4g}"
        elif factor == 0:
            yield f"{name} is missing"
        elif factor == -1:
            yield f"the sign of {name} is reversed"
        elif factor != 1:
            yield f"{name} is {factor:.4g} times what it should be"


def _terms(net: ForwardPass, epsilon: Layers, t: int, n: int) -> dict[str, Array]:
    """Return the possible terms of ε at (t, n), from the reader's own ε elsewhere."""
    T, S, N = net.shape
    u = net.trace.U[n][t]
    o = net.trace.O[n][t]
    h = net.neuron.h(u)
    result: dict[str, Array] = {}
    if n == N:
        rates = net.trace.O[N].mean(axis=0)
        result[DIRECT] = (rates - net.targets) / (T * S) * h
    else:
        W = net.params.W[n + 1]
        result[UP] = epsilon[n + 1][t] @ W * h
        if t < T - 1:
            result[CLASSIC[UP]] = _own_spike(net, epsilon, t, n + 1) @ W * h
    if t < T - 1:
        later = epsilon[n][t + 1]
        back = u * net.neuron.df(o) * h
        result[ON] = later * back
        result[CLASSIC[ON]] = _own_spike(net, epsilon, t + 1, n) * back
        result[LEAK] = later * net.neuron.f(o)
    return result


def _own_spike(net: ForwardPass, epsilon: Layers, t: int, n: int) -> Array:
    """Return δ ⊙ h at (t, n): ε without what comes through the next potential."""
    T, _, _ = net.shape
    own: Array = epsilon[n][t]
    if t < T - 1:
        forget = net.neuron.f(net.trace.O[n][t])
        own = own - epsilon[n][t + 1] * forget
    return own


def _out_of_order(epsilon: Layers, exact: Layers) -> str:
    """Return "steps" or "samples" where ε is right but for their order, or ""."""
    alike = partial(np.allclose, rtol=SOLVED, atol=1e-9)
    orders = (np.flip, partial(np.roll, shift=1), partial(np.roll, shift=-1))
    pairs = list(zip(epsilon[1:], exact[1:], strict=True))
    for axis, what in enumerate(("steps", "samples")):
        for order in orders:
            if all(alike(order(mine, axis=axis), right) for mine, right in pairs):
                return what
    return ""
