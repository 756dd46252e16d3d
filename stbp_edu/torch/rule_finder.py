"""Find the gate and the rule of a network that is written in PyTorch, in whatever framework."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stbp_edu import checks
from stbp_edu.arrows.rules import RULES
from stbp_edu.neuron import GATES, LIF
from stbp_edu.parameters import Params
from stbp_edu.surrogates import SURROGATES
from stbp_edu.torch.layers import LIFNetwork, check_sequence
from stbp_edu.torch.parameters import check_floats, to_params
from stbp_edu.torch.steps import curves

TOLERANCE = 1e-4
"""How far two gradients may differ, relatively, that count as equal; rules do by hundredths."""
ALIKE, NEAR = 1e-3, 0.02
"""How far two surrogates may differ, relative to the height, that are alike, or nearly so."""
POINTS = 200
"""At how many places a surrogate is looked at."""
Run = Callable[[Tensor], Tensor]


class SurrogateOf:
    """The surrogate of a spike function in PyTorch, such as one of snnTorch's.

    Its H is not known, so that there is no smooth twin.

    Args:
        spike: from v = u - V_th to spikes, with a backward of its own.

    >>> SurrogateOf(torch.sigmoid).derivative(torch.zeros(1)).item()
    0.25
    """

    def __init__(self, spike: Callable[[Tensor], Tensor]) -> None:
        if not callable(spike):
            raise TypeError(
                f"spike must be a function, got {checks.brief(spike)}; pass your own"
            )
        self.spike = spike

    def derivative(self, v: Tensor) -> Tensor:
        """Return h(v), by autograd."""
        with torch.enable_grad():
            v = check_floats("v", v).detach().requires_grad_()
            return torch.autograd.grad(self.spike(v).sum(), v)[0]

    def antiderivative(self, v: Tensor) -> Tensor:
        """Raise NotImplementedError."""
        raise NotImplementedError(
            "the spike function does not tell H; use a surrogate with one"
        )


@dataclass(frozen=True)
class Candidate:
    """A gate and a rule, and how far the gradient is from theirs.

    Attributes:
        residual: the length of the difference, relative to the gradient; of the worst layer.
        factors: for each layer, what the rule's gradient is multiplied by to come nearest.
        left: the residual after that.
    """

    gate: str
    rule: str
    residual: float
    factors: tuple[float, ...]
    left: float

    def rank(self) -> tuple[bool, bool, float]:
        """Return what is smaller the nearer it is: equal, equal but for a factor, others."""
        near = self.residual < TOLERANCE
        return not near, self.left >= TOLERANCE, 0.0 if near else self.residual


@dataclass(frozen=True)
class Match:
    """Which gates and rules a network has.

    Attributes:
        rules: each gate and rule with its spikes and its gradient.
        gates: the gates that have its spikes.
        nearest: by residual, the nearest first; empty where no gate has the spikes.
        surrogate: what was found out about its surrogate; "" where it is the neuron's.
        differing: by gate, how many output spikes differ.
    """

    rules: list[tuple[str, str]]
    gates: list[str]
    nearest: list[Candidate]
    surrogate: str
    differing: dict[str, int]

    def __repr__(self) -> str:
        """Return the verdict in sentences."""
        if not self.gates:
            gate = min(self.differing, key=lambda gate: self.differing[gate])
            return (
                f"No gate has these spikes: nearest is {gate}, with {self.differing[gate]} that "
                "differ. Compare leak, threshold, the time of the reset, and scale=."
            )
        best = self.nearest[0]
        name = f"{best.gate} gate, {best.rule}"
        if self.rules:
            said = " = ".join(f"{gate} gate, {rule}" for gate, rule in self.rules) + "."
        elif best.left < TOLERANCE:
            said = (
                f"{name} times {', '.join(f'{k:.4g}' for k in best.factors)} by layer."
            )
        else:
            said = (
                f"No rule has this gradient, though {' and '.join(self.gates)} has the spikes: "
                f"nearest is {name}, {best.residual:.1%} away."
            )
        return f"{said} {self.surrogate}".strip()


def which_rule(
    model: nn.Module, run: Run, spikes: Tensor, neuron: LIF, *, scale: float = 1.0
) -> Match:
    """Return which gates have your network's spikes, and which rules its gradient.

    Where the reset never acts, several give the same. If the gradient has another surrogate than
    the neuron's, rules are compared with that one, as far as the first step shows it.

    Args:
        model: what holds the weights: ``nn.Linear``, one for each layer, in their order.
        run: your network, from rest: input to output spikes, (T, S, n[0]) to (T, S, n[N]).
        spikes: an input, on which the output layer spikes.
        neuron: leak, threshold and surrogate of your neurons; its gate is not read.
        scale: the share of the current that your neurons take in, such as 1 - τ.

    Raises:
        TypeError, ValueError: if an argument is none of these, the output has another shape, or
            no output spikes.
    """
    checks.instance("model", model, nn.Module)
    checks.instance("neuron", neuron, LIF)
    if not callable(run):
        raise TypeError(
            f"run must be a function of spikes, got {checks.brief(run)}; pass your own"
        )
    check_sequence(spikes)
    params = checks.instance(
        "the parameters of model", to_params(model.state_dict()), Params
    )
    scaled = Params(
        W=[
            None,
            *(W * checks.number("scale", scale, positive=True) for W in params.W[1:]),
        ],
        b=[None, *(b * scale for b in params.b[1:])],
    )
    weights = [
        p for name, p in model.named_parameters() if name.rpartition(".")[2] == "weight"
    ]
    output, signal, yours = _run(run, spikes, params.sizes[-1], weights)

    def network(gate: str, rule: str = "exact", neuron: LIF = neuron) -> LIFNetwork:
        """Return the package's network with a gate and a rule, where the spikes are."""
        return LIFNetwork.from_params(scaled, replace(neuron, gate=gate), rule).to(
            spikes
        )

    differing = {
        g: int((network(g).trace(spikes).O[-1] != output).sum()) for g in GATES
    }
    gates = [gate for gate in GATES if not differing[gate]]

    def candidates(neuron: LIF) -> list[Candidate]:
        """Return every rule that may be, the nearest first."""
        found = []
        for gate, rule in product(gates, RULES):
            layers = network(gate, rule, neuron)
            ours = [layer.weights.weight for layer in layers]
            expected = _gradient(layers(spikes), signal.to(ours[0].dtype), ours)
            found.append(_candidate(gate, rule, yours, [g * scale for g in expected]))
        return sorted(found, key=Candidate.rank)

    found, said = candidates(neuron), ""
    if found and found[0].residual > TOLERANCE:
        v, h = _curve(run, network(gates[0]), spikes, weights[-1])
        surrogate, other = _compared(v, h / scale, neuron)
        better = candidates(replace(neuron, surrogate=surrogate)) if other else found
        if better[0].rank() < found[0].rank():
            found, said = better, other
    rules = [(c.gate, c.rule) for c in found if c.residual < TOLERANCE]
    return Match(rules, gates, found, said, differing)


