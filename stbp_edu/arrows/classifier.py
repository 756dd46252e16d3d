"""Which words does a gradient function keep? Found from its numbers alone.

Any rule that is a language gives the gradient Σ over words c · (what the paths of that word
contribute), c = 1 for a word that it keeps and 0 for one that it drops. On a small network a rule
of one word each gives the contributions, so c follows by least squares from the gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu import checks
from stbp_edu import network as part_one
from stbp_edu.arrays import by_layer
from stbp_edu.arrows.adjoints import backward, gradients, lambdas, local_derivatives
from stbp_edu.arrows.forward_run import forward
from stbp_edu.arrows.models import LayerParams, Network, Series, draw_params, network
from stbp_edu.arrows.part_one import by_name, hard_reset
from stbp_edu.arrows.paths import Word, words
from stbp_edu.arrows.rules import RULES, Rule
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import Gaussian

NEAR = 1e-4  # a coefficient this near to a number is that number


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
        return sorted(found, key=lambda word: (len(word), word))

    def __str__(self) -> str:
        """Return what was found, in a sentence."""
        if self.rules:
            same = " (they keep the same words here)" if len(self.rules) > 1 else ""
            return f"equals {' = '.join(self.rules)}{same}"
        if not self.coefficients:
            return "equals no built-in rule, and no sum of words gives its gradients"
        odd = [word for word, c in self.coefficients.items() if abs(c - 1) >= NEAR]
        if not odd:
            return "keeps every word of the small run, and equals no built-in rule on the longer"
        word = min(odd, key=lambda word: (len(word), word))
        times = self.coefficients[word]
        did = {0.0: "drops", 2.0: "counts twice"}.get(round(times, 4), f"counts {times:.4g} times")
        return (
            f"equals no built-in rule; of {len(self.coefficients)} words it counts "
            f"{len(self.coefficients) - len(odd)} once, as the exact rule does, and the shortest "
            f"that it {did} is '{' '.join(word)}'"
        )


Function = Callable[..., Any]
Run = tuple[LayerParams, Series, Any]
"""Parameters, trace and targets."""
RUNS = 30
FITS = 1e-6  # what a fit may leave, relative to the gradients


def random_run(net: Network, T: int, twin: bool, rng: np.random.Generator) -> Run:
    """Return (params, trace, targets) of a random run with two samples."""
    params = draw_params(net, rng, scale=1.5)
    for p in params[1:]:
        p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
    inputs = rng.random((T, 2, *net.shape))
    inputs = inputs if twin else np.round(inputs)
    return params, forward(net, params, inputs, twin=twin), rng.random((2, *net.shape_of(net.N)))


def fit_words(
    function: Function, net: Network, twin: bool, rng: np.random.Generator
) -> dict[Word, float]:
    """Return the coefficient of each word by least squares, or {} if none fit.

    A rule whose states are the words still to come gives what each word contributes by itself.
    Words that contribute nothing on any of the runs are left out: nothing is known of them.
    """
    every = [word for n in range(1, net.N + 1) for word in sorted(words(net, 3, n=n))]
    ends = {word[k:]: word[k] for word in every for k in range(len(word))}
    moves = {" ".join(end): {first: " ".join(end[1:])} for end, first in ends.items()}
    one_each = Rule("one word each", {**moves, "": {}})
    columns, told = [], []
    for _ in range(RUNS):
        run = random_run(net, 3, twin, rng)
        got, local = _gradients(function, net, run), local_derivatives(net, *run)
        given = [(n, k) for n in range(1, net.N + 1) for k in ("W", "b") if k in got[n]]
        lam = lambdas(local, one_each)
        each = [gradients(local, lam, " ".join(word)) for word in every]
        columns += [np.ravel([g[n][k] for g in each]).reshape(len(every), -1) for n, k in given]
        told += [np.ravel(got[n][k]) for n, k in given]
    A, y = np.concatenate(columns, axis=1).T, np.concatenate(told)
    scale = np.linalg.norm(A, axis=0)
    met = scale > 0
    c = np.linalg.lstsq(A[:, met] / scale[met], y, rcond=None)[0] / scale[met]
    if np.linalg.norm(A[:, met] @ c - y) > FITS * max(float(np.linalg.norm(y)), 1e-30):
        return {}
    known = [("enter", *word) for word, shown in zip(every, met, strict=True) if shown]
    return dict(zip(known, c.tolist(), strict=True))


NEURON = LIF(tau=0.6, v_th=0.5, surrogate=Gaussian(0.5), gate="linear")


def classify(
    function: Function,
    net: Network | None = None,
    *,
    T: int = 4,
    twin: bool = True,
    seed: int = 0,
    rtol: float = 1e-8,
) -> Verdict:
    """Return which built-in rule a gradient function equals, or which words it keeps.

    Args:
        function: without a network, called as ``function(trace, targets, params, neuron)`` with the
            types of ``stbp_edu``, and returns ``Gradients`` or (W, b), as :func:`stbp_edu.backward`
            does. With a network, called as ``function(net, params, trace, targets)``, and returns
            gradients as :func:`backward` does; parameters that it leaves out are not compared.
        net: the network to try it on.
        T: the number of steps on which rules are compared.
        twin: whether the runs are those of the smooth twin, where every factor shows; a function
            that makes its own run from the input needs False.
        seed: of the parameters and inputs.
        rtol: how near the gradients must be, relative to the largest entry.

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
    T, rtol = checks.count("T", T, at_most=1000), checks.number("rtol", rtol, positive=True)
    checks.instance("twin", twin, bool)
    rng = np.random.default_rng(checks.count("seed", seed, at_least=0))
    if net is not None:
        checks.instance("net", net, Network)
    else:
        net, function = network("2-3-2", hard_reset(NEURON)), _part_one(function)
    runs = [random_run(net, T, twin, rng) for _ in range(3)]
    trials = [(run, _gradients(function, net, run)) for run in runs]
    equal = tuple(
        name
        for name in RULES
        if all(_same(got, backward(net, *run, name).gradients, rtol) for run, got in trials)
    )
    return Verdict(equal, {} if equal else fit_words(function, net, twin, rng))


