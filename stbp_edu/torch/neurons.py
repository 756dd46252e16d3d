"""The neurons of a layer on tensors, as a function of autograd.

They run the program that is shown, and that NumPy runs: see :mod:`stbp_edu.program.executor`.
The weights from below are outside, so any module can make the current; recurrent weights are
inside.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from stbp_edu._support.checks import NotFiniteError, check_finite
from stbp_edu.arrows.finite_states import slope_not_finite
from stbp_edu.program.executor import through
from stbp_edu.torch.state_dict import as_array
from stbp_edu.torch.steps import Steps
from stbp_edu.torch.tensor_loops import go_in_loops


class Neurons(torch.autograd.Function):
    """The neurons of a layer.

    Its arguments are the steps; whether H takes the place of the spike; for each current the
    adjoint that it is to get; the recurrent weights, or None; whether states are carried on, and
    how many come in; the number of the layer; and then tensors: the currents, which are equal, what
    is learned, and the carried states. Its results are those that ``steps.heard_by`` names.
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
        number: int,
        *given: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return every state of every step, each of the current's shape, and what else is heard."""
        end = len(given) - carried
        learned = given[len(heads) : end]
        came_in = given[end:]
        x = given[0]
        in_loops = go_in_loops(x, steps.neuron.surrogate, carried)
        if torch.compiler.is_compiling():
            steps.prepare()
            run: Any = steps.compiled[twin]
        else:
            run = steps.run(unique(heads), twin, tuple(steps.program.nodes), in_loops)
        series = steps.states_of(run, x, learned, R, came_in)
        kept = [series[name] for name in steps.kept]
        ctx.save_for_backward(R, *learned, *kept, *came_in)
        ctx.setting = steps, twin, heads, carried, number, in_loops
        ctx.set_materialize_grads(False)
        output = series[steps.neuron.output]
        copies = [output.view_as(output) for _ in steps.copied]
        last = [series[state][-1].clone() for state, _ in steps.carried.values()]
        return (
            *(series[name] for name in steps.states),
            *copies,
            *(last if carries else ()),
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """Return the adjoint that each current is to get, and gradients of what is learned.

        Raises:
            NotFiniteError: if one is not finite, though all that comes in is. On a GPU, which would
                have to wait, nobody looks, and the next forward pass raises.
        """
        steps, twin, heads, carried, number, in_loops = ctx.setting
        R, *saved = ctx.saved_tensors
        end = len(saved) - carried
        start = end - len(steps.kept)
        learned = saved[:start]
        series = dict(zip(steps.kept, saved[start:end], strict=True))
        before = steps.before(saved[end:])
        constants = steps.constants(learned)
        output = series[steps.neuron.output]
        wanted = unique([*heads, *(steps.passed_on if carried else ())])
        found = {name: torch.empty_like(output) for name in wanted}
        arrived = steps.incoming(grads, output)
        nodes = steps.program.nodes
        silent = nodes if torch.compiler.is_compiling() else steps.from_itself
        for node in silent if R is not None or silent is nodes else ():
            if node not in arrived:
                arrived[node] = torch.zeros_like(output)
        if torch.compiler.is_compiling():
            run: Any = steps.compiled[twin]
        else:
            heard = tuple(node for node in nodes if node in arrived)
            run = steps.run(wanted, twin, heard, in_loops)
        signals = {}
        for node, signal in run.signal_of.items():
            if signal:
                signals[signal] = arrived[node]
        again = None if R is None else R.to(output.dtype)
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
        of_carried = errors_of_carried(steps, before, series, found, constants, again)
        errors = [found[head] for head in heads]
        if not torch.compiler.is_compiling():
            results = [*errors, *of_learned]
            # Errors that arrive so, as from a gradient scaler, are passed on.
            if not finite_on_cpu(results) and finite_on_cpu(arrived.values()):
                raise_not_finite(steps, number, series, learned)
        nothing = None, None, None
        return *nothing, of_R, *nothing, *errors, *of_learned, *of_carried


def finite_on_cpu(tensors: Iterable[Tensor]) -> bool:
    """Return whether tensors are finite, as far as a processor can look without a GPU's waiting."""
    try:
        for one in tensors:
            if one.device.type == "cpu":
                check_finite("the gradient", one.detach().numpy())
    except NotFiniteError:
        return False
    return True


def raise_not_finite(
    steps: Steps, number: int, series: dict[str, Tensor], learned: Sequence[Tensor]
) -> None:
    """Raise NotFiniteError, and say which slope of the layer's lines is not finite."""
    # A state that no step back reads is not kept; it is 0 here.
    states = dict.fromkeys(steps.states, np.zeros(series[steps.neuron.output].shape))
    states |= {name: as_array(one) for name, one in series.items()}
    constants = dict(zip(steps.neuron.learned, map(as_array, learned), strict=True))
    slope = slope_not_finite(steps.neuron, states, constants, number)
    raise NotFiniteError(f"the gradient of layer {number} is not finite{slope}")


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """Return names, each once."""
    return tuple(dict.fromkeys(names))


def errors_of_carried(
    steps: Steps,
    before: dict[str, Tensor],
    series: dict[str, Tensor],
    found: dict[str, Tensor],
    constants: list[Any],
    R: Tensor | None,
) -> list[Tensor | None]:
    """Return the errors that the first step passes back to each carried state."""
    if not before or steps.step_before is None:
        return [None for _ in before]
    first = {name: states[0] for name, states in series.items()}
    adjoints = {name: found[name][0] for name in steps.passed_on}
    back = steps.step_before(before, first, adjoints, constants)
    if R is not None:
        for name, _, head in steps.program.from_recurrence:
            back[name] = back.get(name, 0.0) + through(adjoints[head], R)
    zeros = torch.zeros_like(next(iter(before.values())))
    return [
        None if node is None else zeros + back[steps.program.name(*node)]
        for _, node in steps.carried.values()
    ]


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
