"""The neurons of one layer as a ``torch.autograd.Function``: what runs step by step.

Forward and backward are the derived program of the neuron: see :mod:`stbp_edu.torch.steps`. The
weights from below stand outside, so that any module can make the current; recurrent weights stand
inside.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stbp_edu.arrows.gains import groups
from stbp_edu.torch.steps import Steps

Named = dict[str, Any]


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
        learned = given[len(heads) :]
        series = run(steps, twin, R, given[0], constants(steps, learned))
        output = series[steps.neuron.output]
        read = [k for k in series if k == steps.neuron.output or _reads(steps, k)]
        ctx.save_for_backward(R, *learned, *(series[name] for name in read))
        ctx.setting = steps, heads, read
        ctx.set_materialize_grads(False)
        return *(series[k] for k in steps.states), *(output.view_as(output) for _ in steps.copied)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """Return the adjoint that each current is to get, and gradients of what is learned."""
        steps, heads, read = ctx.setting
        R, *saved = ctx.saved_tensors
        learned, series = saved[: -len(read)], dict(zip(read, saved[-len(read) :], strict=True))
        if all(grad is None for grad in grads):
            return (None,) * (4 + len(heads) + len(learned))
        wanted = {steps.start, *heads}
        found, own = back(steps, R, series, learned, signals_of(steps, grads), wanted)
        of_R = None
        if R is not None:  # p2-recur-r
            epsilon, before = found[steps.start][1:], series[steps.neuron.output][:-1]
            of_R = (rows(epsilon).T @ rows(before)).to(R.dtype)
        return None, None, None, of_R, *(found[head] for head in heads), *own


def _reads(steps: Steps, state: str) -> bool:
    """Return whether a step back reads a state, of any step."""
    return not {state, f"{state}_last", f"{state}_next"}.isdisjoint(steps.back.arguments)


def constants(steps: Steps, learned: Sequence[Tensor]) -> list[Any]:
    """Return the constants in the order of the program, those that are learned as tensors."""
    own = dict(zip(steps.neuron.learned, learned, strict=True))
    return [own.get(name, value) for name, value in steps.back.lines.constants.items()]


def run(
    steps: Steps, twin: bool, R: Tensor | None, current: Tensor, constants: Sequence[Any]
) -> dict[str, Tensor]:
    """Return the input x of the neurons, and their states, from rest."""
    forward, output = steps.forward[twin], steps.states.index(steps.neuron.output)
    last = [torch.zeros_like(current[0])] * len(steps.states)
    series = [torch.empty_like(current) for _ in last]
    x = current if R is None else current.clone()
    for t, (now, *places) in enumerate(zip(x.unbind(), *(s.unbind() for s in series), strict=True)):
        if R is not None and t:
            now += (last[output].flatten(1).to(R.dtype) @ R.T).view_as(now)  # p2-recur-u
        for place, value in zip(places, forward(*last, now, *constants), strict=True):
            place[...] = value
        last = places
    return dict(zip(["x", *steps.states], [x, *series], strict=True))


def rows(series: Tensor) -> Tensor:
    """Return a row for each step and sample."""
    return series.flatten(2).flatten(0, 1)


def signals_of(steps: Steps, grads: Sequence[Tensor | None]) -> dict[str, Tensor]:
    """Return what comes to each adjoint from the loss and from other layers, by its name."""
    of_state = dict(zip(steps.states, grads, strict=False))
    above = dict(zip(steps.copied, grads[len(steps.states) :], strict=True))
    found: dict[str, Tensor] = {}
    for node in steps.nodes:
        parts = [above.get(node.q) if node.signal else None]
        if steps.reads_out(node.q) or (node.signal and not above):
            parts.append(of_state.get(node.state))
        there = [part for part in parts if part is not None]
        if there:
            found[node.name] = sum(there[1:], there[0])
    return found


def back(
    steps: Steps,
    R: Tensor | None,
    series: Mapping[str, Tensor],
    learned: Sequence[Tensor],
    signals: Mapping[str, Tensor],
    wanted: set[str],
) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Return the wanted adjoints of all steps, and the gradients of what is learned."""
    output, rule = series[steps.neuron.output], steps.back.rule
    fixed = constants(steps, learned)
    own = {
        f"g_{k}": torch.zeros_like(v) for k, v in zip(steps.neuron.learned, learned, strict=True)
    }
    found = {name: torch.zeros_like(output) for name in wanted}
    states = [_around(series, name) for name in steps.reads]
    again = {k.name: steps.behind(k.q, "recur") for k in steps.nodes if k.signal and R is not None}
    later: dict[str, Any] = {}
    for t in reversed(range(len(output))):
        if rule.block and (t + 1) % rule.block == 0:
            later = {}
        here = [state[t] for state in states]
        outside = []
        for node in steps.nodes:
            signal = signals[node.name][t] if node.name in signals else None
            after = later.get(again.get(node.name) or "")
            if R is not None and isinstance(after, Tensor):
                after = after.expand_as(output[0])  # a number where no error has come yet
                back = (after.flatten(1) @ R.to(after.dtype)).view_as(after)  # p2-recur-delta
                signal = back if signal is None else signal + back
            outside.append(signal)
        if rule.gain_limit is not None:
            held = gain_limited(steps, here, fixed)
            later = {k: v * held.get(k, 1.0) for k, v in later.items()}
        results = steps.backward(*here, *outside, *(later.get(k, 0.0) for k in steps.later), *fixed)
        later = dict(zip(steps.back.results, results, strict=True))
        for name, place in found.items():
            place[t] = later[name]
        for name, total in own.items():
            total += summed(later[name], total)  # p2-leak
    return found, [*own.values()]


