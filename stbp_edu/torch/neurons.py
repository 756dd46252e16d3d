"""The neurons of a layer on tensors, as a function of autograd.

They run the program that is shown, and that NumPy runs: see :mod:`stbp_edu.engine.array_program`.
The weights from below are outside, so any module can make the current; recurrent weights are
inside.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from stbp_edu.arrows.step.layer_program import Adjoint as Node
from stbp_edu.torch.currents import recurrent_gradient
from stbp_edu.torch.steps import Steps
from stbp_edu.torch.tensor_loops import go_in_loops


class Neurons(torch.autograd.Function):
    """The neurons of a layer.

    Its arguments are the steps; whether H takes the place of the spike; for each current the
    adjoint that it is to get; the recurrent weights, or None; whether states are carried on, and
    how many come in; and then tensors: the currents, which are equal, what is learned, and the
    carried states. It returns the states, in the order of the neuron's lines, the output once more
    for each of several signals, and the states to carry on.
    """

    @staticmethod
    def forward(
        ctx: Any,
        steps: Steps,
        twin: bool,
        heads: tuple[str, ...],
        R: Tensor | None,
        carries: bool,
        carried: int,
        *given: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return every state of every step, each of the current's shape."""
        end = len(given) - carried
        start = len(heads)
        learned = given[start:end]
        came_in = given[end:]
        x = given[0]
        again = None
        if R is not None:
            x = x.clone()
            again = R.T.to(x.dtype)
        series = {"x": x}
        for name in steps.states:
            series[name] = torch.empty_like(x)
        wanted = tuple(dict.fromkeys(heads))
        in_loops = go_in_loops(x, steps.neuron.surrogate, carried)
        heard = tuple(steps.program.nodes)
        run = steps.run(wanted, twin, heard, in_loops)
        constants = steps.constants(learned)
        before = steps.before(came_in)
        run.fill_states(x, series, constants, again, before=[*before.values()])
        kept = [series[name] for name in steps.kept]
        ctx.save_for_backward(R, *learned, *kept, *came_in)
        ctx.setting = steps, twin, heads, carried, in_loops
        ctx.set_materialize_grads(False)
        output = series[steps.neuron.output]
        states = [series[name] for name in steps.states]
        copies = [output.view_as(output) for _ in steps.copied]
        last = []
        if carries:
            for state, _ in steps.carried.values():
                of_last_step = series[state][-1]
                last.append(of_last_step.clone())
        return *states, *copies, *last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """Return the adjoint that each current is to get, and gradients of what is learned."""
        steps, twin, heads, carried, in_loops = ctx.setting
        R, *saved = ctx.saved_tensors
        end = len(saved) - carried
        start = end - len(steps.kept)
        learned = saved[:start]
        kept = saved[start:end]
        came_in = saved[end:]
        series = dict(zip(steps.kept, kept, strict=True))
        before = steps.before(came_in)
        output = series[steps.neuron.output]
        every = [*heads]
        if carried:
            every += steps.read_by_the_step_before
        wanted = tuple(dict.fromkeys(every))
        found = {name: torch.empty_like(output) for name in wanted}
        again = None
        heard: Sequence[Node] = ()
        if R is not None:
            again = R.to(output.dtype)
            heard = steps.from_itself
        if torch.compiler.is_compiling():  # it finds the program that forward has made
            heard = steps.program.nodes
        arrived = steps.incoming(grads, output)
        silent = {
            node: torch.zeros_like(output) for node in heard if node not in arrived
        }
        incoming = {**dict.fromkeys(heard), **arrived, **silent}
        run = steps.run(wanted, twin, tuple(incoming), in_loops)
        signals = {}
        for node, error in incoming.items():
            if node in run.signal_of:
                signal = run.signal_of[node]
                signals[signal] = error
        constants = steps.constants(learned)
        sums = run.fill_adjoints(series, signals, found, constants, again, before)
        errors = [found[head] for head in heads]
        of_learned, of_R, of_carried = [], None, []
        for name, value in zip(steps.neuron.learned, learned, strict=True):
            # where all is cut, a sum is the number 0
            by_sample = torch.zeros_like(output[0]) + sums[name]
            gradient = by_sample.sum_to_size(value.shape)
            of_learned.append(gradient)
        if R is not None:
            first = before.get(steps.neuron.output)
            epsilon = found[steps.program.start]
            of_R = recurrent_gradient(epsilon, output, first)
            of_R = of_R.to(R.dtype)
        if carried:
            of_carried = steps.errors_of_carried(
                before, series, found, constants, again
            )
        return None, None, None, of_R, None, None, *errors, *of_learned, *of_carried
