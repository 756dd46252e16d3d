"""Which rule does a gradient function follow, or which words does it keep?

Found only from its numbers, which are first compared with those of each built-in rule.

Any rule that is a language gives the gradient Σ over words c · (what the paths of that word
contribute), c = 1 for a word that it keeps and 0 for one that it drops. On a small network a rule
of one word each gives the contributions, so c follows by least squares from the gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


@dataclass(frozen=True)
class RuleFit:
    """A gate and a rule, and how far gradients are from theirs.

    Attributes:
        gate: the gate, or another name of the neuron.
        rule: the rule.
        residual: the norm of the difference, relative to the gradient; of the worst layer.
    """

    gate: str
    rule: str
    residual: float


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


def of_rule(local: LocalDerivatives, rule: str) -> LayerParams:
    """Return the gradients of a built-in rule."""
    return gradients(local, lambdas(local, rule), RULES[rule].start)


def candidates(
    local: LocalDerivatives, yours: LayerParams, gate: str = ""
) -> list[RuleFit]:
    """Return how far gradients are from those of each rule, in the order of the rules.

    Args:
        local: the arrows of a run with their factors.
        yours: the gradients that were found on it; those arrays are compared that were found.
        gate: what to call the neuron.
    """
    found = []
    for rule in different_rules(local.net):
        apart = []
        for one, other in zip(yours[1:], of_rule(local, rule)[1:], strict=True):
            mine, theirs = _flat(one, one), _flat(other, one)
            size = max(np.linalg.norm(mine), np.linalg.norm(theirs)) or 1.0
            apart.append(float(np.linalg.norm(mine - theirs) / size))
        found.append(RuleFit(gate, rule, max(apart)))
    return found


def _flat(layer: Any, names: Iterable[str]) -> Array:
    """Return arrays of a layer in one row."""
    return np.concatenate([np.ravel(layer[name]) for name in names])


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
        return [word for word in self._odd() if abs(self.coefficients[word]) < NEAR]

    def _odd(self) -> list[Word]:
        """Return the words that it does not count once, the shortest first."""
        odd = [word for word, c in self.coefficients.items() if abs(c - 1) >= NEAR]
        return sorted(odd, key=lambda word: (len(word), word))

    def __str__(self) -> str:
        """Return the finding as a sentence."""
        if self.rules:
            same = " (they keep the same words here)" if len(self.rules) > 1 else ""
            return f"equals {' = '.join(self.rules)}{same}"
        if not self.coefficients:
            return "equals no built-in rule, and no sum of words gives its gradients"
        odd = self._odd()
        if not odd:
            return "keeps every word of the small run, and equals no built-in rule on the longer"
        times = self.coefficients[odd[0]]
        usual = {0.0: "drops", 2.0: "counts twice"}
        did = usual.get(round(times, 4), f"counts {times:.4g} times")
        many = len(self.coefficients)
        return (
            f"equals no built-in rule; of {many} words it counts "
            f"{many - len(odd)} once, as the exact rule does, and the shortest "
            f"that it {did} is '{' '.join(odd[0])}'"
        )


def classify(
    function: Callable[..., Any],
    neuron: LIF = NEURON,
    *,
    twin: bool = True,
    rtol: float = 1e-8,
) -> Verdict:
    """Return which built-in rule a gradient function equals, or which words it keeps.

    Args:
        function: called as ``function(trace, targets, params, neuron)`` with the types of
            ``stbp_edu``, and returns ``Gradients`` or (W, b), as :func:`stbp_edu.backward` does.
        neuron: that of the networks on which it is tried.
        twin: whether the runs are those of the smooth twin, where every factor shows; a function
            that makes its own run from the input needs False.
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
    rng = np.random.default_rng(0)
    equal = {*RULES}
    for _ in range(3):
        fits = candidates(*_asked(function, STEPS, neuron, twin, rng))
        equal &= {fit.rule for fit in fits if fit.residual <= rtol}
    if equal:
        return Verdict(tuple(rule for rule in RULES if rule in equal), {})
    return Verdict((), _fit_words(function, neuron, twin, rng))


def _asked(
    function: Callable[..., Any],
    T: int,
    neuron: LIF,
    twin: bool,
    rng: np.random.Generator,
) -> tuple[LocalDerivatives, LayerParams]:
    """Return a random run with two samples, and the gradients of a function on it, by layer."""
    layers = draw_params(network(SIZES, from_lif(neuron)), rng, scale=1.5)
    for p in layers[1:]:
        p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
    params = Params(**by_name(layers))
    inputs = rng.random((T, 2, params.sizes[0]))
    if not twin:
        inputs = np.round(inputs)
    spike = neuron.H if twin else neuron.g
    trace = forward_pass.forward(inputs, params, neuron, spike=spike)
    run = trace, rng.random((2, params.sizes[-1])), params, neuron
    found = function(*run)
    if hasattr(found, "W"):
        found = found.W, found.b
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise TypeError(
            f"function must return Gradients or (W, b), got {checks.brief(found)}; return both"
        )
    given = Params(*found)  # it checks the lists
    if given.sizes != params.sizes:
        raise ValueError(
            f"function must return gradients in the shapes of params, of sizes {params.sizes}, got "
            f"{given.sizes}; return dL/dW and dL/db"
        )
    return part_one.as_local(*run), by_layer(given)


def _fit_words(
    function: Callable[..., Any], neuron: LIF, twin: bool, rng: np.random.Generator
) -> dict[Word, float]:
    """Return the coefficient of each word by least squares, or {} if none fit.

    Words that contribute nothing on any of the runs are left out: nothing is known of them.
    """
    net = network(SIZES, from_lif(neuron))
    every: list[Word] = []
    for n in range(1, net.N + 1):
        every += sorted(words(net, SHORT, n=n))
    moves: dict[str, dict[str, str]] = {}
    for word in every:  # each state is a word still to come
        for k, kind in enumerate(word):
            moves[" ".join(word[k:])] = {kind: " ".join(word[k + 1 :])}
    rule = Rule("one word each", {**moves, "": {}})
    columns = []
    answers = []
    for _ in range(30):
        local, answer = _asked(function, SHORT, neuron, twin, rng)
        lam = lambdas(local, rule)
        of_words = [gradients(local, lam, " ".join(word)) for word in every]
        for n in range(1, net.N + 1):
            columns.append([_flat(one[n], "Wb") for one in of_words])
            answers.append(_flat(answer[n], "Wb"))
    A = np.concatenate(columns, axis=1).T
    y = np.concatenate(answers)
    scale = np.linalg.norm(A, axis=0)
    there = np.flatnonzero(scale)
    scaled = A[:, there] / scale[there]
    fitted, *_ = np.linalg.lstsq(scaled, y, rcond=None)
    if np.linalg.norm(scaled @ fitted - y) > FITS * (np.linalg.norm(y) + 1e-30):
        return {}
    coefficients = (fitted / scale[there]).tolist()
    return {("enter", *every[k]): c for k, c in zip(there, coefficients, strict=True)}
