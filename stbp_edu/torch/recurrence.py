"""The neurons of one layer as a ``torch.autograd.Function``: what runs step by step.

Forward and backward are the derived program of the neuron, which the engine runs, too: see
:mod:`stbp_edu.engine.linear_steps`. The weights from below stand outside, so that any module can
make the current; recurrent weights stand inside.
"""

from typing import Any

import torch
from torch import Tensor

from stbp_edu.torch.steps import Steps


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
        learned, run = given[len(heads) :], steps.on_tensors(tuple(dict.fromkeys(heads)), twin)
        x = given[0].clone() if R is not None else given[0]
        series = {"x": x, **{name: torch.empty_like(x) for name in steps.states}}
        again = None if R is None else R.T.to(x.dtype)
        run.forward(x, series, steps.constants(learned), again)
        output = series[steps.neuron.output]
        states = {name.removesuffix("_last").removesuffix("_next") for name in run.source.read}
        read = [k for k in series if k == steps.neuron.output or k in states]
        ctx.save_for_backward(R, *learned, *(series[name] for name in read))
        ctx.setting = steps, run, heads, read
        ctx.set_materialize_grads(False)
        return *(series[k] for k in steps.states), *(output.view_as(output) for _ in steps.copied)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """Return the adjoint that each current is to get, and gradients of what is learned."""
        steps, run, heads, read = ctx.setting
        R, *saved = ctx.saved_tensors
        learned, series = saved[: -len(read)], dict(zip(read, saved[-len(read) :], strict=True))
        if all(grad is None for grad in grads):
            return (None,) * (4 + len(heads) + len(learned))
        output = series[steps.neuron.output]
        found = {name: torch.empty_like(output) for name in run.source.kept}
        again = None if R is None else R.to(output.dtype)
        fixed = steps.constants(learned)
        sums = run.backward(series, steps.incoming(grads), found, fixed, again)
        own = [_summed(sums[k], v) for k, v in zip(steps.neuron.learned, learned, strict=True)]
        of_R = None
        if R is not None:  # p2-recur-r
            of_R = (_rows(found[steps.start][1:]).T @ _rows(output[:-1])).to(R.dtype)
        return None, None, None, of_R, *(found[head] for head in heads), *own


def _rows(series: Tensor) -> Tensor:
    """Return a row for each step and sample."""
    return series.flatten(2).flatten(0, 1)


def _summed(entered: Any, like: Tensor) -> Any:
    """Return the sum over samples, and over neurons unless each has its own."""
    if not isinstance(entered, Tensor):  # 0.0 where all is cut
        return torch.zeros_like(like)
    return entered.sum(tuple(range(entered.ndim - like.ndim)))
