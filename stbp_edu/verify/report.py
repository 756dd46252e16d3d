"""The report on the five cases: index and vector form on trial, and the verdict on each equation.

Each trial holds both forms against oracles, on a random network, and asks two questions. Under the
exact rule: is this the gradient? Under the classic rule: is it the gradient exactly where it is
said to be, does it differ everywhere else, and is the difference exactly the sum of the paths that
it drops? Beside them are the other losses, and the ablations, each of which must be the sum of the
paths that it keeps.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby, pairwise, product
from typing import NamedTuple

import numpy as np

from stbp_edu import losses
from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.cases import ABLATIONS, CASE_RULES, scalar, vector
from stbp_edu.forward_pass import forward
from stbp_edu.losses import LossLike
from stbp_edu.neuron import HARD_GATES, LIF
from stbp_edu.parameters import Params
from stbp_edu.surrogates import SURROGATES
from stbp_edu.verify import (
    autodiff,
    finite_difference,
    formulas,
    paths,
    polynomials,
)
from stbp_edu.verify.comparison import (
    DIFFERENCES,
    GAP,
    ROUNDING,
    Outcome,
    Problem,
    compare,
)

# (sizes, T): between them every case occurs, and every edge of the grid.
SHAPES = (
    ((2, 3, 2), 4),
    ((3, 2, 2, 1), 3),
    ((2, 1), 2),
    ((2, 2, 2), 1),
    ((1, 2), 4),
)
NEURONS = tuple(
    LIF(0.5, 0.5, curve(curve.proof_a), gate)
    for curve, gate in product(SURROGATES.values(), HARD_GATES)
)
SYMBOLIC = ((2, 2, 2), 3)  # sizes and T of the proof by polynomials
MOST_ROUNDS = 1000  # a day's work
SHOWN = 10  # failures below the table
TITLES = f"{'equation':<16} {'rule':<14} {'oracle':<34} {'error':>7}   allowed  compared  verdict"
# Two neurons at the output: a softmax has something to choose.
OTHER_SHAPE = ((2, 1, 2), 3)
SAMPLES = 3  # not two, which is a factor of some losses and the k of others
LOSSES: tuple[losses.LossFunction, ...] = (
    losses.LastSteps(2),
    losses.Membrane(1),
    losses.Membrane(None),
    losses.CrossEntropy(),
    losses.CrossEntropy(counts=True),
    losses.StepCrossEntropy(),
)
"""The losses beside the rate loss, one for each way in which a formula branches."""


def draw(
    rng: np.random.Generator, sizes: tuple[int, ...], T: int, neuron: LIF, S: int = 2
) -> Problem:
    """Return a random network of this shape with S samples, inputs and targets in [0, 1]."""
    shapes = [(above, below) for below, above in pairwise(sizes)]
    W = [rng.uniform(-1.5, 1.5, shape) for shape in shapes]
    b = [rng.uniform(-0.5, 0.5, width) for width in sizes[1:]]
    params = Params(W=[None, *W], b=[None, *b])
    spikes = rng.random((T, S, sizes[0]))
    targets = rng.random((S, sizes[-1]))
    return Problem(spikes, targets, params, neuron)


def judged(
    problem: Problem,
    smooth: bool,
    by_paths: Sequence[str],
    by_gradients: Sequence[str] = (),
    loss: LossLike = losses.RATE,
) -> Iterator[Outcome]:
    """Compare every form of a network's adjoints with oracles, on spikes or on the smooth twin.

    Rules in ``by_paths`` are held against the sum of the paths that each keeps; those in
    ``by_gradients`` against the gradient by autodiff, and on the twin by finite differences. Under
    the classic rule they must equal it where it is exact. Everywhere else they must differ on
    networks where no local derivative is 0, since there the dropped paths show: h is 0 nowhere if
    its antiderivative is one piece.
    """
    spikes, targets, params, neuron = problem
    spike = neuron.H if smooth else None
    trace = forward(spikes, params, neuron, spike=spike)
    answers = {}
    if by_gradients:
        derived = autodiff.derivatives(*problem, spike=spike, loss=loss)
        answers["autodiff"] = derived, ROUNDING
    if by_gradients and smooth:
        nudged = finite_difference.derivatives(*problem, loss=loss)
        answers["differences"] = nudged, DIFFERENCES
    for rule in dict.fromkeys((*by_paths, *by_gradients)):
        forms = {"vector": vector.sweep(trace, targets, params, neuron, rule, loss)}
        if loss is losses.RATE and rule in CASE_RULES:
            forms["scalar"] = scalar.sweep(trace, targets, params, neuron, rule)
        if rule in by_paths:
            oracle = "paths" if rule == "exact" else "paths that it keeps"
            kept = paths.derivatives(trace, targets, params, neuron, rule, loss)
            yield from compare(forms, rule, oracle, kept)
        for oracle, answer in answers.items() if rule in by_gradients else ():
            if rule == "exact":
                yield from compare(forms, rule, oracle, *answer)
                continue
            there = f"{oracle}, where it is exact"
            yield from compare(forms, rule, there, *answer, exact=True)
            if smooth and not getattr(neuron.surrogate, "joints", ()):
                there = f"{oracle}, where it is not"
                yield from compare(forms, rule, there, answer[0], GAP, exact=False)


def by_numbers(problem: Problem) -> Iterator[Outcome]:
    """Compare every form of a network's adjoints, under both rules, with every oracle."""
    for smooth in (True, False):
        yield from judged(problem, smooth, CASE_RULES, CASE_RULES)
        yield _by_value(problem, smooth, losses.RATE)


