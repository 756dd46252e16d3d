"""Which rule does a gradient function follow, or which words does it keep?

Found only from its numbers, which are first compared with those of each built-in rule.

Any rule that is a language gives the gradient Σ over words c · (what the paths of that word
contribute), c = 1 for a word that it keeps and 0 for one that it drops. On a small network a rule
of one word each gives the contributions, so c follows by least squares from the gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any

import numpy as np

from stbp_edu import forward_pass
from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows import part_one
from stbp_edu.arrows.adjoints import LocalDerivatives, gradients, lambdas
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.rules import RULES, Rule
from stbp_edu.arrows.table import LayerParams, Table, draw_params, network
from stbp_edu.arrows.unrolled import Word, words
from stbp_edu.neuron import LIF
from stbp_edu.parameters import Params, by_layer, by_name
from stbp_edu.surrogates import Gaussian

NEAR = 1e-4  # a coefficient this near to a number is that number
FITS = 1e-6  # what a fit may leave, relative to the gradients
SIZES = "2-3-2"  # of the networks
STEPS = 4  # of a run
SHORT = 3  # steps of a run on which words are counted
NEURON = LIF(tau=0.6, v_th=0.5, surrogate=Gaussian(0.5), gate="linear")
CourseRun = tuple[forward_pass.Trace, Any, Params, LIF]
"""Trace, targets, parameters and neuron."""


@dataclass(frozen=True)
class RuleFit:
    """A gate and a rule, and how far gradients are from theirs.

    Attributes:
        gate: the gate, or another name of the neuron.
        rule: the rule.
        residual: the norm of the difference, relative to the gradient; of the worst layer.
        factors: for each layer, what the rule's gradient is multiplied by to come nearest.
        left: the residual after that.
    """

    gate: str
    rule: str
    residual: float
    factors: tuple[float, ...]
    left: float

    def rank(self, tolerance: float) -> tuple[bool, bool, float]:
        """Return a key that is smaller the nearer it is: equal, equal but for factors, others."""
        if self.residual < tolerance:
            return False, False, 0.0
        return True, self.left >= tolerance, self.residual


def different_rules(net: Table) -> list[str]:
    """Return the rules that treat the arrows of a network differently: of others, the first.

    On neurons without adaptation in layers without recurrent weights ``detached-spikes`` is
    ``detached-reset``. A rule that keeps no word of the network is left out.
    """
    arrows = [*chain.from_iterable(net.arrows)]
    first: dict[Any, str] = {}
    for name, rule in RULES.items():
        if rule.keeps(net):
            words = [rule.move(q, arrow) for q, arrow in product(rule.moves, arrows)]
            first.setdefault((*words, rule.forgets), name)
    return list(first.values())


def candidates(
    runs: Sequence[tuple[LocalDerivatives, LayerParams]], gate: str = ""
) -> list[RuleFit]:
    """Return how far gradients are from those of each rule, in the order of the rules.

    Args:
        runs: the arrows of each run with their factors, and the gradients that were found; those
            arrays are compared that were found.
        gate: what to call the neuron.
    """
    first_run, _ = runs[0]
    found = []
    for name in different_rules(first_run.net):
        parts = []
        for local, yours in runs:
            ours = gradients(local, lambdas(local, name), RULES[name].start)
            parts.append([*map(_in_rows, yours[1:], ours[1:])])
        layers = [
            np.concatenate(of_layer, axis=1) for of_layer in zip(*parts, strict=True)
        ]
        found.append(_fit(gate, name, layers))
    return found


def _in_rows(yours: Mapping[str, Any], ours: Mapping[str, Any]) -> Array:
    """Return the gradients of a layer that were found, and those of a rule, in a row each."""
    rows = [[np.ravel(of[name]) for name in yours] for of in (yours, ours)]
    return np.stack([np.concatenate(row) for row in rows])


def _fit(gate: str, rule: str, layers: Sequence[Array]) -> RuleFit:
    """Return how far gradients are from those of a rule, with and without a factor each."""
    residuals = []
    factors = []
    left = []
    for yours, ours in layers:
        norm = np.linalg.norm(yours)
        size = max(norm, np.linalg.norm(ours)) or 1.0
        square = float(ours @ ours)
        factor = float(yours @ ours) / square if square > 0 else 1.0
        residuals.append(float(np.linalg.norm(yours - ours) / size))
        factors.append(factor)
        left.append(float(np.linalg.norm(yours - factor * ours) / (norm or size)))
    return RuleFit(gate, rule, max(residuals), tuple(factors), max(left))


@dataclass(frozen=True)
class Verdict:
    """What a gradient function keeps.

    Attributes:
        rules: the built-in rules that it equals on the networks tried; more than one where they
            keep the same words there.
        coefficients: otherwise, how often it counts each word, as far as the network has it; empty
            if no coefficients give its gradients.
    """

    rules: tuple[str, ...]
    coefficients: dict[Word, float]

    def dropped(self) -> list[Word]:
        """Return the words that it drops, the shortest first."""
        found = [word for word, c in self.coefficients.items() if abs(c) < NEAR]
        return sorted(found, key=_shortest_first)

    def __str__(self) -> str:
        """Return the finding as a sentence."""
        if self.rules:
            same = " (they keep the same words here)" if len(self.rules) > 1 else ""
            return f"equals {' = '.join(self.rules)}{same}"
        if not self.coefficients:
            return "equals no built-in rule, and no sum of words gives its gradients"
        odd = [word for word, c in self.coefficients.items() if abs(c - 1) >= NEAR]
        if not odd:
            return "keeps every word of the small run, and equals no built-in rule on the longer"
        word = min(odd, key=_shortest_first)
        times = self.coefficients[word]
        usual = {0.0: "drops", 2.0: "counts twice"}
        did = usual.get(round(times, 4), f"counts {times:.4g} times")
        many = len(self.coefficients)
        return (
            f"equals no built-in rule; of {many} words it counts "
            f"{many - len(odd)} once, as the exact rule does, and the shortest "
            f"that it {did} is '{' '.join(word)}'"
        )


def _shortest_first(word: Word) -> tuple[int, Word]:
    """Return a key by which words are sorted."""
    return len(word), word


def classify(
    function: Callable[..., Any],
    neuron: LIF = NEURON,
    *,
    twin: bool = True,
    seed: int = 0,
    rtol: float = 1e-8,
) -> Verdict:
    """Return which built-in rule a gradient function equals, or which words it keeps.

    Args:
        function: called as ``function(trace, targets, params, neuron)`` with the types of
            ``stbp_edu``, and returns ``Gradients`` or (W, b), as :func:`stbp_edu.backward` does.
        neuron: that of the networks on which it is tried.
        twin: whether the runs are those of the smooth twin, where every factor shows; a function
            that makes its own run from the input needs False.
        seed: of the parameters and inputs.
        rtol: how near the gradients of each layer must be, relative to their norm.

    >>> import stbp_edu
    >>> print(classify(stbp_edu.backward))
    equals exact
    >>> print(classify(lambda *a: stbp_edu.backward(*a, rule="detached-reset")))
    equals detached-reset
    """
    if not callable(function):
        raise TypeError(
            f"function must be callable, got {checks.brief(function)}; pass your backward pass"
        )
    if not isinstance(neuron, LIF):
        raise TypeError(
            f"neuron must be an LIF here, got {checks.brief(neuron)}; for a neuron of your own ask "
            "stbp_edu.torch.which_rule, or compare with the gradients of stbp_edu.network"
        )
    rng = np.random.default_rng(seed)
    runs = [random_run(STEPS, neuron, twin, rng) for _ in range(3)]
    trials = [(part_one.as_local(*run), asked(function, run)) for run in runs]
    equal = [one.rule for one in candidates(trials) if one.residual <= rtol]
    if equal:
        return Verdict(tuple(equal), {})
    return Verdict((), fit_words(function, neuron, twin, rng))


def random_run(T: int, neuron: LIF, twin: bool, rng: np.random.Generator) -> CourseRun:
    """Return a random run with two samples."""
    layers = draw_params(network(SIZES, from_lif(neuron)), rng, scale=1.5)
    for p in layers[1:]:
        p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
    params = Params(**by_name(layers))
    inputs = rng.random((T, 2, params.sizes[0]))
    if not twin:
        inputs = np.round(inputs)
    spike = neuron.H if twin else neuron.g
    trace = forward_pass.forward(inputs, params, neuron, spike=spike)
    return trace, rng.random((2, params.sizes[-1])), params, neuron


def asked(function: Callable[..., Any], run: CourseRun) -> LayerParams:
    """Return the gradients of a function by layer; they have the parameters' shapes."""
    found = function(*run)
    if hasattr(found, "W"):
        found = found.W, found.b
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise TypeError(
            f"function must return Gradients or (W, b), got {checks.brief(found)}; return both"
        )
    given = Params(*found)  # it checks the lists
    sizes = run[2].sizes
    if given.sizes != sizes:
        raise ValueError(
            f"function must return gradients in the shapes of params, of sizes {sizes}, got "
            f"{given.sizes}; return dL/dW and dL/db"
        )
    return list(by_layer(given))


