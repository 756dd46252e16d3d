"""The trials of the five cases: index and vector form against oracles, on random networks.

Two questions are asked. Under the exact rule: is this the gradient? Under the classic rule: is it
the gradient exactly where it is said to be, does it differ everywhere else, and is the difference
exactly the sum of the paths that it drops? Beside them are the other losses, and the ablations,
each of which must be the sum of the paths that it keeps.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise, product

import numpy as np

from stbp_edu import losses
from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.cases import CASE_RULES, scalar, vector
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
