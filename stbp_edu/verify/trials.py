"""The trials of the package: every form of every equation against the oracles, on random networks.

Two questions are asked. Under the exact rule: is this the gradient? Under the classic rule: is it
the gradient exactly where it is said to be, does it differ everywhere else, and is the difference
exactly the sum of the paths that it drops? Beside them are the other losses, and the ablations,
each of which must be the sum of the paths that it keeps.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, pairwise, product
from typing import Any

import numpy as np

from stbp_edu import losses, verify
from stbp_edu._support.checks import Array
from stbp_edu.case_rules import CASE_RULES
from stbp_edu.cases import scalar, vector
from stbp_edu.engine.compiled import installed
from stbp_edu.forward_pass import Adjoints, Spike, Trace, forward
from stbp_edu.losses import LossLike
from stbp_edu.networks import Model, network
from stbp_edu.neuron import GATES, LIF
from stbp_edu.parameters import Params
from stbp_edu.surrogates import SURROGATES
from stbp_edu.verify import (
    autodiff,
    comparison,
    finite_difference,
    formula_oracle,
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

SYMBOLIC = ((2, 2, 2), 3)  # sizes and T of the proof by polynomials
# (sizes, T): between them every case occurs, and every edge of the grid.
SHAPES = (((2, 3, 2), 4), ((3, 2, 2, 1), 3), ((2, 1), 2), ((2, 2, 2), 1), ((1, 2), 4))
NEURONS = tuple(
    LIF(0.5, 0.5, curve(curve.proof_a), gate)
    for curve, gate in product(SURROGATES.values(), GATES)
)
KEPT = "paths that it keeps"
MANY = 30_000  # samples, several blocks of the engine
# Two neurons at the output: a softmax has something to choose.
OTHER_SHAPE = ((2, 1, 2), 3)
SAMPLES = 3  # not two, which is a factor of some losses and the k of others
LOSSES: tuple[losses.LossFunction, ...] = (
    *(losses.LastSteps(2), losses.Membrane(1), losses.Membrane(None)),
    *(
        losses.CrossEntropy(),
        losses.CrossEntropy(counts=True),
        losses.StepCrossEntropy(),
    ),
)
"""The losses beside the rate loss, one for each way in which a formula branches."""


def draw(
    rng: np.random.Generator, sizes: tuple[int, ...], T: int, neuron: LIF, S: int = 2
) -> Problem:
    """Return a random network of this shape with S samples, inputs and targets in [0, 1]."""
    W = [rng.uniform(-1.5, 1.5, (above, below)) for below, above in pairwise(sizes)]
    b = [rng.uniform(-0.5, 0.5, width) for width in sizes[1:]]
    params = Params(W=[None, *W], b=[None, *b])
    spikes = rng.random((T, S, sizes[0]))
    targets = rng.random((S, sizes[-1]))
    return Problem(spikes, targets, params, neuron)


def all_forms(
    problem: Problem, rule: str, spike: Spike | None, loss: LossLike = losses.RATE
) -> dict[str, Any]:
    """Return the results of the index formulas, the sweep and the engine, by name.

    The five cases have a hard reset; with the soft one there is only the engine. The index
    formulas have the rate loss and the two rules.
    """
    spikes, targets, params, neuron = problem
    rest, forms = (targets, params, neuron, rule), dict[str, Any]()
    if neuron.gate != "soft":
        slow = forward(spikes, params, neuron, spike=spike)
        if loss is losses.RATE and rule in CASE_RULES:
            forms["scalar"] = scalar.sweep(slow, *rest)
        forms["vector"] = vector.sweep(slow, *rest, loss)
    net = _network(tuple(params.sizes), neuron)
    fast = net.forward(params, spikes, twin=spike is not None)
    forms["engine"] = net.backward(params, fast, targets, rule, loss)
    return forms


@lru_cache(maxsize=64)
def _network(sizes: tuple[int, ...], neuron: LIF, backend: str = "numpy") -> Model:
    """Return the network whose passes are the engine's."""
    return network(sizes, neuron, backend=backend)


def by_numbers(problem: Problem) -> Iterator[Outcome]:
    """Compare every form of a network's adjoints, under both rules, with every oracle.

    Under the classic rule they must equal the gradient where it is exact. Everywhere else they must
    differ on networks where no local derivative is 0, since there the dropped paths show: h is 0
    nowhere if its antiderivative is one piece.
    """
    neuron = problem.neuron
    for spike in (neuron.H, None):
        trace = forward(problem.spikes, problem.params, neuron, spike=spike)
        yield _by_value(trace, problem.targets, losses.RATE)
        exact, classic = (
            all_forms(problem, rule, spike) for rule in ("exact", "classic")
        )
        for forms, rule, oracle in (
            (exact, "exact", "paths"),
            (classic, "classic", KEPT),
        ):
            yield from compare(
                forms, rule, oracle, paths.derivatives(trace, *problem[1:], rule)
            )
        for oracle, answer in gradients(problem, spike).items():
            yield from compare(exact, "exact", oracle, *answer)
            there = f"{oracle}, where it is exact"
            yield from compare(classic, "classic", there, *answer, exact=True)
            if spike and not getattr(neuron.surrogate, "joints", ()):
                there = f"{oracle}, where it is not"
                yield from compare(
                    classic, "classic", there, answer[0], GAP, exact=False
                )


