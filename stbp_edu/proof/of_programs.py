"""The proof of a neuron's programs: every form that runs, against paths and autodiff.

The networks have two layers of different neurons, one of them recurrent, and a loss on each state
of the last layer. Differences are relative to the sizes of what adds up to a gradient: where large
numbers cancel, the remains of rounding are not a mistake.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.arrows import RULES, Neuron, Rule
from stbp_edu.arrows.adjoints import LocalDerivatives, gradients, lambdas
from stbp_edu.arrows.arrow import neuron_from
from stbp_edu.arrows.part_one import (
    hard_reset,
    soft_reset,
    with_adaptation,
    with_current,
)
from stbp_edu.arrows.state_loss import Loss
from stbp_edu.arrows.table import network
from stbp_edu.arrows.unrolled import Node, count_paths, paths_from
from stbp_edu.engine import Program
from stbp_edu.engine.compiled import installed
from stbp_edu.lines.text import read_lines
from stbp_edu.neuron import LIF
from stbp_edu.proof.drawn_runs import drawn
from stbp_edu.proof.program_forms import COMPILED, FORMS, Form
from stbp_edu.proof.run import Run
from stbp_edu.proof.run_autodiff import by_autodiff
from stbp_edu.surrogates import Gaussian, is_curve
from stbp_edu.verify.comparison import ROUNDING

COMPUTED = ROUNDING.limit  # as that of stbp_edu.verify
SMALL = 1e-3  # differences are relative to what adds up, or to this where it is smaller
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


def apart(found: Sequence[Any], expected: Sequence[Any], sizes: Sequence[Any]) -> float:
    """Return the largest difference of two gradients, relative to what adds up to them."""
    worst = 0.0
    for n in range(1, len(expected)):
        for name, value in expected[n].items():
            size = float(np.max(sizes[n][name]))
            scale = max(size, SMALL)
            mine = np.asarray(found[n][name])
            difference = np.abs(mine - value)
            off = float(difference.max()) / scale
            if not np.isfinite(off):
                return np.nan
            worst = max(worst, off)
    return worst


def sizes_of(local: LocalDerivatives, rule: Rule = RULES["exact"]) -> list[Any]:
    """Return the gradients with every factor's absolute value: the sizes of what adds up."""
    sized = LocalDerivatives(
        local.net,
        factors=_absolute(local.factors),
        params=_absolute(local.params),
        direct=np.abs(local.direct),
        outputs=[np.abs(output) for output in local.outputs],
    )
    return gradients(sized, lambdas(sized, rule), rule.start)


def _absolute(layers: Sequence[Any]) -> list[Any]:
    """Return the absolute values of arrays by layer and name."""
    found: list[Any] = []
    for layer in layers:
        if layer:
            layer = {name: np.abs(array) for name, array in layer.items()}
        found.append(layer)
    return found


def by_paths(local: LocalDerivatives, rule: Rule) -> tuple[list[Any], list[Any]]:
    """Return gradients whose adjoints are summed path by path, and the sizes of what adds up."""
    adjoints: list[Any] = [{}]
    for n, layer in enumerate(local.net.layers[1:], 1):
        found = {}
        for state in layer.neuron.entered:
            node = state, rule.start
            found[node] = _summed_paths(local, rule, state, n)
        adjoints.append(found)
    sizes = sizes_of(local, rule)
    return gradients(local, adjoints, rule.start), sizes


def _summed_paths(local: LocalDerivatives, rule: Rule, state: str, n: int) -> Any:
    """Return the adjoint of a state of layer n, path by path."""
    T, S = local.direct.shape[:2]
    sums = np.zeros((T, S, local.net.sizes[n]))
    for t, s, i in np.ndindex(sums.shape):
        kept = paths_from(Node(state, n, t, i), local, rule, s)
        products = [path.contribution for path in kept]
        sums[t, s, i] = sum(products)
    return sums


def short_run(neurons: Sequence[Neuron], seed: int) -> Run:
    """Return a run of a layer of each neuron, so short that its paths can be summed."""
    net = _network("1-1R-1", neurons)
    start = Node(neurons[0].input, 1, 0, 0)
    for T in (3, 2):
        many, _ = count_paths(net, T, "exact", start)
        if many < MANY:
            return drawn(net, T, seed)
    return drawn(net, 1, seed)


def _network(sizes: str, neurons: Sequence[Neuron]) -> Any:
    """Return a network whose loss reads the output."""
    loss = Loss("of the output", neurons[-1].output)
    return network(sizes, list(neurons), loss)


