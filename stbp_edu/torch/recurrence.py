"""The neurons of one layer as a ``torch.autograd.Function``: what runs step by step.

Forward and backward are the derived program of the neuron: see :mod:`stbp_edu.torch.steps`. The
weights from below stand outside, so that any module can make the current; recurrent weights stand
inside. What the factors of a step back read is known before the first step back, so that they are
computed for as many steps at once as a processor's cache can hold.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stbp_edu.arrows.gains import groups
from stbp_edu.torch.steps import Line, Steps, Term

CACHED = 2**15
"""How many numbers of a state are worked on at once, so that temporaries stay in a cache."""


class Neurons(torch.autograd.Function):
    """The neurons of a layer.

    Its arguments are the steps; whether H takes the place of the spike; for each current the
    adjoint that it is to get; the recurrent weights, or None; and then tensors: the currents, which
    are equal, and what is learned. It returns the states, in the order of the neuron's lines, and
    the output once more for each of several signals.
    """

    @staticmethod
    def forward(
        ctx: Any, steps: Steps, twin: bool, heads: tuple[str, ...], R: Tensor | None, *given: Tensor
    ) -> tuple[Tensor, ...]:
        """Return every state of every step, each of the current's shape."""
        learned = dict(zip(steps.neuron.learned, given[len(heads) :], strict=True))
        series = run(steps, twin, R, given[0], learned)
        output = steps.neuron.output
        read = {name.removesuffix("_last").removesuffix("_next") for name in steps.reads}
        kept = [name for name in series if name in read | {output}]
        ctx.save_for_backward(R, *learned.values(), *(series[name] for name in kept))
        ctx.setting = steps, twin, heads, kept
        ctx.set_materialize_grads(False)
        copies = (series[output].view_as(series[output]) for _ in steps.copied)
        return *(series[name] for name in steps.states), *copies

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """Return the adjoint that each current is to get, and gradients of what is learned."""
        steps, twin, heads, kept = ctx.setting
        R, *saved = ctx.saved_tensors
        names = [*steps.neuron.learned]
        if all(grad is None for grad in grads):
            return (None,) * (4 + len(heads) + len(names))
        learned = dict(zip(names, saved[: len(names)], strict=True))
        series = dict(zip(kept, saved[len(names) :], strict=True))
        back = Back(steps, twin, R, series, learned, signals_of(steps, grads))
        found, own = back.run(heads)
        of_R = None
        if R is not None:  # p2-recur-r
            epsilon, before = found[steps.start][1:], series[steps.neuron.output][:-1]
            of_R = (rows(epsilon).T @ rows(before)).to(R.dtype)
        return None, None, None, of_R, *(found[head] for head in heads), *(own[k] for k in names)