def _same(got: LayerParams, expected: LayerParams, rtol: float) -> bool:
    """Return whether gradients agree, where both have them."""
    pairs = [(got[n][k], expected[n][k]) for n in range(1, len(got)) for k in got[n]]
    return all(np.abs(a - b).max() <= rtol * max(np.abs(b).max(), 1e-30) for a, b in pairs)


def _gradients(function: Function, net: Network, run: Run) -> LayerParams:
    """Return the gradients of a function; they are finite and have their shapes."""
    found = function(net, *run)
    if not isinstance(found, list) or len(found) != net.N + 1:
        raise TypeError(
            "function must return a list of N + 1 dictionaries of gradients, as backward does, "
            f"got {checks.brief(found)}"
        )
    if not any({"W", "b"} & given.keys() for given in found[1:]):
        raise ValueError("function must return a gradient, got none of W or b; return dL/dW")
    for n, k in [(n, k) for n, given in enumerate(found) for k in given or ()]:
        shape, g = net.layers[n].shapes.get(k), found[n][k]
        if np.shape(g) != shape or not np.isfinite(g).all():
            raise ValueError(
                f"function must return finite gradients in the shapes of the parameters; of layer "
                f"{n}, {k!r} has shape {np.shape(g)}, not {shape}, or a NaN"
            )
    return found


def _part_one(function: Function) -> Function:
    """Return a function of Part I as one of a network of arrows."""

    def called(net: Network, params: LayerParams, trace: Series, targets: Any) -> LayerParams:
        """Return its gradients."""
        run = part_one.Trace(U=[None, *trace["u"][1:]], O=trace["o"])
        found = function(run, targets, part_one.Params(**by_name(params)), NEURON)
        if not hasattr(found, "W") and not (isinstance(found, tuple | list) and len(found) == 2):
            raise TypeError(
                f"function must return Gradients or (W, b), got {checks.brief(found)}; return both"
            )
        return by_layer(found if hasattr(found, "W") else part_one.Gradients(*found))

    return called
