"""The proof of a neuron's programs: every form that runs, against paths and autodiff.

The networks have two layers of different neurons, one of them recurrent, and a loss on each state
of the last layer. The table of arrows is one form more. Differences are relative to the sizes of
what adds up to a gradient: where large numbers cancel, the remains of rounding are not a mistake.
Only these sizes come from the recursion that is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support.checks import Array
from stbp_edu.arrows import RULES, Neuron, Rule, forward
from stbp_edu.arrows.adjoints import LocalDerivatives, derivatives_on, gradients
from stbp_edu.arrows.arrow import neuron_from
from stbp_edu.arrows.part_one import (
    hard_reset,
    soft_reset,
    with_adaptation,
    with_current,
)
from stbp_edu.arrows.table import Loss, Table, network
from stbp_edu.arrows.unrolled import Node, count_paths
from stbp_edu.lines.text import read_lines
from stbp_edu.neuron import LIF
from stbp_edu.program import COMPILED, FORMS, IN_PYTORCH, Form
from stbp_edu.program.in_loops import installed
from stbp_edu.surrogates import Gaussian, is_curve
from stbp_edu.verify import autodiff, paths
from stbp_edu.verify.comparison import ROUNDING
from stbp_edu.verify.finite_difference import SMALL
from stbp_edu.verify.formulas import linear
from stbp_edu.verify.runs import Run, drawn, recursion

COMPUTED = ROUNDING.limit  # as that of the five cases
MANY = 2_000  # paths from one node that are summed; where there are more, the run is shorter
PATHS = "the sum over kept paths"
AUTODIFF = "automatic differentiation"
OTHER = "s = 0.4 * s + x\nv = 0.6 * v + s - 0.5 * z\nz = spike(v - 0.5)"
"""A neuron with other states, which is above or below the one that is proved."""
SPIKING = LIF(tau=0.6, v_th=0.5)
NEURONS: dict[str, Neuron] = {
    "exponential gate": hard_reset(SPIKING, learn_leak=True),
    "linear gate": hard_reset(replace(SPIKING, gate="linear"), learn_leak=True),
    "soft reset": soft_reset(SPIKING, learn_leak=True),
    "synaptic current": with_current(hard_reset(SPIKING), alpha=0.6),
    "adaptive threshold": with_adaptation(soft_reset(SPIKING), beta=0.3, rho=0.8),
}
"""The neurons of the package, by what they are called."""


class Row(NamedTuple):
    """One comparison: what, against what, the largest relative difference, and what is untested."""

    what: str
    against: str
    difference: float
    allowed: float
    lacks: str = ""

    @property
    def agrees(self) -> bool:
        """Whether it was tested, and the difference is small enough."""
        return not self.lacks and self.difference <= self.allowed  # False for a NaN

    @property
    def verdict(self) -> str:
        """The difference in words."""
        if not np.isfinite(self.difference):
            return "NOT FINITE"
        if self.difference > self.allowed:
            return f"DIFFERS by {self.difference:.1e}"
        if self.lacks:
            return f"NOT TESTED: {self.lacks}"
        return f"agrees to {self.allowed:.0e}"


class Expected(NamedTuple):
    """What is expected of a run whose loss reads a state, under a rule.

    Attributes:
        gradients: by layer and name.
        sizes: the sizes of what adds up to each.
    """

    run: Run
    rule: Rule
    state: str
    gradients: Sequence[Any]
    sizes: Sequence[Any]

    def apart(self, form: Form) -> float:
        """Return how far a form's states and gradients are at most, relative to what adds up."""
        run = self.run
        net = replace(run.net, loss=Loss(self.state))
        states, found = form(net, self.rule, run.params, run.inputs, run.weight)
        apart = []
        for n in range(1, net.N + 1):
            for name in net.states[n]:
                value = run.traces[0][n][name]
                scale = max(np.abs(value).max(), 1)
                apart.append(np.abs(states[n][name] - value).max() / scale)
            for name, value in self.gradients[n].items():
                scale = max(np.max(self.sizes[n][name]), SMALL)
                apart.append(np.abs(found[n][name] - value).max() / scale)
        return float(np.max(apart))  # a NaN stays


def by_autodiff(run: Run, state: str) -> Expected:
    """Return the gradients of Σ weight · state by automatic differentiation of the lines."""
    _, found = autodiff.of_any(
        run.net,
        run.params,
        run.inputs,
        lambda outputs, _: linear(run.weight, [now[state] for now in outputs]),
    )
    exact = RULES["exact"]
    return Expected(run, exact, state, found, _sizes(run.local(state), exact))