def judged_forms(neuron: Neuron, seed: int, torch: bool = False) -> list[Row]:
    """Return two rows for each form that is quick to make, in which a neuron's programs run."""
    pairs = _with_another(neuron)
    short = [short_run(pair, seed) for pair in pairs]
    long = [_long_run(pair, seed) for pair in pairs]
    lacking = [run.lacks for run in [*short, *long]]
    lacks = next((one for one in lacking if one), "")
    forms = dict(FORMS)
    if not is_curve(neuron.surrogate):
        del forms["in loops"]
    if torch:
        forms["in PyTorch"] = _in_pytorch
    by_rule = _differences(forms, _by_rule(short))
    exact = _differences(forms, _exact(long))
    rows = []
    for name in forms:
        what = f"program {name}, each rule"
        rows.append(Row(what, PATHS, by_rule[name], COMPUTED, lacks))
        what = f"program {name}, rule exact"
        rows.append(Row(what, AUTODIFF, exact[name], COMPUTED, lacks))
    return rows


def judged_compiled(neuron: Neuron, seed: int) -> list[Row]:
    """Return the row of the compiled program; none where Numba or such a surrogate is missing."""
    if not (installed() and is_curve(neuron.surrogate)):
        return []
    above_another, _ = _with_another(neuron)
    run = _long_run(above_another, seed)
    first = next(_exact([run]))
    what = "program compiled, rule exact"
    off = _differences({what: COMPILED}, [first])
    return [Row(what, AUTODIFF, off[what], COMPUTED, run.lacks)]


def _with_another(neuron: Neuron) -> list[tuple[Neuron, Neuron]]:
    """Return the neuron above another one, and below it."""
    other = neuron_from(read_lines(OTHER, {}), Gaussian(a=0.5))
    return [(other, neuron), (neuron, other)]


def _long_run(neurons: Sequence[Neuron], seed: int) -> Run:
    """Return a run of two layers of two neurons each, the second recurrent."""
    return drawn(_network("2-2R-2", neurons), 4, seed)


def of_the_package(seed: int = 0) -> Iterator[tuple[str, list[Row]]]:
    """Yield the name of each neuron of the package, and the rows of its programs."""
    for name, neuron in NEURONS.items():
        rows = judged_forms(neuron, seed)
        rows += judged_compiled(neuron, seed)
        yield name, rows


Expected = tuple[Run, Rule, str, list[Any], list[Any]]
"""A run, a rule, a state that the loss reads, the gradients, and the sizes of what adds up."""


def _losses(run: Run, k: int) -> tuple[str, ...]:
    """Return the states that losses read: of the neuron that is proved, all."""
    last = run.net.layers[-1].neuron
    if k > 0:
        return (last.output,)
    return tuple(last.order)


def _by_rule(runs: Sequence[Run]) -> Iterator[Expected]:
    """Yield the gradients of every rule and loss, summed path by path."""
    for k, run in enumerate(runs):
        for rule in RULES.values():
            for state in _losses(run, k):
                local = run.local(state)
                if rule.keeps(local.net):
                    expected, sizes = by_paths(local, rule)
                    yield run, rule, state, expected, sizes


def _exact(runs: Sequence[Run]) -> Iterator[Expected]:
    """Yield the gradients of every loss under the exact rule, by automatic differentiation."""
    rule = RULES["exact"]
    for k, run in enumerate(runs):
        for state in _losses(run, k):
            expected = by_autodiff(run, state)
            sizes = sizes_of(run.local(state))
            yield run, rule, state, expected, sizes


def _differences(forms: dict[str, Form], every: Iterable[Expected]) -> dict[str, float]:
    """Return the largest difference of each form's gradients, or states, from the expected ones."""
    worst = dict.fromkeys(forms, 0.0)
    for run, rule, state, expected, sizes in every:
        net = replace(run.net, loss=Loss("of a state", state))
        program = Program(net, rule, "numpy")
        for name, form in forms.items():
            states, found = form(program, run.params, run.inputs, run.weight)
            of_gradients = apart(found, expected, sizes)
            of_states = _states_apart(states, run)
            largest = np.max([worst[name], of_gradients, of_states])  # a NaN stays
            worst[name] = float(largest)
    return worst


def _states_apart(states: list[Any], run: Run) -> float:
    """Return the largest difference of states from those of the run."""
    worst = 0.0
    for n, of_layer in enumerate(states[1:], 1):
        for name, series in of_layer.items():
            right = run.traces[0][name][n]
            scale = max(np.abs(right).max(), 1)
            difference = np.abs(series - right)
            off = difference.max() / scale
            worst = float(np.max([worst, off]))
    return worst


def _in_pytorch(*asked: Any) -> tuple[list[Any], list[Any]]:
    """Return the states and gradients of PyTorch's layers."""
    module = importlib.import_module("stbp_edu.torch.proof")
    found: tuple[list[Any], list[Any]] = module.states_and_gradients(*asked)
    return found
