"""The proof of a neuron: each arrow, each gradient and each rule against what knows nothing of it.

Each arrow is nudged at its tail; the gradients of a drawn network are measured by finite
differences on the smooth twin, where H stands in for the spike, and computed by automatic
differentiation of the forward lines; and the adjoints under each rule are summed path by path.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows import RULES, Loss, Neuron, Rule, draw_params, forward, network
from stbp_edu.arrows.adjoints import LocalDerivatives, derivatives_on, gradients, lambdas
from stbp_edu.arrows.lines.expressions import Name, evaluate
from stbp_edu.arrows.lines.forward_lines import ForwardLines, X
from stbp_edu.arrows.lines.from_lines import neuron_from
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.paths import Node, count_paths, paths_from
from stbp_edu.arrows.table import like
from stbp_edu.surrogates import Gaussian
from stbp_edu.verify import require
from stbp_edu.verify.finite_difference import MOVES, STEP_SIZES, central

NUDGED, COMPUTED = 1e-6, 1e-10  # what a measured and a computed number may differ by
DRAWS = 20
MANY = 20_000  # paths from one node that are summed; where there are more, the run is shorter


class Row(NamedTuple):
    """One comparison: what, against what, and the largest relative difference."""

    what: str
    against: str
    difference: float
    allowed: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is small enough."""
        return self.difference <= self.allowed  # False for a NaN

    @property
    def verdict(self) -> str:
        """The difference in words."""
        if self.agrees:
            return f"agrees to {self.allowed:.0e}"
        return f"DIFFERS by {self.difference:.1e}"