def by_formulas() -> Iterator[Outcome]:
    """Compare every function of the neuron with its formula."""
    sympy = checks.require("sympy", "the formulas")
    for id, name, got, expected in formulas.curves(sympy):
        yield _by_formula(id, f"with {name}", got, expected)


def _by_formula(id: str, what: str, got: Array, expected: Array) -> Outcome:
    """Return the outcome of one comparison with a formula, relative to the largest value."""
    error = float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))
    off = f"relative error {error:.1e} > {ROUNDING.limit:.0e}"
    return Outcome(id, error, f"{what} against its formula: {off}")


def _by_value(problem: Problem, smooth: bool, loss: losses.LossFunction) -> Outcome:
    """Compare the value of a loss with its formula."""
    spikes, targets, params, neuron = problem
    trace = forward(spikes, params, neuron, spike=neuron.H if smooth else None)
    pairs = zip(trace.O[-1], trace.U[-1], strict=True)
    outputs = [{"o": o, "u": u} for o, u in pairs]
    got = np.array(losses.loss(trace, targets, loss))
    expected = np.array(formulas.loss_value(loss, outputs, targets))
    return _by_formula("loss", f"{loss!r}", got, expected)


def by_losses(problem: Problem) -> Iterator[Outcome]:
    """Compare the value and the direct term of every other loss, on the smooth twin.

    Finite differences and automatic differentiation know a loss only from ``formulas``; the
    classic rule is held against the paths that it keeps, which take the direct term as given. So
    is a direct term without a loss, by spikes and by potentials.
    """
    sums = problem.targets.sum(axis=1, keepdims=True)
    problem = problem._replace(targets=problem.targets / sums)  # for the softmax
    for loss in LOSSES:
        yield _by_value(problem, True, loss)._replace(oracle="loss values")
    T, S, _ = problem.spikes.shape
    any_slopes = np.sin(np.arange(1.0, 1 + T * S * problem.params.sizes[-1]))
    by_o = any_slopes.reshape(T, S, -1)
    terms: list[LossLike] = [*LOSSES, losses.Direct(None, by_o), by_o]
    for term in terms:
        for outcome in judged(problem, True, ("classic",), ("exact",), term):
            yield outcome._replace(asked=f"{term!r}: {outcome.asked}")