def gradients(
    problem: Problem, spike: Spike | None, loss: LossLike = losses.RATE
) -> dict[str, tuple[Adjoints, comparison.Tolerance]]:
    """Return the gradients by autodiff, and of the twin by finite differences, by their names."""
    answers = {
        "autodiff": (autodiff.derivatives(*problem, spike=spike, loss=loss), ROUNDING)
    }
    if spike:
        nudged = finite_difference.derivatives(*problem, loss=loss)
        answers["differences"] = nudged, DIFFERENCES
    return answers


def by_formulas() -> Iterator[Outcome]:
    """Compare every function of the neuron with its formula."""
    for id, name, got, expected in formula_oracle.curves(
        verify.require("sympy", "the formulas")
    ):
        yield _by_formula(id, f" with {name}", got, expected)


def _by_formula(id: str, what: str, got: Array, expected: Array) -> Outcome:
    """Return the outcome of one comparison with a formula, relative to the largest value."""
    error = float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))
    limit = ROUNDING.limit
    message = (
        f"{id}{what} against its formula: relative error {error:.1e} > {limit:.0e}"
    )
    return Outcome(id, "both", "formulas", error, limit, False, message)


def _by_value(trace: Trace, targets: Array, loss: losses.LossFunction) -> Outcome:
    """Compare the value of a loss with its formula."""
    outputs = list(zip(trace.O[-1], trace.U[-1], strict=True))
    values = (
        losses.loss(trace, targets, loss),
        formula_oracle.loss_value(loss, outputs, targets),
    )
    return _by_formula("loss", f" {loss!r}", *map(np.array, values))


def by_symbols(sizes: tuple[int, ...], T: int) -> Iterator[Outcome]:
    """Compare the index formulas, as polynomials, with the sums over paths; errors are 0 or 1."""
    for rule, oracle in (
        ("exact", "polynomials"),
        ("classic", "polynomials: gap = dropped paths"),
    ):
        for id, node, _, _, difference in polynomials.prove(sizes, T, rule):
            message = f"scalar form, {rule} rule, {id} at {node}: got - expected = {difference}"
            yield Outcome(id, rule, oracle, float(difference != 0), 0.0, False, message)


def by_losses(problem: Problem) -> Iterator[Outcome]:
    """Compare the value and the direct term of every other loss, on the smooth twin.

    Finite differences and automatic differentiation know a loss only from ``formulas``; the
    classic rule is held against the paths that it keeps, which take the direct term as given. So
    is a direct term without a loss, by spikes and by potentials.
    """
    twin = problem.neuron.H
    sums = problem.targets.sum(axis=1, keepdims=True)
    problem = problem._replace(
        targets=problem.targets / sums
    )  # probabilities, for the softmax
    trace = forward(problem.spikes, problem.params, problem.neuron, spike=twin)
    by_o, by_u = trace.U[-1] / 2, np.sin(trace.U[-1])  # any arrays of this shape
    for loss in (*LOSSES, losses.Direct(by_o, by_u), by_o):
        forms = all_forms(problem, "exact", twin, loss)
        if not isinstance(loss, (losses.Direct, np.ndarray)):
            yield _by_value(trace, problem.targets, loss)._replace(oracle="loss values")
            told = loss.direct(trace, problem.targets)
            by_term = all_forms(problem, "exact", twin, told)["engine"]
            forms["engine (told the direct term)"] = by_term
        answers = gradients(problem, twin, loss).items()
        found = [compare(forms, "exact", oracle, *answer) for oracle, answer in answers]
        for outcome in chain(*found, by_paths(problem, twin, ("classic",), loss)):
            yield outcome._replace(message=f"{loss!r}: {outcome.message}")


def by_paths(
    problem: Problem,
    spike: Spike | None,
    rules: Sequence[str],
    loss: LossLike = losses.RATE,
) -> Iterator[Outcome]:
    """Compare the forms under rules that drop paths with the sum of those that each keeps."""
    trace = forward(problem.spikes, problem.params, problem.neuron, spike=spike)
    for rule in rules:
        kept = paths.derivatives(trace, *problem[1:], rule, loss)
        yield from compare(all_forms(problem, rule, spike, loss), rule, KEPT, kept)


def by_blocks(rng: np.random.Generator, neuron: LIF) -> Iterator[Outcome]:
    """Compare the engine with autodiff on a random network and a batch of many samples.

    It works on some samples and some steps at a time; the other networks are one such block. Here
    its compiled loops are compared, too, where there is a compiler.
    """
    problem = draw(rng, (2, 4, 2), 6, neuron, S=MANY)
    spikes, targets, params, _ = problem
    backends = {"engine (many samples)": "numpy"}
    if installed():
        backends["engine (compiled)"] = "compiled"
    found = {}
    for name, backend in backends.items():
        net = _network(tuple(params.sizes), neuron, backend)
        trace = net.forward(params, spikes)
        found[name] = net.backward(params, trace, targets)
    yield from compare(found, "exact", "autodiff", autodiff.derivatives(*problem))