def by_paths(run: Run, rule: Rule, state: str) -> Expected:
    """Return the gradients of Σ weight · state whose adjoints are summed path by path."""
    local = run.local(state)
    entered = [layer.neuron.entered for layer in local.net.layers[1:]]
    lam = paths.summed(local, rule, [[], *entered])
    found = gradients(local, lam, rule.start)
    return Expected(run, rule, state, found, _sizes(local, rule))


def _sizes(local: LocalDerivatives, rule: Rule) -> Any:
    """Return the gradients with every factor's absolute value: the sizes of what adds up."""
    factors, params = (
        [{name: np.abs(a) for name, a in (layer or {}).items()} for layer in layers]
        for layers in (local.factors, local.params)
    )
    outputs = [np.abs(output) for output in local.outputs]
    direct = np.abs(local.direct)
    return recursion(
        LocalDerivatives(local.net, factors, params, direct, outputs), rule
    )


def by_arrows(
    net: Table, rule: Rule, params: Any, inputs: Array, direct: Array
) -> tuple[list[Any], Any]:
    """Return states and gradients by the table of arrows, which is judged as the programs are."""
    trace = forward(net, params, inputs)
    states = [
        {name: trace[name][n] for name in names} for n, names in enumerate(net.states)
    ]
    return states, recursion(derivatives_on(net, params, trace, direct), rule)


def short_run(neurons: Sequence[Neuron], seed: int) -> Run:
    """Return a run of a layer of each neuron, so short that its paths can be summed."""
    net = network("1-1R-1", list(neurons))
    start = Node(neurons[0].input, 1, 0, 0)
    T = 3
    while T > 1 and count_paths(net, T, "exact", start)[0] >= MANY:
        T -= 1
    return drawn(net, T, seed)


def judged_forms(neuron: Neuron, seed: int, torch: bool = False) -> list[Row]:
    """Return the rows of each form in which a neuron's programs run.

    What is compiled takes seconds to make, and is judged by the exact rule on one network.
    """
    forms = dict(FORMS)
    if not is_curve(neuron.surrogate):
        del forms["in loops"]
    if torch:
        if not IN_PYTORCH:
            raise ImportError(
                "the proof in PyTorch needs its layers; write: import stbp_edu.torch"
            )
        forms |= IN_PYTORCH
    other = neuron_from(read_lines(OTHER, {}), Gaussian(a=0.5))
    pairs = [(other, neuron), (neuron, other)]
    short = [short_run(pair, seed) for pair in pairs]
    long = [drawn(network("2-2R-2", pair), 4, seed) for pair in pairs]
    lacks = next((run.lacks for run in [*short, *long] if run.lacks), "")
    by_rule = [*every_rule(_losses(short))]
    exact = [by_autodiff(run, state) for run, state in _losses(long)]
    rows = []
    for name, form in forms.items():
        what = f"program {name}"
        rows.append(judge(f"{what}, each rule", PATHS, form, by_rule, lacks))
        rows.append(judge(f"{what}, rule exact", AUTODIFF, form, exact, lacks))
    if installed() and is_curve(neuron.surrogate):
        what = "program compiled, rule exact"
        rows.append(judge(what, AUTODIFF, COMPILED, exact[:1], lacks))
    return rows


def of_the_package(seed: int = 0) -> Iterator[tuple[str, list[Row]]]:
    """Yield the name of each neuron of the package, and the rows of its programs."""
    for name, neuron in NEURONS.items():
        yield name, judged_forms(neuron, seed)


def _losses(runs: Sequence[Run]) -> Iterator[tuple[Run, str]]:
    """Yield the states that losses read: of the neuron that is proved, all."""
    above, below = runs
    for state in above.net.layers[-1].neuron.order:
        yield above, state
    yield below, below.net.layers[-1].neuron.output


def every_rule(losses: Iterable[tuple[Run, str]]) -> Iterator[Expected]:
    """Yield the gradients of every rule and loss, summed path by path."""
    for run, state in losses:
        for rule in RULES.values():
            if rule.keeps(replace(run.net, loss=Loss(state))):
                yield by_paths(run, rule, state)


def judge(
    what: str, against: str, form: Form, every: list[Expected], lacks: str
) -> Row:
    """Return how far a form is from all that is expected."""
    off = float(np.max([expected.apart(form) for expected in every]))
    return Row(what, against, off, COMPUTED, lacks)