class OracleVerdict(NamedTuple):
    """The verdict on one equation under one rule by one oracle, over all comparisons."""

    id: str
    rule: str
    oracle: str
    outcomes: list[Outcome]

    @property
    def gap(self) -> bool:
        """Whether a difference is expected."""
        return self.outcomes[0].tolerance.gap

    @property
    def failed(self) -> int:
        """How many comparisons failed."""
        return sum(not outcome.ok for outcome in self.outcomes)

    @property
    def error(self) -> float:
        """The largest error; where a difference is expected, the smallest. NaN if any is NaN."""
        errors = [outcome.error for outcome in self.outcomes]
        least = np.min if self.gap else np.max
        return float(least(errors))

    def __str__(self) -> str:
        """Return the row of the table."""
        limit = self.outcomes[0].tolerance.limit
        compared = len(self.outcomes)
        sign, verdict = (">", "differs, as derived") if self.gap else ("<=", "equal")
        if self.failed:
            verdict = f"FAILED {self.failed} of {compared}"
        return (
            f"{self.id:<16} {self.rule:<14} {self.oracle:<33} {self.error:>8.1e} "
            f"{sign:>2} {limit:<6.0e} {compared:>9}  {verdict}"
        )


class Report(NamedTuple):
    """The outcomes of all comparisons, and the verdicts on them."""

    outcomes: list[Outcome]

    @property
    def verdicts(self) -> list[OracleVerdict]:
        """One verdict for each equation, rule and oracle: by rule, then by id, as they came."""
        rules = [*dict.fromkeys(outcome.rule for outcome in self.outcomes)]
        ids = [*dict.fromkeys(outcome.id for outcome in self.outcomes)]

        def place(outcome: Outcome) -> tuple[int, int, str]:
            """Return the key by which verdicts are sorted."""
            exact = outcome.id.removesuffix("-classic")
            return rules.index(outcome.rule), ids.index(exact), outcome.oracle

        ordered = sorted(self.outcomes, key=place)
        groups = groupby(ordered, lambda o: (o.id, o.rule, o.oracle))
        return [OracleVerdict(*key, list(outcomes)) for key, outcomes in groups]

    @property
    def failures(self) -> list[str]:
        """A message for each comparison that failed."""
        return [outcome.message for outcome in self.outcomes if not outcome.ok]

    @property
    def ok(self) -> bool:
        """Whether every comparison passed."""
        return not self.failures

    def format(self) -> str:
        """Return the verdicts as a table of plain text, with the first failures below it."""
        verdicts = self.verdicts
        passed = sum(not verdict.failed for verdict in verdicts)
        pass_ = f"{passed} of {len(verdicts)} verdicts pass."
        lines = [TITLES, *map(str, verdicts), pass_, *self.failures[:SHOWN]]
        more = len(self.failures) - SHOWN
        if more > 0:
            lines.append(f"and {more} more failures")
        return "\n".join(lines)


def run(seed: int = 0, rounds: int = 3) -> Report:
    """Return the verdicts of all oracles on the scalar and vector forms, under both rules.

    Args:
        seed: decides the random networks; >= 0.
        rounds: how many networks for each surrogate and gate, 1 to 1000. Five see every shape.

    Raises:
        ImportError: if autograd or SymPy is not installed.
        TypeError, ValueError: if ``seed`` or ``rounds`` is not a suitable integer.

    >>> run(rounds=1).ok
    True
    """
    return Report([*trials(seed, rounds)])


def trials(seed: int = 0, rounds: int = 3) -> Iterator[Outcome]:
    """Yield the outcomes of :func:`run`, one comparison after the other.

    The other losses and the ablations meet one gate a round: of them, a gate decides little.
    """
    rng = np.random.default_rng(checks.count("seed", seed, at_least=0))
    rounds = checks.count("rounds", rounds, at_most=MOST_ROUNDS)
    yield from by_formulas()
    for rule in polynomials.ORACLES:
        yield from polynomials.prove(*SYMBOLIC, rule)
    for k in range(rounds):
        other = NEURONS[(-1 - k) % len(NEURONS)]
        same = partial(np.random.default_rng, [seed, k])
        yield from by_losses(draw(same(), *OTHER_SHAPE, other, SAMPLES))
        yield from judged(draw(same(), *SHAPES[0], other), False, ABLATIONS)
        for which, neuron in enumerate(NEURONS):
            sizes, T = SHAPES[(which + k) % len(SHAPES)]
            yield from by_numbers(draw(rng, sizes, T, neuron))
