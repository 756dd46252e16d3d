"""The neurons of one layer as a ``torch.autograd.Function``: what runs step by step.

Forward and backward are the derived program of the neuron: see :mod:`stbp_edu.torch.steps`. The
weights from below stand outside, so that any module can make the current; recurrent weights stand
inside. What the factors of a step back read is known before the first step back, so that they are
computed for as many steps at once as a processor's cache can hold.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor

from stbp_edu.arrows.gains import groups
from stbp_edu.torch.steps import Line, Steps, Term

CACHED = 2**15
"""How many numbers of a state are worked on at once; that many of each stay in a cache."""
Adjoints = Mapping[str, Tensor | None]


class Neurons(torch.autograd.Function):
    """The neurons of a layer.

    Its arguments are the steps, whether H takes the place of the spike, for each current the
    adjoint that it is to get, the recurrent weights or None, and then tensors: the currents, which
    are equal, and what is learned. It returns the states, in the order of the neuron's lines, and
    the output once more for each signal after the first.
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
        copies = (series[output].view_as(series[output]) for _ in [*steps.signals][1:])
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
        back = Back(steps, twin, R, series, learned, signals_of(steps, grads), heads)
        found, own = back.run()
        of_R = None
        if R is not None:  # p2-recur-r
            epsilon, before = found[steps.start][1:], series[steps.neuron.output][:-1]
            of_R = rows(epsilon).T @ rows(before)
        return None, None, None, of_R, *(found[head] for head in heads), *(own[k] for k in names)


def run(
    steps: Steps, twin: bool, R: Tensor | None, current: Tensor, learned: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return the input x of the neurons, and their states, from rest."""
    forward, output = steps.forward[twin], steps.states.index(steps.neuron.output)
    last, found = [torch.zeros_like(current[0])] * len(steps.states), []
    for t, x in enumerate(current.unbind()):
        if R is not None and t:
            x = x + (last[output].flatten(1).to(R.dtype) @ R.T).view_as(x)  # p2-recur-u
        last = [like(x, value) for value in forward(*last, x, **learned)]
        found.append((x, *last))
    first, *columns = zip(*found, strict=True)
    x = current if R is None else torch.stack(first)
    return dict(zip(["x", *steps.states], [x, *map(torch.stack, columns)], strict=True))


def like(x: Tensor, value: Any) -> Tensor:
    """Return a value in the shape and dtype of a tensor."""
    if isinstance(value, Tensor) and value.shape == x.shape:
        return value
    return torch.as_tensor(value, dtype=x.dtype, device=x.device).expand_as(x)


def rows(series: Tensor) -> Tensor:
    """Return a row for each step and sample."""
    return series.flatten(2).flatten(0, 1)


def signals_of(steps: Steps, grads: Sequence[Tensor | None]) -> dict[str, Tensor | None]:
    """Return what each adjoint gets from the loss and from other layers, by its name."""
    of_state = dict(zip(steps.states, grads, strict=False))
    above = dict(zip([*steps.signals][1:], grads[len(steps.states) :], strict=True))
    found: dict[str, Tensor | None] = {}
    for line in steps.lines:
        parts = [of_state.get(line.state) if steps.reads_out(line.q) else None]
        parts.append(above.get(line.signal))
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
        heads: the adjoints that are wanted.
    """

    def __init__(
        self,
        steps: Steps,
        twin: bool,
        R: Tensor | None,
        series: Mapping[str, Tensor],
        learned: Mapping[str, Tensor],
        signals: Mapping[str, Tensor | None],
        heads: Sequence[str],
    ) -> None:
        self.steps, self.factors_at, self.R = steps, steps.factors[twin], R
        self.series, self.learned = series, learned
        self.signals = {k: None if s is None else s.unbind() for k, s in signals.items()}
        self.output = series[steps.neuron.output]
        again = ((line.name, steps.behind(line.q, "recur")) for line in steps.lines if line.signal)
        self.again = {name: head for name, head in again if head} if R is not None else {}
        inside = (term.adjoint for terms in steps.gradients.values() for term in terms)
        self.wanted = {steps.start, *heads, *inside}

    def run(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the wanted adjoints, and the gradients of what is learned."""
        T, size = len(self.output), max(1, CACHED // max(1, self.output[0].numel()))
        found: dict[str, list[Tensor]] = {name: [] for name in self.wanted}
        own: dict[str, Any] = dict.fromkeys(self.learned, 0)
        after: dict[str, Tensor | None] = {}
        for last in range(T, 0, -size):
            first = max(0, last - size)
            factors = self.factors(first, last)
            terms = self.terms(factors, last - first)
            for t in reversed(range(first, last)):
                if self.steps.rule.block and (t + 1) % self.steps.rule.block == 0:
                    after = {}
                after = self.step(t, t - first, terms, after)
                for name, series in found.items():
                    series.append(self.zero if (one := after[name]) is None else one)
            for name, sums in self.steps.gradients.items():
                for sign, factor, adjoint, _ in sums:
                    entered = torch.stack(found[adjoint][: last - first][::-1])
                    ...
        return {k: torch.stack(series[::-1]) for k, series in found.items()}, own