def _around(series: Mapping[str, Tensor], name: str) -> Sequence[Tensor]:
    """Return a state at each step, or that of the step before or after each."""
    state = name.removesuffix("_last").removesuffix("_next")
    steps = series[name if name in series else state].unbind()
    if name in series:
        return steps
    if name.endswith("_last"):
        return [torch.zeros_like(steps[0]), *steps[:-1]]
    return [*steps[1:], steps[-1]]  # after the last step nothing comes back


def gain_limited(steps: Steps, here: Sequence[Tensor], fixed: Sequence[Any]) -> dict[str, Any]:
    """Return what the adjoints of the next step are multiplied by, so that no gain is too large."""
    heads, limit = steps.later, steps.back.rule.gain_limit
    nothing = [None] * len(steps.nodes)
    gains, there = [], np.zeros((len(heads), len(heads)), bool)
    for k, unit in enumerate(heads):
        units = (float(head == unit) for head in heads)
        results = steps.backward(*here, *nothing, *units, *fixed)
        gains.append(dict(zip(steps.back.results, results, strict=True)))
        reached = {f"{unit}_next"}
        for node in steps.nodes:
            reached |= {node.name} if node.after & reached else set()
        there[:, k] = [head in reached for head in heads]
    found: dict[str, Any] = {}
    for group in groups(there):
        gained = (torch.as_tensor(gains[k][heads[i]]) for i in group for k in group)
        entries = [entry.to(here[0]) if here else entry for entry in gained]
        matrix = torch.stack(torch.broadcast_tensors(*entries), -1).unflatten(-1, (len(group), -1))
        norm = torch.linalg.matrix_norm(matrix, 2) if len(group) > 1 else entries[0].abs()
        scale = limit / norm.clamp(min=limit)  # gain-limit
        found |= {heads[k]: scale for k in group}
    return found


def summed(entered: Any, like: Tensor) -> Any:
    """Return the sum over samples, and over neurons unless each has its own."""
    over = entered.ndim - like.ndim if isinstance(entered, Tensor) else 0  # 0.0 where all is cut
    return entered.sum(tuple(range(over))) if over else entered