@dataclass(frozen=True, repr=False)
class Proof:
    """What was compared, and the arrows that are wrong or missing.

    Attributes:
        rows: the comparisons.
        faults: a sentence for each arrow that is wrong, missing, or too many.
    """

    rows: tuple[Row, ...]
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything agrees."""
        return not self.faults and all(row.agrees for row in self.rows)

    def __str__(self) -> str:
        """Return the table, and below it what is wrong."""
        wide = max(len(row.what) for row in self.rows)
        table = [f"{row.what:{wide}}  {row.against:25}  {row.verdict}" for row in self.rows]
        return "\n".join([*table, *self.faults])

    __repr__ = __str__


def prove(neuron: Any, *, seed: int = 0) -> Proof:
    """Return the proof of a table of arrows, derived or made by hand.

    Of a neuron with forward lines every constant is taken to be learned, so that each is proved;
    where its surrogate has corners, a Gaussian stands in, since differences need a smooth curve.
    Where somebody has changed its arrows, the table is judged as it stands, as one made by hand.

    Args:
        neuron: the table, a :class:`Neuron`, or what ``derive`` returned.
        seed: of the networks that are drawn.

    Raises:
        ImportError: if autograd is not installed, and the neuron has forward lines.
        ValueError: if no drawn run stays finite.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset
    >>> prove(hard_reset(LIF())).holds
    True
    """
    neuron = checks.instance("neuron", getattr(neuron, "neuron", neuron), Neuron)
    checks.count("seed", seed, at_least=0)
    with np.errstate(all="ignore"):  # what is not finite is seen in the numbers
        if neuron.lines:
            given, neuron = neuron, _all_learned(neuron, neuron.lines, seed)
            if neuron.lines and not getattr(given.surrogate, "joints", ()):
                row, faults = _nudged_arrows(given, seed)  # its states may be others
                if faults:
                    return Proof((row,), faults)
        return _proved(neuron, seed)


def _proved(neuron: Neuron, seed: int) -> Proof:
    """Return the proof of a neuron whose constants are learned."""
    net = network("1-1R-1", neuron, Loss("of the output", neuron.output))
    params, inputs, weight = _drawn(net, 3, seed)
    row, faults = _nudged_arrows(neuron, seed)
    if faults:
        return Proof((row,), faults)
    rows = [row]
    potential = neuron.lines.potential if neuron.lines else "u"
    read = [neuron.output, potential]
    for state in dict.fromkeys(s for s in read if s in neuron.order):
        net = network("2-2R-2", neuron, Loss(f"of {state}", state))
        drawn = _drawn(net, 4, seed)
        what = f"gradients of a loss on {state}"
        rows.append(Row(what, "finite differences", _nudged_parameters(net, *drawn), NUDGED))
        if neuron.lines:
            rows.append(Row(what, "automatic differentiation", _autodiff(net, *drawn), COMPUTED))
    net = network("1-1R-1", neuron, Loss("of the output", neuron.output))
    T = next(T for T in (3, 2, 1) if T == 1 or _many(net, T) < MANY)
    local = derivatives_on(net, params, forward(net, params, inputs[:T]), weight[:T])
    rows += [
        Row(f"rule {rule.name}", "the sum over kept paths", _paths(local, rule), COMPUTED)
        for rule in RULES.values()
        if rule.keeps(net)
    ]
    return Proof(tuple(rows), ())


def _nudged_arrows(neuron: Neuron, seed: int) -> tuple[Row, tuple[str, ...]]:
    """Return how near factors and measured slopes are, and what is wrong with which arrow."""
    for k in range(3):  # again, where a corner of min, max or abs was too near
        nudged, faults = _arrows(neuron, np.random.default_rng((seed, k)))
        if not faults:
            break
    return Row("each arrow", "nudging its tail", nudged, NUDGED), tuple(faults)


def _many(net: Network, T: int) -> int:
    """Return how many paths a run has from where its weights enter first."""
    return count_paths(net, T, "exact", Node(net.layers[1].neuron.input, 1, 0, 0))[0]


def _difference(found: Any, expected: Any) -> float:
    """Return the largest difference, relative to the largest entry."""
    scale = max(float(np.abs(expected).max()), 1e-3)
    return float(np.abs(np.asarray(found) - expected).max()) / scale


Place = tuple[str, str]
"""Where an update reads a number: a state ``"now"`` or ``"last"``, the ``"input"``, or a constant
that is ``"learned"``; and its name."""
Values = dict[str, dict[str, Any]]
"""The numbers, by where and name."""


def _all_learned(neuron: Neuron, lines: ForwardLines, seed: int) -> Neuron:
    """Return a neuron as its forward lines give it, every constant learned, its surrogate smooth.

    Where its arrows are others than those that follow from the lines, it is returned without them.
    """
    of_lines = neuron_from(lines, neuron.surrogate, [*lines.constants])
    at = _values(of_lines, np.random.default_rng(seed))
    found, expected = _factors(neuron, at), _factors(of_lines, at)
    own = {"learned": neuron.learned.keys()}
    edges = {edge for edge in expected if edge[1][1] in own.get(edge[1][0], edge[1])}
    if found.keys() != edges or any(
        not _difference(found[edge][1], expected[edge][1]) <= COMPUTED for edge in edges
    ):
        return replace(neuron, lines=None)
    if getattr(neuron.surrogate, "joints", ()):
        return neuron_from(lines, Gaussian(0.5), [*lines.constants])
    return of_lines


def _values(neuron: Neuron, rng: np.random.Generator) -> Values:
    """Return drawn values of all states at both steps, the input, and what is learned."""
    names = [state.name for state in neuron.states]
    read = {"now": names, "last": names, "input": ["x"]}
    drawn = {where: {s: rng.uniform(0.2, 0.9, 5) for s in read[where]} for where in read}
    return drawn | {"learned": {name: np.array(enter.initial) for name, enter in neuron.enters}}


def _arrows(neuron: Neuron, rng: np.random.Generator) -> tuple[float, list[str]]:
    """Return how much factors and measured slopes differ, and which arrows that concerns."""
    names, at = [state.name for state in neuron.states], _values(neuron, rng)
    factors, worst, faults = _factors(neuron, at), 0.0, []
    places = [(where, name) for where in at for name in at[where]]
    for target, place in product(names, places):
        if place == ("now", target):
            continue
        moved = [_moved(at, *place, k * STEP_SIZES[0]) for k in MOVES]
        ends = [_updated(neuron, target, one) for one in moved]
        slope = central(ends, STEP_SIZES[0]) * np.ones(5)
        end = f"{place[1]} of the last step" if place[0] == "last" else place[1]
        what, factor = factors.get((target, place), (f"no arrow from {end} to {target}", 0.0))
        worst = max(worst, _difference(factor, slope))
        if not _difference(factor, slope) <= NUDGED:
            faults.append(
                f"{what}: its factor is {np.ravel(factor)[0]:.4g}, but where {end} moves, "
                f"{target} moves {slope[0]:.4g} times as far"
            )
    return worst, faults


def _moved(at: Values, where: str, name: str, amount: float) -> Values:
    """Return the numbers, one of them moved."""
    return {**at, where: {**at[where], name: at[where][name] + amount}}


def _updated(neuron: Neuron, target: str, at: Values) -> Any:
    """Return a state's update, the spike's as the smooth twin's."""
    state, smooth = neuron.state(target), neuron.surrogate.antiderivative
    value = state.update(at["now"], at["last"], at["input"]["x"], at["learned"])
    return smooth(value) if state.fires else value


def _factors(neuron: Neuron, at: Values) -> dict[tuple[str, Place], tuple[str, Any]]:
    """Return what the table has for the target and place of each arrow: its name and factor."""

    def value(factor: Any, step: int) -> Any:
        """Return a factor from the states at its tail and at the step next to it."""
        tail, beside, sign = ("last", "now", "+1") if step else ("now", "last", "-1")
        states = {**at[tail], **{s + sign: v for s, v in at[beside].items()}}
        return like(at["input"]["x"], factor(states, at["learned"]), "a factor")

    found = {(neuron.input, ("input", "x")): (f"input into {neuron.input}", np.ones(5))}
    for name, enter in neuron.enters:
        what = f"{name} into {enter.target}"
        found[enter.target, ("learned", name)] = what, value(enter.factor, enter.step)
    for arrow in neuron.arrows:
        what = f"arrow {arrow.kind!r} from {arrow.source} to {arrow.target}"
        edge = arrow.target, ("last" if arrow.step else "now", arrow.source)
        beside = found[edge][1] if edge in found else 0.0  # of another arrow between these ends
        found[edge] = what, beside + value(arrow.factor, arrow.step)
    return found