def fit_words(
    function: Callable[..., Any], neuron: LIF, twin: bool, rng: np.random.Generator
) -> dict[Word, float]:
    """Return the coefficient of each word by least squares, or {} if none fit.

    Words that contribute nothing on any of the runs are left out: nothing is known of them.
    """
    net = network(SIZES, from_lif(neuron))
    every: list[Word] = []
    for n in range(1, net.N + 1):
        every += sorted(words(net, SHORT, n=n))
    rule = one_word_each(every)
    columns = []
    answers = []
    for _ in range(30):
        run = random_run(SHORT, neuron, twin, rng)
        local = part_one.as_local(*run)
        lam = lambdas(local, rule)
        columns.append([_flat(gradients(local, lam, " ".join(word))) for word in every])
        answers.append(_flat(asked(function, run)))
    A = np.concatenate(columns, axis=1).T
    y = np.concatenate(answers)
    scale = np.linalg.norm(A, axis=0)
    there = np.flatnonzero(scale)
    fitted, *_ = np.linalg.lstsq(A[:, there] / scale[there], y, rcond=None)
    coefficients = fitted / scale[there]
    left = np.linalg.norm(A[:, there] @ coefficients - y)
    if left > FITS * (np.linalg.norm(y) + 1e-30):
        return {}
    pairs = zip(there, coefficients.tolist(), strict=True)
    return {("enter", *every[k]): c for k, c in pairs}


def one_word_each(every: list[Word]) -> Rule:
    """Return a rule whose states are the words still to come: from each, it keeps that word."""
    moves: dict[str, dict[str, str]] = {}
    for word in every:
        for k, kind in enumerate(word):
            moves[" ".join(word[k:])] = {kind: " ".join(word[k + 1 :])}
    return Rule("one word each", {**moves, "": {}})


def _flat(layers: LayerParams) -> Array:
    """Return gradients as one column."""
    return np.concatenate(
        [np.ravel(layer[name]) for layer in layers[1:] for name in "Wb"]
    )
