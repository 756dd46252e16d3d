"""The proof of a neuron: each arrow, each gradient and each rule against what knows nothing of it.

Each arrow is nudged at its tail; the gradients of a drawn network are measured by finite
differences on the smooth twin, where H stands in for the spike, and computed by automatic
differentiation of the forward lines; and the adjoints under each rule are summed path by path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows import RULES, Loss, Neuron, Rule, draw_params, forward, network
from stbp_edu.arrows.adjoints import LocalDerivatives, derivatives_on, gradients, lambdas
from stbp_edu.arrows.lines.expressions import Name, evaluate
from stbp_edu.arrows.lines.forward_lines import ForwardLines
from stbp_edu.arrows.lines.from_lines import neuron_from
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.paths import Node, paths_from
from stbp_edu.surrogates import Gaussian, Rectangle, Triangle
from stbp_edu.verify import require

NUDGED, COMPUTED = 1e-6, 1e-10  # what a measured and a computed number may differ by
STEPS = (1e-3, 1e-4)
DRAWS = 20


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


def prove(neuron: Neuron, *, seed: int = 0) -> Proof:
    """Return the proof of a table of arrows, derived or made by hand.

    Of a neuron with forward lines every constant is taken to be learned, so that each is proved;
    where its surrogate has corners, a Gaussian stands in, since differences need a smooth curve.

    Args:
        neuron: the table.
        seed: of the networks that are drawn.

    Raises:
        ImportError: if autograd is not installed, and the neuron has forward lines.
        ValueError: if no drawn run stays finite.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset
    >>> prove(hard_reset(LIF())).holds
    True
    """
    checks.instance("neuron", neuron, Neuron)
    if neuron.lines:
        kinked = isinstance(neuron.surrogate, Rectangle | Triangle)
        surrogate = Gaussian(0.5) if kinked else neuron.surrogate
        learnable = [name for name in neuron.lines.constants if name not in ("W", "b", "R")]
        neuron = neuron_from(neuron.lines, surrogate, learnable)
    for k in range(3):  # again, where a corner of min, max or abs was too near
        nudged, faults = _arrows(neuron, np.random.default_rng((seed, k)))
        if not faults:
            break
    rows = [Row("each arrow", "nudging its tail", nudged, NUDGED)]
    if faults:
        return Proof(tuple(rows), tuple(faults))
    read = dict.fromkeys([neuron.output, *(s.name for s in neuron.states if s.name == "u")])
    for state in read:
        net = network("2-2R-2", neuron, Loss(f"of {state}", state))
        run = _drawn(net, 4, seed)
        what = f"gradients of a loss on {state}"
        rows.append(Row(what, "finite differences", _nudged_parameters(net, *run), NUDGED))
        if neuron.lines:
            rows.append(Row(what, "automatic differentiation", _autodiff(net, *run), COMPUTED))
    net = network("1-1R-1", neuron, Loss("of the output", neuron.output))
    params, inputs, weight = _drawn(net, 3, seed)
    local = derivatives_on(net, params, forward(net, params, inputs), weight)
    rows += [
        Row(f"rule {rule.name}", "the sum over kept paths", _paths(local, rule), COMPUTED)
        for rule in RULES.values()
        if rule.keeps(net)
    ]
    return Proof(tuple(rows), ())


def _difference(found: Any, expected: Any) -> float:
    """Return the largest difference, relative to the largest entry."""
    scale = max(float(np.abs(expected).max()), 1e-3)
    return float(np.abs(np.asarray(found) - expected).max()) / scale


Point = dict[str, dict[str, Any]]
"""What an update reads: the states ``now`` and at the ``last`` step, the input, what is learned."""


def _arrows(neuron: Neuron, rng: np.random.Generator) -> tuple[float, list[str]]:
    """Return how much factors and measured slopes differ, and which arrows that concerns."""
    names = [state.name for state in neuron.states]
    at: Point = {when: {s: rng.uniform(0.2, 0.9, 5) for s in names} for when in ("now", "last")}
    at["input"] = {"x": rng.uniform(0.2, 0.9, 5)}
    at["learned"] = {name: np.array(enter.initial) for name, enter in neuron.enters}
    sources = [(group, name) for group, values in at.items() for name in values]
    worst, faults = 0.0, []
    for target, (group, name) in product(names, sources):
        if (group, name) == ("now", target):
            continue
        slope = _measured(neuron, target, at, group, name)
        arrow, factor = _factor(neuron, target, at, group, name)
        worst = max(worst, _difference(factor, slope))
        if not _difference(factor, slope) <= NUDGED:
            end = f"{name} of the last step" if group == "last" else name
            faults.append(
                f"{arrow or f'no arrow from {end} to {target}'}: its factor is "
                f"{np.ravel(factor)[0]:.4g}, but where {end} moves, {target} moves "
                f"{slope[0]:.4g} times as far"
            )
    return worst, faults


def _central(value: Callable[[float], Any], step: float) -> Any:
    """Return a derivative at 0, by central differences of fourth order."""
    low, lower, upper, high = (value(k * step) for k in (-2, -1, 1, 2))
    return (8 * (upper - lower) - (high - low)) / (12 * step)


def _measured(neuron: Neuron, target: str, at: Point, group: str, name: str) -> Any:
    """Return the derivative of a state's update by one of what it reads, measured."""

    def value(move: float) -> Any:
        """Return the update where that has moved."""
        return _value(neuron, target, {**at, group: {**at[group], name: at[group][name] + move}})

    return _central(value, STEPS[0]) * np.ones(5)


