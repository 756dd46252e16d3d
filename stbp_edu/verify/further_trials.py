"""The other losses, the ablations and large batches: each form against every oracle."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from stbp_edu import losses
from stbp_edu.cases import sweep
from stbp_edu.engine import products as engine
from stbp_edu.losses import LossLike
from stbp_edu.network import Adjoints, Gradients, Trace, forward
from stbp_edu.neuron import LIF
from stbp_edu.rules import ABLATIONS
from stbp_edu.verify import autodiff, finite_difference, paths
from stbp_edu.verify.comparison import DIFFERENCES, ROUNDING, comparisons, equation_under
from stbp_edu.verify.loss_values import loss_value
from stbp_edu.verify.trials import Outcome, Problem, by_formula, draw, outcome_of

SHAPE = (2, 1, 2), 3  # two neurons at the output, so that a softmax has something to choose
SAMPLES = 3  # not two, which is a factor of some losses and the k of others
LOSSES: tuple[losses.LossFunction, ...] = (
    *(losses.LastSteps(2), losses.Membrane(1), losses.Membrane(None)),
    *(losses.CrossEntropy(), losses.CrossEntropy(counts=True), losses.StepCrossEntropy()),
)
"""The losses beside the rate loss, one for each way in which a formula branches."""


def _forms(
    trace: Trace, problem: Problem, rule: str, loss: LossLike = losses.RATE
) -> dict[str, Adjoints | Gradients]:
    """Return the results of the sweep, which has a hard reset, and of the engine, by name."""
    rest = (trace, *problem[1:], rule, loss)
    swept = {} if problem.neuron.gate == "soft" else {"vector": sweep(*rest)}
    return {**swept, "engine": engine.backward(*rest)}


def by_losses(problem: Problem) -> Iterator[Outcome]:
    """Compare the value and the direct term of every other loss, on the smooth twin.

    Finite differences and automatic differentiation know a loss from ``loss_values`` alone; the
    classic rule is held against the paths that it keeps, which take the direct term as given. So
    is a direct term without a loss, by spikes and by potentials.
    """
    neuron = problem.neuron
    sums = problem.targets.sum(axis=1, keepdims=True)
    problem = problem._replace(targets=problem.targets / sums)  # probabilities, for the softmax
    trace = forward(problem.spikes, problem.params, neuron, spike=neuron.H)
    outputs = list(zip(trace.O[-1], trace.U[-1], strict=True))
    for loss in LOSSES:
        value, expected = (
            np.array(x)
            for x in (
                losses.loss(trace, problem.targets, loss),
                loss_value(loss, outputs, problem.targets),
            )
        )
        yield by_formula("loss", f" {loss!r}", value, expected)._replace(oracle="loss values")
    by_o, by_u = trace.U[-1] / 2, np.sin(trace.U[-1])  # any arrays of this shape
    terms: tuple[LossLike, ...] = (*LOSSES, losses.Direct(by_o, by_u), by_o)
    for term in terms:
        answers = {
            "autodiff": (autodiff.derivatives(*problem, spike=neuron.H, loss=term), ROUNDING),
            "differences": (finite_difference.derivatives(*problem, loss=term), DIFFERENCES),
        }
        forms = _forms(trace, problem, "exact", term)
        if not isinstance(term, (losses.Direct, np.ndarray)):
            told = term.direct(trace, problem.targets)
            forms["engine (told the direct term)"] = _forms(trace, problem, "exact", told)["engine"]
        for (form, got), (oracle, answer) in product(forms.items(), answers.items()):
            for place in comparisons(got, answer[0]):
                yield _of(term, outcome_of(place, "exact", oracle, answer[1], form))
        yield from _by_paths(trace, problem, "classic", term)


def by_ablations(problem: Problem) -> Iterator[Outcome]:
    """Compare the sweep and the engine under every ablation with the paths that it keeps.

    ``leak-only`` lets the whole leak through where a spike has reset: the paths of a neuron with
    the soft reset, whose gate is τ, with the reset cut.
    """
    trace = forward(problem.spikes, problem.params, problem.neuron)
    for rule in ABLATIONS:
        yield from _by_paths(trace, problem, rule)


def by_blocks(rng: np.random.Generator, neuron: LIF) -> Iterator[Outcome]:
    """Compare the engine with autodiff on a random network and a batch of many samples.

    It works on some samples and some steps at a time; the other networks are one such block.
    """
    problem = draw(rng, (2, 4, 2), 6, neuron, S=30_000)
    trace = engine.forward(problem.spikes, problem.params, problem.neuron)
    got = engine.backward(trace, *problem[1:], "exact")
    for place in comparisons(got, autodiff.derivatives(*problem)):
        yield outcome_of(place, "exact", "autodiff", ROUNDING, "engine (many samples)")


def _by_paths(
    trace: Trace, problem: Problem, rule: str, loss: LossLike = losses.RATE
) -> Iterator[Outcome]:
    """Compare both forms with the paths that a rule keeps."""
    neuron, cut = problem.neuron, rule
    if rule == "leak-only":
        neuron, cut = type(neuron)(neuron.tau, neuron.v_th, neuron.surrogate, "soft"), ABLATIONS[0]
    kept = paths.derivatives(trace, problem.targets, problem.params, neuron, cut, loss)
    for form, got in _forms(trace, problem, rule, loss).items():
        for place in comparisons(got, kept):
            one = place._replace(id=equation_under(place.id, rule))
            yield _of(loss, outcome_of(one, rule, "paths that it keeps", ROUNDING, form))


def _of(loss: LossLike, outcome: Outcome) -> Outcome:
    """Return an outcome whose message begins with the loss."""
    return outcome._replace(message=f"{loss!r}: {outcome.message}")
