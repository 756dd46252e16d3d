"""Compare the adjoints of two computations, one equation at a time, within a tolerance."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.unrolled import Node
from stbp_edu.forward_pass import Adjoints
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params

IDS = (
    *(f"c{k}-{name}" for k in (1, 2, 3, 4) for name in ("delta", "epsilon")),
    "c5-b",
    "c5-w",
)
CLASSIC = ("c2-delta", "c3-delta", "c4-delta")
WHERE = {1: "t = T, n = N", 2: "t = T, n < N", 3: "t < T, n = N", 4: "t < T, n < N"}


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
    cancel, and its rounding does not.
    """

    limit: float
    elementwise: bool


ROUNDING = Tolerance(limit=1e-12, elementwise=False)
"""For two exact ways to the same number."""
DIFFERENCES = Tolerance(limit=1e-6, elementwise=True)
"""For finite differences: rtol 1e-6, atol 1e-9."""
GAP = Tolerance(limit=1e-8, elementwise=True)
"""Beyond it is a difference: ten times the error of the least precise oracle."""


class Comparison(NamedTuple):
    """Two values of one array that one equation computes: δ or ε at (t, n), or a gradient.

    Attributes:
        node: its place: a state with n and t, or a parameter with n.
        got: the array under test.
        expected: the oracle's.
        scale: what an error is relative to, of all entries or of each.
        limit: the largest error that passes.
    """

    id: str
    node: Node
    got: Array
    expected: Array
    scale: Any
    limit: float

    def errors(self) -> Array:
        """Return the relative error of every entry.

        >>> got, expected = np.array([1.1, 0.0]), np.array([1.0, 0.0])
        >>> Comparison("c5-b", Node("b", 1), got, expected, 1.0, limit=1e-12).errors().round(6)
        array([0.1, 0. ])
        """
        got, expected = self.got.shape, self.expected.shape
        if got != expected:
            raise ValueError(
                f"got must have shape {expected}, got {got}; same network?"
            )
        return np.asarray(np.abs(self.got - self.expected) / self.scale)

    def error(self) -> float:
        """Return the largest relative error; NaN if any entry is NaN."""
        return float(np.max(self.errors()))

    def describe(self) -> str:
        """Return a sentence on the entry with the largest error: where, got, expected."""
        errors = self.errors()
        at = np.unravel_index(int(np.argmax(errors)), errors.shape)
        names = {"c5-b": ("i",), "c5-w": ("i", "j")}.get(
            self.id, ("sample s", "neuron i")
        )
        entry = ", ".join(f"{name} = {k}" for name, k in zip(names, at, strict=True))
        case, n, t = int(self.id[1]), self.node.n, self.node.t
        place = f"the gradient of layer n = {n})"
        if case < 5:
            place = f"{WHERE[case]}) at t = {t} (the paper's t = {t + 1}), n = {n}"
        return (
            f"{self.id} (case {case}: {place}, {entry}: got {float(self.got[at])!r}, "
            f"expected {float(self.expected[at])!r}, "
            f"relative error {errors[at]:.1e} > {self.limit:.0e}"
        )


def equation_under(id: str, rule: str) -> str:
    """Return the id of the formula that a rule uses in place of an exact one.

    >>> equation_under("c3-delta", "classic"), equation_under("c3-epsilon", "classic")
    ('c3-delta-classic', 'c3-epsilon')
    """
    return f"{id}-classic" if rule == "classic" and id in CLASSIC else id


def arrays(of: Adjoints | Gradients) -> Iterator[tuple[str, Node, Any]]:
    """Yield the equation, place and values of each array of a result: δ, ε, then the gradients.

    They come in the order in which a backward sweep computes them.
    """
    if isinstance(of, Adjoints):
        T, N = len(of.delta[1]), len(of.delta) - 1
        for t, n in product(reversed(range(T)), reversed(range(1, N + 1))):
            case = (
                1 + (n < N) + 2 * (t < T - 1)
            )  # not by cases.case_at, which is judged
            yield f"c{case}-delta", Node("o", n, t), of.delta[n][t]
            yield f"c{case}-epsilon", Node("u", n, t), of.epsilon[n][t]
        of = of.gradients
    for n in reversed(range(1, len(of.W))):
        yield "c5-b", Node("b", n), of.b[n]
        yield "c5-w", Node("W", n), of.W[n]


