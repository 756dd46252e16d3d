"""Compare the adjoints of two computations, one equation at a time, within a tolerance."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows.unrolled import Node
from stbp_edu.forward_pass import Adjoints
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Gradients, Params

IDS = (
    "c1-delta",
    "c1-epsilon",
    "c2-delta",
    "c2-epsilon",
    "c3-delta",
    "c3-epsilon",
    "c4-delta",
    "c4-epsilon",
    "c5-b",
    "c5-w",
)
CLASSIC = ("c2-delta", "c3-delta", "c4-delta")
WHERE = {
    1: "t = T, n = N",
    2: "t = T, n < N",
    3: "t < T, n = N",
    4: "t < T, n < N",
}
AXES = {
    "c5-b": ("i",),
    "c5-w": ("i", "j"),
}
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
        got = self.got.shape
        expected = self.expected.shape
        if got != expected:
            raise ValueError(
                f"got must have shape {expected}, got {got}; same network?"
            )
        off = np.abs(self.got - self.expected)
        return np.asarray(off / self.scale)

    def error(self) -> float:
        """Return the largest relative error; NaN if any entry is NaN."""
        return float(np.max(self.errors()))

    def describe(self) -> str:
        """Return a sentence on the entry with the largest error: where, got, expected."""
        errors = self.errors()
        largest = int(np.argmax(errors))
        at = np.unravel_index(largest, errors.shape)
        got = float(self.got[at])
        expected = float(self.expected[at])
        axes = AXES.get(self.id, ("sample s", "neuron i"))
        entry = [f"{axis} = {k}" for axis, k in zip(axes, at, strict=True)]
        return (
            f"{self.id} ({self._place()}, {', '.join(entry)}: "
            f"got {got!r}, expected {expected!r}, "
            f"relative error {errors[at]:.1e} > {self.limit:.0e}"
        )

    def _place(self) -> str:
        """Return the case, and the layer or the cell (t, n), in words; it closes a bracket."""
        case = int(self.id[1])
        n = self.node.n
        if case == 5:
            return f"case {case}: the gradient of layer n = {n})"
        t = self.node.t
        cell = f"t = {t} (the paper's t = {t + 1}), n = {n}"
        return f"case {case}: {WHERE[case]}) at {cell}"


def equation_under(id: str, rule: str) -> str:
    """Return the id of the formula that a rule uses in place of an exact one.

    >>> equation_under("c3-delta", "classic"), equation_under("c3-epsilon", "classic")
    ('c3-delta-classic', 'c3-epsilon')
    """
    if rule == "classic" and id in CLASSIC:
        return f"{id}-classic"
    return id


def arrays(of: Adjoints | Gradients) -> Iterator[tuple[str, Node, Any]]:
    """Yield the equation, place and values of each array of a result: δ, ε, then the gradients.

    They come in the order in which a backward sweep computes them.
    """
    gradients = of.gradients if isinstance(of, Adjoints) else of
    if isinstance(of, Adjoints):
        T = len(of.delta[1])
        N = len(of.delta) - 1
        for t in reversed(range(T)):
            for n in range(N, 0, -1):
                # Not by cases.case_at, which is judged.
                case = 1 + (n < N) + 2 * (t < T - 1)
                spike = Node("o", n, t)
                potential = Node("u", n, t)
                yield f"c{case}-delta", spike, of.delta[n][t]
                yield f"c{case}-epsilon", potential, of.epsilon[n][t]
    for n in range(len(gradients.W) - 1, 0, -1):
        yield "c5-b", Node("b", n), gradients.b[n]
        yield "c5-w", Node("W", n), gradients.W[n]


def comparisons(
    got: Adjoints | Gradients, expected: Adjoints, tolerance: Tolerance = ROUNDING
) -> Iterator[Comparison]:
    """Yield every array of two results side by side, with the id of its equation.

    The first difference is where a mistake entered. ``got`` may be only the gradients.
    """
    alike = expected if isinstance(got, Adjoints) else expected.gradients
    pairs = zip(arrays(got), arrays(alike), strict=True)
    for (id, node, a), (_, _, b) in pairs:
        scale = np.abs(b) + 1e-3
        if not tolerance.elementwise:
            scale = _size_of_summands(node, expected)
        # 1e-200 for numbers so small that float64 itself loses their digits.
        yield Comparison(id, node, a, b, scale + 1e-200, tolerance.limit)


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
    first = T - 1
    if node.n == N:
        first = T - 2
    return max(node.t, 0) >= first


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
        if self.gap:
            return self.error > self.limit
        return self.error <= self.limit


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
    T = len(answer.delta[1])
    N = len(answer.delta) - 1
    gap = tolerance is GAP
    for form, got in forms.items():
        for one in comparisons(got, answer, tolerance):
            is_exact = equal_under_classic(one.node, T, N)
            if exact is not None and is_exact != exact:
                continue
            id_ = equation_under(one.id, rule)
            said = one._replace(id=id_).describe()
            message = f"{form} form, {rule} rule, against {oracle}: {said}"
            yield Outcome(id_, rule, oracle, one.error(), one.limit, gap, message)


def at_every_node(
    derivative: Callable[[Node, int | None], Any], params: Params, T: int, S: int
) -> Adjoints:
    """Return every δ, every ε and both gradients, each entry by a call of derivative(node, s).

    s is the sample; None for a parameter, which all samples share.

    >>> params = Params(W=[None, np.zeros((1, 2))], b=[None, np.zeros(1)])
    >>> at_every_node(lambda node, s: node.j, params, T=1, S=1).gradients.W[1]
    array([[0., 1.]])
    """
    states = [np.empty((T, S, width), params.dtype) for width in params.sizes[1:]]
    delta = [None, *states]
    epsilon = [None, *map(np.empty_like, states)]
    W = [None, *map(np.empty_like, params.W[1:])]
    b = [None, *map(np.empty_like, params.b[1:])]
    found = Adjoints(delta, epsilon, Gradients(W, b))
    for _, place, array in arrays(found):
        for at in np.ndindex(array.shape):
            if place.kind in "Wb":
                node = Node(place.kind, place.n, place.t, *at)
                array[at] = derivative(node, None)
            else:
                s, i = at
                array[at] = derivative(place._replace(i=i), s)
    return found
