"""The two halves of a layer on tensors: the current of any weights, and the neurons that it drives.

The neurons run the program that is shown, and that NumPy runs, as a function of autograd: see
:mod:`stbp_edu.engine.array_program`. The weights from below stand outside, so that any module can
make the current; recurrent weights stand inside.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from stbp_edu.arrows.any_neuron import AnyNeuron, as_neuron
from stbp_edu.arrows.lines.program import Adjoint as Node
from stbp_edu.arrows.lines.program import steps_back
from stbp_edu.arrows.models import Loss, network
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import LOSS, Arrow
from stbp_edu.engine import compiled
from stbp_edu.engine.array_program import ArrayProgram
from stbp_edu.surrogates import Surrogate, is_curve
from stbp_edu.torch.first_derivative import only_once

MUCH = 10_000_000
"""Products of weights and inputs from which on it pays to compile."""
AXES = "steps come first, samples second, and what a sample has at a step last"
Function = Callable[..., Any]


class SpikeProduct(torch.autograd.Function):
    """The product of weights and rare spikes, W o + b: a spike costs a row of weights."""

    @staticmethod
    def forward(ctx: Any, spikes: Tensor, W: Tensor, b: Tensor | None) -> Tensor:
        """Return what (T, S, n) brings, (T, S, m)."""
        ctx.save_for_backward(spikes, W)
        x = spikes.new_empty((*spikes.shape[:2], len(W)))
        compiled.weigh(spikes.detach().numpy(), W.detach().numpy(), x.numpy())
        return x if b is None else x.add_(b)  # fwd-x

    @staticmethod
    @only_once
    def backward(ctx: Any, epsilon: Tensor) -> Any:
        """Return the gradients of spikes, weights and biases."""
        spikes, W = ctx.saved_tensors
        below = epsilon @ W if ctx.needs_input_grad[0] else None
        of_W = W.new_empty(W.shape[::-1])
        compiled.correlate(
            spikes.numpy(), epsilon.contiguous().numpy(), of_W.numpy()
        )  # c5-w
        return below, of_W.T, epsilon.sum((0, 1)) if ctx.needs_input_grad[2] else None


def go_one_by_one(module: nn.Module, spikes: Tensor) -> bool:
    """Return whether a module is a plain matrix, and it pays to go through the spikes."""
    if (
        type(module) is not nn.Linear
        or not compiled.installed()
        or torch.compiler.is_compiling()
    ):
        return False
    hooks = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
    plain = (
        spikes.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
        and not hooks
    )
    alike = spikes.dtype == module.weight.dtype and spikes.shape[2:] == (
        module.in_features,
    )
    much = (
        spikes.numel() * module.out_features > MUCH
        and module.out_features >= compiled.WIDE
    )
    long = spikes.dtype in (torch.float32, torch.float64) and spikes.is_contiguous()
    if not (plain and alike and much and long):
        return False
    compiled.limit_threads(torch.get_num_threads())
    return compiled.are_rare(spikes.detach().numpy())


def current_of(module: nn.Module, spikes: Tensor, *, fixed: bool = False) -> Tensor:
    """Return what a module makes of all steps at once, perhaps with parameters held fixed.

    Raises:
        ValueError, TypeError: if it does not take the spikes, or returns something else.
    """
    if not fixed and go_one_by_one(module, spikes):
        return SpikeProduct.apply(spikes, module.weight, module.bias)
    rows = spikes.flatten(0, 1)
    first = next(module.parameters(), rows)
    if first.dtype in (torch.bfloat16, torch.float16):
        rows = rows.to(first.dtype)
    try:
        held = (
            {name: p.detach() for name, p in module.named_parameters()} if fixed else {}
        )
        x = functional_call(module, held, rows) if fixed else module(rows)
    except (RuntimeError, IndexError) as error:
        raise ValueError(
            f"spikes must fit {module}, which gets T · S of them at once, got shape "
            f"{tuple(spikes.shape)}: {error}; {AXES}"
        ) from error
    if not isinstance(x, Tensor) or x.shape[:1] != rows.shape[:1]:
        got = f"shape {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(
            f"weights must return a tensor with a row for each of T · S = {len(rows)} inputs, got "
            f"{got} from {module}; a layer that comes back to itself is LIFLayer(nn.Linear(...), "
            "neuron, recurrent=True)"
        )
    return x.unflatten(0, spikes.shape[:2])  # fwd-x


class Steps:
    """The steps of a neuron under a rule; ``others`` in its network may keep more errors apart.

    Attributes:
        program: the program of such a layer between others, which knows neuron and rule.
        signals: what comes to the output, by the states of the rule that get it.
        copied: the states of the rule for which the output is copied: where signals differ.
    """

    def __init__(
        self,
        neuron: AnyNeuron,
        rule: Rule,
        recurrent: bool,
        others: Sequence[AnyNeuron] = (),
    ) -> None:
        self.given = neuron, rule, recurrent, others
        self.made: dict[Any, ArrayProgram] = {}
        own, around = as_neuron(neuron), [as_neuron(other) for other in others]
        neurons = [*around, own, own, *around, own]
        sizes = "-".join(["1", *["1R" if recurrent else "1"] * len(neurons)])
        read = dict.fromkeys([own.output, own.lines.potential])
        nets = [network(sizes, neurons, Loss(f"of {state}", state)) for state in read]
        net = next((net for net in nets if rule.keeps(net)), nets[0])
        self.neuron, self.program = own, steps_back(net, rule)[len(around) + 2]
        self.states = [*self.program.lines.lines]
        nodes, readout = self.program.nodes, Arrow("readout", "o", LOSS)
        self.from_above = {node for node in nodes if self.program.signal(*node)}
        self.from_loss = {node for node in nodes if rule.move(node[1], readout)}
        again = {adjoint for adjoint, _, _ in self.program.again}
        self.from_itself = [node for node in nodes if self.program.name(*node) in again]
        heard = {q: self.program.signal(s, q) for s, q in nodes if s == own.output}
        self.signals = {q: signal for q, signal in heard.items() if signal}
        several = len({*heard.values()}) > 1
        self.copied = tuple(self.signals) if several else ()

    def __reduce__(self) -> Any:
        """Return what is pickled or copied: functions are made again."""
        return Steps, self.given

    def incoming(self, grads: Sequence[Tensor | None]) -> dict[Node, Tensor]:
        """Return what comes to each adjoint from the loss and from other layers."""
        of_state = dict(zip(self.states, grads, strict=False))
        above = dict(zip(self.copied, grads[len(self.states) :], strict=True))
        found: dict[Node, Tensor] = {}
        for state, q in self.program.nodes:
            heard = (state, q) in self.from_above
            parts = [above.get(q)] if heard else []
            if (heard and not above) or (state, q) in self.from_loss:
                parts.append(of_state.get(state))
            if there := [part for part in parts if part is not None]:
                found[state, q] = sum(there[1:], there[0])
        return found

    def run(
        self, wanted: tuple[str, ...], twin: bool, heard: tuple[Node, ...]
    ) -> ArrayProgram:
        """Return the program to run, in which the adjoints ``heard`` have signals of their own."""
        asked = wanted, twin, heard
        if asked not in self.made:
            h, H = curves(self.neuron.surrogate)
            functions = {**FUNCTIONS, "h": h, "spike": H if twin else reached}
            program = replace(self.program, heard=heard).only(wanted)
            self.made[asked] = ArrayProgram(program, functions, twin, torch)
        return self.made[asked]

    def constants(self, learned: Sequence[Tensor]) -> list[Any]:
        """Return the constants in the order of the program, those that are learned as tensors."""
        own = dict(zip(self.neuron.learned, learned, strict=True))
        return [
            own.get(name, value) for name, value in self.program.lines.constants.items()
        ]


class Neurons(torch.autograd.Function):
    """The neurons of a layer.

    Its arguments are the steps; whether H takes the place of the spike; for each current the
    adjoint that it is to get; the recurrent weights, or None; and then tensors: the currents, which
    are equal, and what is learned. It returns the states, in the order of the neuron's lines, and
    the output once more for each of several signals.
    """

    @staticmethod
    def forward(
        ctx: Any,
        steps: Steps,
        twin: bool,
        heads: tuple[str, ...],
        R: Tensor | None,
        *given: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return every state of every step, each of the current's shape."""
        learned, wanted = given[len(heads) :], tuple(dict.fromkeys(heads))
        run = steps.run(wanted, twin, tuple(steps.program.nodes))
        x = given[0].clone() if R is not None else given[0]
        series = {"x": x, **{name: torch.empty_like(x) for name in steps.states}}
        again = None if R is None else R.T.to(x.dtype)
        run.fill_states(x, series, steps.constants(learned), again)
        output = series[steps.neuron.output]
        states = {one.of for one in steps.program.reads}
        read = [k for k in series if k == steps.neuron.output or k in states]
        ctx.save_for_backward(R, *learned, *(series[name] for name in read))
        ctx.setting = steps, wanted, twin, heads, read
        ctx.set_materialize_grads(False)
        return *(series[k] for k in steps.states), *(
            output.view_as(output) for _ in steps.copied
        )

    @staticmethod
    @only_once
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        """Return the adjoint that each current is to get, and gradients of what is learned."""
        steps, wanted, twin, heads, read = ctx.setting
        R, *saved = ctx.saved_tensors
        learned, series = (
            saved[: -len(read)],
            dict(zip(read, saved[-len(read) :], strict=True)),
        )
        output = series[steps.neuron.output]
        found = {name: torch.empty_like(output) for name in wanted}
        again = None if R is None else R.to(output.dtype)
        fixed, incoming = steps.constants(learned), steps.incoming(grads)
        heard = steps.from_itself if R is not None else []
        if torch.compiler.is_compiling():  # it finds the program that forward has made
            heard = list(steps.program.nodes)
        if heard:
            incoming = {**dict.fromkeys(heard, torch.zeros_like(output)), **incoming}
        run = steps.run(wanted, twin, tuple(incoming))
        signals = {
            run.signal_of[node]: error
            for node, error in incoming.items()
            if node in run.signal_of
        }
        sums = run.fill_adjoints(series, signals, found, fixed, again)
        zeros = torch.zeros_like(output[0])  # where all is cut, a sum is the number 0
        summed = zip(steps.neuron.learned, learned, strict=True)
        own = [(zeros + sums[name]).sum_to_size(value.shape) for name, value in summed]
        of_R = None
        if R is not None:
            below, d = output[:-1].flatten(2), found[steps.program.start][1:].flatten(2)
            of_R = torch.einsum("tsi,tsj->ij", d, below).to(R.dtype)  # p2-recur-r
        return None, None, None, of_R, *(found[head] for head in heads), *own


