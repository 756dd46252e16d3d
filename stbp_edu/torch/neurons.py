"""The neurons of a layer on tensors, as a function of autograd.

They run the program that is shown, and that NumPy runs: see :mod:`stbp_edu.program.executor`.
The weights from below are outside, so any module can make the current; recurrent weights are
inside.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from stbp_edu._support.checks import NotFiniteError
from stbp_edu.arrows.forward_run import first_not_finite, slope_not_finite
from stbp_edu.torch.currents import all_finite
from stbp_edu.torch.state_dict import as_array
from stbp_edu.torch.steps import Steps
from stbp_edu.torch.tensor_loops import go_in_loops


class Neurons(torch.autograd.Function):
    """The neurons of a layer.

    Its arguments are the steps; for each current the adjoint that it is to get; the recurrent
    weights, or None; whether states are carried on, and how many come in; the number of the layer;
    and then tensors: the currents, which are equal, what is learned, and the carried states. Its
    results are those that ``steps.heard_by`` names.
    """

    @staticmethod
    def forward(
        ctx: Any,
        steps: Steps,
        heads: tuple[str, ...],
        R: Tensor | None,
        carries: bool,
        carried: int,
        number: int,
        *given: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return every state of every step, each of the current's shape, and what else is heard.

        Raises:
            NotFiniteError: if a state is not finite.
        """
        end = len(given) - carried
        learned = given[len(heads) : end]
        came_in = given[end:]
        x = given[0]
        in_loops = go_in_loops(x, steps.neuron.surrogate, carried)
        if torch.compiler.is_compiling():
            run: Any = steps.compiled
        else:
            run = steps.run(unique(heads), tuple(steps.program.nodes), in_loops)
        again = None
        if R is not None:  # x is added to
            x = x.clone()
            again = R.T.to(x.dtype)
        series = {"x": x, **{name: torch.empty_like(x) for name in steps.states}}
        before = [*steps.before(came_in).values()]
        run.fill_states(x, series, steps.constants(learned), again, before=before)
        # a spike is 0 even where the potential is NaN
        looked_at = [
            one for name, one in series.items() if name != steps.neuron.lines.spike
        ]
        if not all_finite(looked_at, wait=True):
            states = {name: as_array(one) for name, one in series.items()}
            raise NotFiniteError(first_not_finite(steps.neuron, states, number))
        kept = [series[name] for name in steps.kept]
        ctx.save_for_backward(R, *learned, *kept, *came_in)
        ctx.setting = steps, heads, carried, number, in_loops
        ctx.set_materialize_grads(False)
        output = series[steps.neuron.output]
        copies = [output.view_as(output) for _ in steps.copied]
        last = []
        if carries:
            last = [series[state][-1].clone() for state, _ in steps.carried.values()]
        return *(series[name] for name in steps.states), *copies, *last

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """Return what :meth:`once` does: a second derivative raises, also where the loss is linear.

        The errors that come in have no graph there, and PyTorch asks whether an argument has one.
        """
        compiling = torch.compiler.is_compiling()  # then PyTorch raises by itself
        graph = compiling or torch.ones((), requires_grad=True)
        return Neurons.once(ctx, graph, *grads)

    @staticmethod
    @once_differentiable
    def once(ctx: Any, _graph: object, *grads: Tensor | None) -> Any:
        """Return the adjoint that each current is to get, and gradients of what is learned.

        Raises:
            NotFiniteError: if one is not finite, though all that comes in is. On a GPU, which would
                have to wait, nobody looks, and the next forward pass raises.
        """
        steps, heads, carried, number, in_loops = ctx.setting
        R, *saved = ctx.saved_tensors
        end = len(saved) - carried
        start = end - len(steps.kept)
        learned = saved[:start]
        series = dict(zip(steps.kept, saved[start:end], strict=True))
        before = steps.before(saved[end:])
        output = series[steps.neuron.output]
        arrived = steps.incoming(grads, output)
        nodes = steps.program.nodes
        compiling = torch.compiler.is_compiling()
        silent = nodes if compiling else steps.from_itself if R is not None else []
        for node in silent:
            if node not in arrived:
                arrived[node] = torch.zeros_like(output)
        if compiling:
            run: Any = steps.compiled
        else:
            heard = tuple(node for node in nodes if node in arrived)
            run = steps.run(unique(heads), heard, in_loops)
        signals = {name: arrived[node] for node, name in run.signal_of.items()}
        found = {name: torch.empty_like(output) for name in unique(heads)}
        again = None if R is None else R.to(output.dtype)
        constants = steps.constants(learned)
        sums = run.fill_adjoints(series, signals, found, constants, again, before)

        of_learned = []
        for name, value in zip(steps.neuron.learned, learned, strict=True):
            # where all is cut, a sum is the number 0
            by_sample = torch.zeros_like(output[0]) + sums[name]
            of_learned.append(by_sample.sum_to_size(value.shape))
        of_R = None
        if R is not None:
            epsilon = found[steps.program.start]
            first = before.get(steps.neuron.output)
            of_R = recurrent_gradient(epsilon, output, first).to(R.dtype)
        of_carried: list[Tensor | None] = []
        for _, node in steps.carried.values() if before else ():
            error = None
            if node and steps.passes_back:
                error = torch.zeros_like(output[0]) + sums[steps.program.name(*node)]
            of_carried.append(error)
        errors = [found[head] for head in heads]
        finite = all_finite([*errors, *of_learned], wait=False)
        # Errors that arrive so, as from a gradient scaler, are passed on.
        if not finite and all_finite([*arrived.values()], wait=False):
            slope = slope_not_finite(
                steps.neuron, *as_arrays(steps, series, learned), number
            )
            raise NotFiniteError(f"the gradient of layer {number} is not finite{slope}")
        nothing = None, None
        return *nothing, of_R, *nothing, None, *errors, *of_learned, *of_carried


def as_arrays(
    steps: Steps, series: Mapping[str, Tensor], learned: Sequence[Tensor]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return states and what is learned as arrays by name, for messages on what is not finite.

    A state that nobody kept is 0.
    """
    states = dict.fromkeys(steps.states, np.zeros(series[steps.neuron.output].shape))
    states |= {name: as_array(one) for name, one in series.items()}
    return states, dict(zip(steps.neuron.learned, map(as_array, learned), strict=True))


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """Return names, each once."""
    return tuple(dict.fromkeys(names))


def recurrent_gradient(
    epsilon: Tensor, output: Tensor, before: Tensor | None
) -> Tensor:
    """Return the gradient of recurrent weights, from the outputs, and those before the first step.

    ``before`` is None where the layer began at rest.
    """
    epsilon, output = epsilon.flatten(2), output.flatten(2)
    found = torch.einsum("tsi,tsj->ij", epsilon[1:], output[:-1])  # p2-recur-r
    if before is not None:
        found = found + epsilon[0].T @ before.flatten(1)
    return found