def comparisons(
    got: Adjoints | Gradients, expected: Adjoints, tolerance: Tolerance = ROUNDING
) -> Iterator[Comparison]:
    """Yield every array of two results side by side, with the id of its equation.

    The first difference is where a mistake entered. ``got`` may be only the gradients.
    """
    alike = expected if isinstance(got, Adjoints) else expected.gradients
    for (id, node, a), (_, _, b) in zip(arrays(got), arrays(alike), strict=True):
        if tolerance.elementwise:
            scale = np.abs(b) + 1e-3
        elif (
            node.kind in "Wb"
        ):  # each ε enters with a weight of at most 1, since spikes are
            scale = np.abs(expected.epsilon[node.n]).sum(axis=(0, 1)).max()
        else:  # over all steps and samples of the layer: a single entry may have cancelled
            state = expected.delta if node.kind == "o" else expected.epsilon
            scale = np.abs(state[node.n]).max()
        # 1e-200 for numbers so small that float64 itself loses their digits.
        yield Comparison(id, node, a, b, scale + 1e-200, tolerance.limit)


def equal_under_classic(node: Node, T: int, N: int) -> bool:
    """Return whether the classic rule gives the true derivative by this state or parameter.

    Where t = T no later step exists. At t = T - 1 of the output layer the incoming signal is
    that of (T, N), where δ ⊙ h is all of ε. A gradient sums over the steps of its layer.
    """
    return max(node.t, 0) >= (T - 2 if node.n == N else T - 1)


def failures(
    got: Adjoints | Gradients, expected: Adjoints, tolerance: Tolerance = ROUNDING
) -> list[str]:
    """Return a sentence for each array that differs, in the order of the backward sweep."""
    found = comparisons(got, expected, tolerance)
    return [one.describe() for one in found if not one.error() <= one.limit]


class Outcome(NamedTuple):
    """The outcome of one comparison with an oracle.

    Attributes:
        rule: a rule, an ablation, or "both" for what the two rules share.
        oracle: the oracle, and what it was asked.
        limit: what the error is compared with.
        gap: whether the two are expected to differ.
        message: where, got and expected.
    """

    id: str
    rule: str
    oracle: str
    error: float
    limit: float
    gap: bool
    message: str

    @property
    def ok(self) -> bool:
        """Whether the error is on the right side of the limit; a NaN never is."""
        return self.error > self.limit if self.gap else self.error <= self.limit


def compare(
    forms: Mapping[str, Adjoints | Gradients],
    rule: str,
    oracle: str,
    answer: Adjoints,
    tolerance: Tolerance = ROUNDING,
    exact: bool | None = None,
) -> Iterator[Outcome]:
    """Compare forms with an oracle's answer; under ``GAP``, a difference is expected.

    ``exact`` asks only for the places where the classic rule gives the gradient, or does not.
    """
    T, N = len(answer.delta[1]), len(answer.delta) - 1
    for form, got in forms.items():
        for one in comparisons(got, answer, tolerance):
            if exact not in (None, equal_under_classic(one.node, T, N)):
                continue
            one = one._replace(id=equation_under(one.id, rule))
            message = f"{form} form, {rule} rule, against {oracle}: {one.describe()}"
            gap = tolerance is GAP
            yield Outcome(one.id, rule, oracle, one.error(), one.limit, gap, message)


def at_every_node(
    derivative: Callable[[Node, int | None], Any], params: Params, T: int, S: int
) -> Adjoints:
    """Return every δ, every ε and both gradients, each entry by a call of derivative(node, s).

    s is the sample; None for a parameter, which all samples share.

    >>> params = Params(W=[None, np.zeros((1, 2))], b=[None, np.zeros(1)])
    >>> at_every_node(lambda node, s: node.j, params, T=1, S=1).gradients.W[1]
    array([[0., 1.]])
    """
    delta, epsilon = (
        [None, *(np.empty((T, S, m), params.dtype) for m in params.sizes[1:])]
        for _ in range(2)
    )
    W, b = ([None, *map(np.empty_like, of[1:])] for of in (params.W, params.b))
    found = Adjoints(delta, epsilon, Gradients(W, b))
    for _, place, array in arrays(found):
        for at in np.ndindex(array.shape):
            s, *index = (None, *at) if place.kind in "Wb" else at
            array[at] = derivative(Node(place.kind, place.n, place.t, *index), s)
    return found