def curves(surrogate: Surrogate) -> tuple[Function, Function]:
    """Return h and H of a tensor; of a surrogate of your own, its methods."""
    if is_curve(surrogate):
        return partial(surrogate.h, xp=torch), partial(surrogate.twin, xp=torch)
    return surrogate.derivative, surrogate.antiderivative


def _tensor(value: Any) -> Tensor:
    """Return a tensor; of a number one that leaves the others their dtype."""
    return (
        value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
    )


def _on_tensors(operation: Function) -> Function:
    """Return an operation on tensors that takes numbers, too."""
    return lambda *given: operation(*map(_tensor, given))


def reached(v: Tensor) -> Tensor:
    """Return the spike: 1 where v >= 0, else 0."""
    return torch.ge(v, 0, out=torch.empty_like(v))


def norm(*entries: Any) -> Tensor:
    """Return the largest singular value of a square matrix, given row by row."""
    size = math.isqrt(len(entries))
    stacked = torch.stack(torch.broadcast_tensors(*map(_tensor, entries)), -1)
    return torch.linalg.matrix_norm(stacked.unflatten(-1, (size, size)), 2)


FUNCTIONS: Mapping[str, Function] = {
    **{
        name: _on_tensors(getattr(torch, name))
        for name in ("exp", "log", "tanh", "sqrt")
    },
    "minimum": _on_tensors(lambda a, b: torch.where(b >= a, a, b)),
    "maximum": _on_tensors(lambda a, b: torch.where(a >= b, a, b)),
    "at_least": _on_tensors(lambda a, b: (a >= b).to((a if a.ndim else b).dtype)),
    "norm": norm,
}
"""What a program calls, beside the curves of the neuron."""