def _value(neuron: Neuron, target: str, at: Point) -> Any:
    """Return a state's update, the spike's as the smooth twin's."""
    state = neuron.state(target)
    if state.update is None:
        return neuron.surrogate.antiderivative(neuron.distance(at["now"]))  # type: ignore[misc]
    value = state.update(at["now"], at["last"], at["input"]["x"], at["learned"])
    return neuron.surrogate.antiderivative(value) if state.fires else value


def _factor(neuron: Neuron, target: str, at: Point, group: str, name: str) -> tuple[str, Any]:
    """Return the arrow that leads from a source to a target, in words, and its factor; or 0."""

    def value(factor: Any, step: int) -> Any:
        """Return a factor from the states at its tail and at the step next to it."""
        tail, other = ("last", "now") if step else ("now", "last")
        beside = {f"{s}{'+1' if step else '-1'}": v for s, v in at[other].items()}
        return factor({**at[tail], **beside}, at["learned"]) * np.ones(5)

    if group == "input" and neuron.input == target:
        return f"input into {target}", np.ones(5)
    for learned, enter in neuron.enters if group == "learned" else ():
        if (learned, enter.target) == (name, target):
            return f"{name} into {target}", value(enter.factor, enter.step)
    for arrow in neuron.arrows if group in ("now", "last") else ():
        ends = arrow.source, arrow.target, ("now", "last")[arrow.step]
        if ends == (name, target, group):
            return f"arrow {arrow.kind!r} from {name} to {target}", value(arrow.factor, arrow.step)
    return "", np.zeros(5)


Run = tuple[Any, Any, Any]
"""Parameters, inputs, and the weight of each entry of the state that the loss reads."""


def _drawn(net: Network, T: int, seed: int) -> Run:
    """Return a drawn run that stays finite."""
    for rng in (np.random.default_rng((seed, k)) for k in range(DRAWS)):
        params = draw_params(net, rng)
        for p in params[1:]:
            p["b"] = rng.normal(0.2, 0.3, p["b"].shape)
        inputs = rng.normal(0.3, 0.8, (T, 2, *net.shape))
        with np.errstate(all="ignore"):
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
        near = (_difference(slope, np.array(_central(value, step))) for step in STEPS)
        worst = max(worst, min(near))
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
    now: dict[str, Any] = {}

    def value(name: Name) -> Any:
        """Return the value of a name."""
        if name.when:
            return x if name.name == "x" else (now if name.when == "now" else past)[name.name]
        return p[name.name] if name.name in p else lines.constants[name.name]

    for state, line in lines.lines.items():
        now[state] = evaluate(line, value, {"spike": fire}, xp)
    return now


def _paths(local: LocalDerivatives, rule: Rule) -> float:
    """Return how much the adjoints where weights enter differ from sums over kept paths."""
    net, start = local.net, rule.start
    lam = lambdas(local, rule)
    return max(
        _difference(lam[node.n][node.kind, start][node.t, 0, node.i], np.array(total))
        for node in _entered(net, len(local.direct))
        for total in [sum(path.contribution for path in paths_from(node, local, rule))]
    )


def _entered(net: Network, T: int) -> Iterator[Node]:
    """Yield the nodes that weights enter."""
    for n in range(1, net.N + 1):
        for t in range(T):
            yield Node(net.layers[n].neuron.input, n, t, 0)
