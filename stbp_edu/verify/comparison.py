"""Compare the adjoints of two computations, one equation at a time, within a tolerance."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.unrolled import Node
from stbp_edu.forward_pass import Adjoints
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params

CLASSIC = ("c2-delta", "c3-delta", "c4-delta")
WHERE = {
    1: "t = T, n = N",
    2: "t = T, n < N",
    3: "t < T, n = N",
    4: "t < T, n < N",
}
AXES = {"b": ("i",), "W": ("i", "j")}
"""What an entry of a gradient is counted by; of δ and ε it is the sample and the neuron."""


class Problem(NamedTuple):
    """A network with its input and targets."""

    spikes: Array
    targets: Array
    params: Params
    neuron: LIF


class Tolerance(NamedTuple):
    """The largest relative error that passes: abs(got - expected) <= limit · scale.

    Elementwise, the scale is abs(expected) + 1e-3, entry by entry: rtol and atol of NumPy's
    ``allclose`` are limit and limit / 1000. Otherwise it is the size of the summands: a sum may
    cancel, and its rounding does not. Of a gap, the error has to be larger.
    """

    limit: float
    elementwise: bool = False
    gap: bool = False


ROUNDING = Tolerance(limit=1e-12)
"""For two exact ways to the same number."""
DIFFERENCES = Tolerance(limit=1e-6, elementwise=True)
"""For finite differences: rtol 1e-6, atol 1e-9."""
GAP = Tolerance(limit=1e-8, elementwise=True, gap=True)
"""Beyond it is a difference: ten times the error of the least precise oracle."""


class Outcome(NamedTuple):
    """The outcome of one comparison of two values of an array that one equation computes.

    Attributes:
        error: the largest relative error of an entry; NaN if any entry is NaN.
        words: where that entry is, got and expected.
        node: its place: a state with n and t, or a parameter with n.
        rule: a rule, an ablation, or "both" for what the two rules share.
        oracle: the oracle, and what it was asked.
        asked: which form under which rule, for the message.
    """

    id: str
    error: float
    words: str
    tolerance: Tolerance = ROUNDING
    node: Any = None
    rule: str = "both"
    oracle: str = "formulas"
    asked: str = ""

    @property
    def ok(self) -> bool:
        """Whether the error is on the right side of the limit; a NaN never is."""
        if self.tolerance.gap:
            return self.error > self.tolerance.limit
        return self.error <= self.tolerance.limit

    @property
    def message(self) -> str:
        """What was compared, where, got and expected."""
        return f"{self.asked}{self.id} {self.words}"


def comparisons(
    got: Adjoints, expected: Adjoints, tolerance: Tolerance = ROUNDING
) -> Iterator[Outcome]:
    """Yield every array of two results side by side, with the id of its equation.

    The first difference is where a mistake entered.
    """
    for (id_, node, a), (_, _, b) in zip(arrays(got), arrays(expected), strict=True):
        scale = np.abs(b) + 1e-3
        if not tolerance.elementwise:
            scale = _size_of_summands(node, expected)
        # 1e-200 for numbers so small that float64 itself loses their digits.
        errors = np.asarray(np.abs(a - b) / (scale + 1e-200))
        at = np.unravel_index(int(np.argmax(errors)), errors.shape)
        where = f"(case 5: the gradient of layer n = {node.n})"
        axes = AXES.get(node.kind, ("sample s", "neuron i"))
        if node.kind not in AXES:
            case = int(id_[1])
            where = (
                f"(case {case}: {WHERE[case]}) at t = {node.t} (the paper's t = {node.t + 1}), "
                f"n = {node.n}"
            )
        entry = ", ".join(f"{axis} = {k}" for axis, k in zip(axes, at, strict=True))
        words = (
            f"{where}, {entry}: got {float(a[at])!r}, expected {float(b[at])!r}, "
            f"relative error {errors[at]:.1e} > {tolerance.limit:.0e}"
        )
        yield Outcome(id_, float(errors[at]), words, tolerance, node)


def equation_under(id: str, rule: str) -> str:
    """Return the id of the formula that a rule uses in place of an exact one.

    >>> equation_under("c3-delta", "classic"), equation_under("c3-epsilon", "classic")
    ('c3-delta-classic', 'c3-epsilon')
    """
    if rule == "classic" and id in CLASSIC:
        return f"{id}-classic"
    return id


def arrays(of: Adjoints) -> Iterator[tuple[str, Node, Any]]:
    """Yield the equation, place and values of each array of a result: δ, ε, then the gradients.

    They come in the order in which a backward sweep computes them.
    """
    T = len(of.delta[1])
    N = len(of.delta) - 1
    for t in reversed(range(T)):
        for n in range(N, 0, -1):
            # Not by cases.case_at, which is judged.
            case = 1 + (n < N) + 2 * (t < T - 1)
            yield f"c{case}-delta", Node("o", n, t), of.delta[n][t]
            yield f"c{case}-epsilon", Node("u", n, t), of.epsilon[n][t]
    for n in range(N, 0, -1):
        yield "c5-b", Node("b", n), of.gradients.b[n]
        yield "c5-w", Node("W", n), of.gradients.W[n]


def _size_of_summands(node: Node, expected: Adjoints) -> Any:
    """Return how large the summands of a state's adjoint, or of a gradient, may be."""
    if node.kind == "o":
        # Over all steps and samples of the layer: a single entry may have cancelled.
        return np.abs(expected.delta[node.n]).max()
    epsilon = np.abs(expected.epsilon[node.n])
    if node.kind == "u":
        return epsilon.max()
    # In a gradient each ε has a weight of at most 1, since spikes are.
    return epsilon.sum(axis=(0, 1)).max()


def equal_under_classic(node: Node, T: int, N: int) -> bool:
    """Return whether the classic rule gives the true derivative by this state or parameter.

    Where t = T no later step exists. At t = T - 1 of the output layer the incoming signal is
    that of (T, N), where δ ⊙ h is all of ε. A gradient sums over the steps of its layer.
    """
    first = T - 2 if node.n == N else T - 1
    return max(node.t, 0) >= first


def compare(
    forms: Mapping[str, Adjoints],
    rule: str,
    oracle: str,
    answer: Adjoints,
    tolerance: Tolerance = ROUNDING,
    exact: bool | None = None,
) -> Iterator[Outcome]:
    """Compare forms with an oracle's answer.

    ``exact`` asks only for the places where the classic rule gives the gradient, or does not.
    """
    T = len(answer.delta[1])
    N = len(answer.delta) - 1
    for form, got in forms.items():
        asked = f"{form} form, {rule} rule, against {oracle}: "
        for one in comparisons(got, answer, tolerance):
            if exact is None or exact == equal_under_classic(one.node, T, N):
                id_ = equation_under(one.id, rule)
                yield one._replace(id=id_, rule=rule, oracle=oracle, asked=asked)