def _run(
    run: Run, spikes: Tensor, width: int, weights: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Sequence[Tensor]]:
    """Return the output spikes of a run, a signal to them, and the gradient of the weights then."""
    output = checks.instance("what run returns", run(spikes), Tensor)
    if output.shape != (*spikes.shape[:2], width) or not output.any():
        raise ValueError(
            f"run must return spikes (T, S, n[N]) = {(*spikes.shape[:2], width)}, some of them 1, "
            f"got shape {tuple(output.shape)}, {int(output.sum())} spikes; stack those of each "
            "step, and lower the threshold or raise the weights"
        )
    signal = torch.randn(output.shape, generator=torch.Generator().manual_seed(0)).to(
        output
    )
    followed = output.requires_grad and all(p.requires_grad for p in weights)
    found = _gradient(output, signal, weights) if followed else ()
    if not any(g.any() for g in found):
        raise ValueError(
            "run must have a gradient of the weights, got none or zeros; leave out no_grad and "
            "detach, let all weights require gradients, or widen the surrogate"
        )
    return output, signal, found


def _gradient(
    output: Tensor, signal: Tensor, weights: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """Return the gradient of the weights where ``signal`` is that of the output."""
    kept: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
    return torch.autograd.grad((output * signal).sum(), weights, **kept)


def _candidate(
    gate: str, rule: str, yours: Sequence[Tensor], ours: Sequence[Tensor]
) -> Candidate:
    """Return how far gradients are from those of a rule, with and without a factor each."""
    residuals, factors, left = [], [], []
    for y, g in zip(yours, ours, strict=True):
        square = (g * g).sum()
        factor = float((y * g).sum() / square) if square > 0 else 1.0
        size = max(y.norm(), g.norm())
        residuals.append(float((y - g).norm() / size) if size > 0 else 0.0)
        left.append(
            float((y - factor * g).norm() / y.norm()) if y.any() else residuals[-1]
        )
        factors.append(factor)
    return Candidate(gate, rule, max(residuals), tuple(factors), max(left))


def _curve(run: Run, network: LIFNetwork, spikes: Tensor, last: Tensor) -> Tensor:
    """Return v and h at points of your surrogate: what the last layer shows in runs of one step.

    There a spike has one arrow to its weights, so that its gradient is h times the spikes below.
    """
    frames = spikes.flatten(0, 1)[:POINTS]
    frames = torch.cat(
        [frames * size for size in (-4.0, -2.0, -1.0, 0.5, 1.0, 2.0, 4.0)]
    )[None]
    yours, ours = run(frames)[0], network.trace(frames)
    v, below = ours.U[-1][0].detach() - network[-1].neuron.v_th, ours.O[-2][0].detach()
    places = torch.argwhere(below.any(1, keepdim=True).expand_as(v))
    order = v[places[:, 0], places[:, 1]].argsort()
    points = []
    for s, i in places[order[:: len(order) // POINTS + 1]].tolist():
        (g,) = torch.autograd.grad(yours[s, i], last, retain_graph=True)
        h = (g[i] @ below[s].to(g)) / (below[s] @ below[s])
        points.append((float(v[s, i]), float(h)))
    return torch.tensor(points, dtype=torch.float64).view(-1, 2).T


def _compared(v: Tensor, h: Tensor, neuron: LIF) -> tuple[Any, str]:
    """Return the surrogate to compare rules with, and what to say if it is not the neuron's."""
    given = curves(neuron.surrogate)[0]
    expected, size = given(v), h.abs().max() if len(h) else 0.0
    if ((h - expected).abs() <= ALIKE * size).all():
        return neuron.surrogate, ""
    said = f"The surrogate is not {neuron.surrogate}"
    times = float(h @ expected / expected.square().sum())
    if (h - times * expected).abs().max() <= ALIKE * size:
        return _with(lambda v: times * given(v)), f"{said}, but {times:.4g} times that."
    step = -(-len(v) // 4)
    points = zip(v[::step].tolist(), h[::step].tolist(), strict=True)
    shown = ", ".join(f"h({x:.2g}) = {y:.3g}" for x, y in points)
    widths = sorted({float(f"{a:.2g}") for a in np.geomspace(0.02, 5, 400)})
    ours = [kind(a) for kind in SURROGATES.values() for a in widths]
    off = [float((h - curve.h(v, torch)).abs().max() / size) for curve in ours]
    if (least := min(off)) <= NEAR:
        best = ours[off.index(least)]
        return best, f"{said}, but {best} within {least:.1%} of its height: {shown}."
    own = f"{said} nor another of the package's: {shown}; pass SurrogateOf(your spike function)."
    return _with(partial(_between, v, h)), own


def _with(h: Callable[[Tensor], Tensor]) -> SurrogateOf:
    """Return the surrogate with this h."""
    return SurrogateOf(lambda v: h(v.detach()) * v)


def _between(v: Tensor, h: Tensor, at: Tensor) -> Tensor:
    """Return h from its points: straight between them, and beyond falling as 1/v²."""
    x = at.detach().cpu().numpy()
    inside = np.clip(x, float(v[0]), float(v[-1]))
    beyond = np.divide(inside, x, out=np.ones_like(x), where=x != inside) ** 2
    return torch.from_numpy(np.interp(inside, v, h) * beyond).to(at)