def run(
    steps: Steps, twin: bool, R: Tensor | None, current: Tensor, learned: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the input x of the neurons, and their states, from rest."""
    forward, output = steps.forward[twin], steps.states.index(steps.neuron.output)
    last = [torch.zeros_like(current[0])] * len(steps.states)
    series = [torch.empty_like(current) for _ in last]
    x = current if R is None else current.clone()
    for t, (now, *places) in enumerate(zip(x.unbind(), *(s.unbind() for s in series), strict=True)):
        if R is not None and t:
            again = last[output].flatten(1).to(R.dtype) @ R.T
            now += again.view_as(now)  # p2-recur-u
        for place, value in zip(places, forward(*last, now, *learned.values()), strict=True):
            place[...] = value
        last = places
    return dict(zip(["x", *steps.states], [x, *series], strict=True))


def rows(series: Tensor) -> Tensor:
    """Return a row for each step and sample."""
    return series.flatten(2).flatten(0, 1)


def signals_of(steps: Steps, grads: Sequence[Tensor | None]) -> dict[str, Tensor | None]:
    """Return what each adjoint gets from the loss and from other layers, by its name."""
    of_state = dict(zip(steps.states, grads, strict=False))
    above = dict(zip(steps.copied, grads[len(steps.states) :], strict=True))
    found: dict[str, Tensor | None] = {}
    for line in steps.lines:
        parts = [above.get(line.q) if line.signal else None]
        if steps.reads_out(line.q) or (line.signal and not above):
            parts.append(of_state.get(line.state))
        there = [part for part in parts if part is not None]
        found[line.name] = sum(there[1:], there[0]) if there else None
    return found


class Back:
    """A backward run through the steps of one layer.

    Args:
        steps: of the neurons.
        twin: whether H took the place of the spike.
        R: the recurrent weights, or None.
        series: the states that are read.
        learned: the constants that are learned.
        signals: what comes to each adjoint from outside.
    """

    def __init__(
        self,
        steps: Steps,
        twin: bool,
        R: Tensor | None,
        series: Mapping[str, Tensor],
        learned: Mapping[str, Tensor],
        signals: Mapping[str, Tensor | None],
    ) -> None:
        self.steps, self.twin, self.R = steps, twin, R
        self.series, self.learned = series, learned
        self.signals = {k: s if s is None else s.unbind() for k, s in signals.items()}
        self.output = series[steps.neuron.output]
        again = ((line.name, steps.behind(line.q, "recur")) for line in steps.lines if line.signal)
        self.again = {name: head for name, head in again if head}

    def run(self, heads: Sequence[str]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return some adjoints at all steps, and the gradients of what is learned."""
        own = {name: torch.zeros_like(value) for name, value in self.learned.items()}
        inside = {term.adjoint for terms in self.steps.gradients.values() for term in terms}
        wanted = {self.steps.start, *heads, *inside}
        found = {name: torch.zeros_like(self.output) for name in wanted}
        places = {name: series.unbind() for name, series in found.items()}
        after: dict[str, Tensor | None] = {}
        size = max(1, CACHED // max(1, self.output[0].numel()))
        edge = self.steps.back.rule.block
        for end in range(len(self.output), 0, -size):
            first = max(0, end - size)
            factors = self.factors(first, end)
            by_step = [[*self.by_step(f, end - first)] for f in factors]
            held = {k: self.by_step(f, end - first) for k, f in self.held(factors).items()}
            for t in reversed(range(first, end)):
                if edge and (t + 1) % edge == 0:
                    after = {}
                gained = {k: f[t - first] for k, f in held.items()}
                after = self.step(t, [f[t - first] for f in by_step], after, gained)
                for name, place in places.items():
                    if (one := after[name]) is not None:
                        place[t].copy_(one)
            for name, terms in self.steps.gradients.items():
                for term in terms:
                    adjoint = found[term.adjoint][first:end]
                    factor = 1 if term.factor is None else factors[term.factor]
                    own[name] += summed(term.sign * factor * adjoint, own[name])  # p2-leak
        return found, own

    def factors(self, first: int, end: int) -> tuple[Any, ...]:
        """Return the factors at some steps."""
        states = (self.around(name, first, end) for name in self.steps.reads)
        found: tuple[Any, ...] = self.steps.factors[self.twin](*states, *self.learned.values())
        return found

    def around(self, name: str, first: int, end: int) -> Tensor:
        """Return a state at some steps, or at those before or after; before the first it is 0."""
        if name in self.series:
            return self.series[name][first:end]
        if name.endswith("_last"):
            series = self.series[name.removesuffix("_last")]
            before = series[first - 1 : end - 1] if first else series[: end - 1]
            return before if first else torch.cat([torch.zeros_like(series[:1]), before])
        series = self.series[name.removesuffix("_next")]
        later = series[first + 1 : end + 1]  # the step after the last one hands nothing back
        return later if len(later) == end - first else torch.cat([later, series[-1:]])

    def by_step(self, factor: Any, count: int) -> Sequence[Any]:
        """Return a factor at each of some steps."""
        every = isinstance(factor, Tensor) and factor.ndim == self.output.ndim
        return factor.unbind() if every else [factor] * count

    def held(self, factors: Sequence[Any]) -> dict[str, Any]:
        """Return what a gain limit multiplies the adjoints of the next step by."""
        limit = self.steps.back.rule.gain_limit
        if limit is None:
            return {}
        terms = [term for line in self.steps.lines for term in line.terms]
        heads = sorted({term.adjoint for term in terms if term.later})
        there = gains(self.steps.lines, heads, lambda term: 1.0)
        matrix = gains(
            self.steps.lines,
            heads,
            lambda term: term.sign * (1.0 if term.factor is None else factors[term.factor]),
        )
        found: dict[str, Any] = {}
        for group in groups(np.array(there) != 0):
            scale = limit / norm([[matrix[i][k] for k in group] for i in group]).clamp(min=limit)
            found |= {heads[k]: scale for k in group}  # gain-limit
        return found

    def step(
        self,
        t: int,
        factors: Sequence[Any],
        after: Mapping[str, Tensor | None],
        held: Mapping[str, Any],
    ) -> dict[str, Tensor | None]:
        """Return the adjoints of step t from those of the step after it."""
        now: dict[str, Tensor | None] = {}
        later = {k: a if a is None or k not in held else a * held[k] for k, a in after.items()}
        for line in self.steps.lines:
            signal = self.signals[line.name]
            total = None if signal is None else signal[t]
            head = self.again.get(line.name)
            if self.R is not None and head and (hears := after.get(head)) is not None:
                back = (hears.flatten(1) @ self.R.to(hears.dtype)).view_as(hears)  # p2-recur-delta
                total = back if total is None else total + back
            for term in line.terms:
                adjoint = (later if term.later else now).get(term.adjoint)
                if adjoint is not None:
                    factor = None if term.factor is None else factors[term.factor]
                    total = added(total, term.sign, factor, adjoint)
            now[line.name] = total
        return now


def added(total: Tensor | None, sign: int, factor: Any, adjoint: Tensor) -> Tensor:
    """Return total + sign · factor · adjoint; factor None is 1."""
    if isinstance(factor, Tensor):
        if total is not None:
            return torch.addcmul(total, factor, adjoint, value=sign)
        return factor * adjoint if sign > 0 else -factor * adjoint
    scale = sign if factor is None else sign * factor
    if total is not None:
        return torch.add(total, adjoint, alpha=scale)
    return adjoint if scale == 1 else adjoint * scale


def summed(entered: Tensor, like: Tensor) -> Tensor:
    """Return the sum over steps and samples, and over neurons unless each has its own."""
    over = tuple(range(entered.ndim - like.ndim))
    return entered.sum(over)


def gains(
    lines: Sequence[Line], heads: Sequence[str], factor: Callable[[Term], Any]
) -> list[list[Any]]:
    """Return by how much each adjoint of a step grows with each of the next step."""
    columns = []
    for unit in heads:
        now: dict[str, Any] = {}
        for line in lines:
            after = (
                factor(term) * (float(term.adjoint == unit) if term.later else now[term.adjoint])
                for term in line.terms
            )
            now[line.name] = sum(after, 0.0)
        columns.append([now[head] for head in heads])
    return [list(row) for row in zip(*columns, strict=True)]


def norm(matrix: Sequence[Sequence[Any]]) -> Tensor:
    """Return the largest gain of a matrix of tensors or numbers."""
    entries = [torch.as_tensor(entry) for row in matrix for entry in row]
    if len(entries) == 1:
        return entries[0].abs()
    together = torch.stack(torch.broadcast_tensors(*entries), -1)
    return torch.linalg.matrix_norm(together.unflatten(-1, (len(matrix), -1)), 2)