Run = tuple[Any, Any, Any]
"""Parameters, inputs, and the weight of each entry of the state that the loss reads."""


def _drawn(net: Network, T: int, seed: int) -> Run:
    """Return a drawn run that stays finite."""
    for rng in (np.random.default_rng((seed, k)) for k in range(DRAWS)):
        params = draw_params(net, rng)
        for p in params[1:]:
            p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
        inputs = rng.normal(0.3, 0.8, (T, 2, *net.shape))
        runs = [forward(net, params, inputs, twin=twin) for twin in (False, True)]
        states = [run[s] for run in runs for s in net.layers[net.N].neuron.order]
        read = [series for state in states for series in state[1:]]
        if all(np.abs(series).max() < 1e6 for series in read):
            return params, inputs, rng.normal(size=(T, 2, *net.shape_of(net.N)))
    raise ValueError(
        "no drawn run stays finite and below a million; does a line divide by a state, or grow?"
    )


def _gradients(net: Network, params: Any, inputs: Any, weight: Any, twin: bool) -> Any:
    """Return the gradients of Σ weight · state by the exact rule."""
    trace = forward(net, params, inputs, twin=twin)
    local = derivatives_on(net, params, trace, weight)
    return gradients(net, params, trace, lambdas(local), "all")


def _nudged_parameters(net: Network, params: Any, inputs: Any, weight: Any) -> float:
    """Return how much gradients on the smooth twin differ from finite differences."""
    found = _gradients(net, params, inputs, weight, twin=True)
    rng, worst = np.random.default_rng(0), 0.0
    for n, name in [(n, name) for n, layer in enumerate(found) for name in layer or ()]:
        way = rng.normal(size=np.shape(params[n][name]))

        def value(amount: float, n: int = n, name: str = name, way: Any = way) -> float:
            """Return the loss where one parameter has moved along a drawn way."""
            moved = [*params]
            moved[n] = {**params[n], name: params[n][name] + amount * way}
            run = forward(net, moved, inputs, twin=True)
            return float((weight * run[net.loss.state][net.N]).sum())

        slope = float((found[n][name] * way).sum())
        # ever smaller steps, since a corner of min, max or abs may be near
        measured = (central([value(k * step) for k in MOVES], step) for step in STEP_SIZES)
        worst = max(worst, min(_difference(slope, one) for one in measured))
    return worst


def _autodiff(net: Network, params: Any, inputs: Any, weight: Any) -> float:
    """Return how much gradients differ from those of automatic differentiation."""
    autograd = require("autograd", "the proof of forward lines")
    neuron = net.layers[net.N].neuron
    fire = autograd.extend.primitive(lambda v: (v >= 0).astype(v.dtype))
    h = neuron.surrogate.derivative
    autograd.extend.defvjp(fire, lambda ans, v: lambda signal: signal * h(v))

    def loss(layers: Any) -> Any:
        """Return Σ weight · state."""
        zeros = [np.zeros((inputs.shape[1], len(p["b"]))) for p in layers]
        past, value = [dict.fromkeys(neuron.lines.lines, zero) for zero in zeros], 0.0
        for t, below in enumerate(inputs):
            for n, p in enumerate(layers):
                x = below @ p["W"].T + p["b"]
                if "R" in p and t:
                    x = x + past[n][neuron.output] @ p["R"].T
                past[n] = _step(neuron.lines, past[n], x, p, fire, autograd.numpy)
                below = past[n][neuron.output]
            value = value + autograd.numpy.sum(weight[t] * past[-1][net.loss.state])
        return value

    expected = autograd.grad(loss)(params[1:])
    found = _gradients(net, params, inputs, weight, twin=False)[1:]
    pairs = zip(found, expected, strict=True)
    return max(_difference(ours[k], other[k]) for ours, other in pairs for k in other)


def _step(lines: ForwardLines, past: Any, x: Any, p: Any, fire: Any, xp: Any) -> Any:
    """Return the states of one step."""
    known = {Name(name): p.get(name, value) for name, value in lines.constants.items()}
    known |= {Name(state, "last"): value for state, value in past.items()} | {X: x}
    for state, line in lines.lines.items():
        known[Name(state, "now")] = evaluate(line, known.__getitem__, {"spike": fire}, xp)
    return {state: known[Name(state, "now")] for state in lines.lines}


def _paths(local: LocalDerivatives, rule: Rule) -> float:
    """Return how much the adjoints where weights enter differ from sums over kept paths."""
    lam, worst = lambdas(local, rule), 0.0
    for n, t in product(range(1, local.net.N + 1), range(local.T)):
        entered = local.net.layers[n].neuron.input
        kept = paths_from(Node(entered, n, t, 0), local, rule)
        total = sum(path.contribution for path in kept)
        worst = max(worst, _difference(lam[n][entered, rule.start][t, 0, 0], total))
    return worst
