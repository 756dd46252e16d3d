"""A neuron's derived program on tensors, and the neurons of a layer as a function of autograd.

Forward and backward are the program that the engine runs, too: see
:mod:`stbp_edu.engine.array_steps`. The weights from below stand outside, so that any module can
make the current; recurrent weights stand inside.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from stbp_edu.arrows.lines.program import steps_back
from stbp_edu.arrows.models import Loss, network
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import LOSS, Arrow
from stbp_edu.derived import AnyNeuron, as_neuron
from stbp_edu.engine.array_steps import LinearSteps
from stbp_edu.surrogates import Surrogate, is_curve

Function = Callable[..., Any]


class TensorSteps(LinearSteps):
    """The steps of a neuron on tensors."""

    xp = torch

    @cached_property
    def outside(self) -> Mapping[str, str]:
        """By adjoint, the name of what comes to it from outside: something may come to each."""
        names = (self.back.name(*node) for node in self.back.nodes)
        return {name: f"signal_{name}" for name in names}

    @property
    def functions(self) -> Mapping[str, Function]:
        """What the source calls, of PyTorch."""
        h, H = curves(self.back.neuron.surrogate)
        return {**FUNCTIONS, "h": h, "spike": H if self.twin else heaviside}


class Steps:
    """The steps of a neuron under a rule.

    Args:
        neuron: the neuron.
        rule: the rule.
        recurrent: whether it has recurrent weights.
        others: the neurons of its network, which may keep apart what this one does not.

    Attributes:
        back: the derived step back, which knows neuron and rule.
        states: the states that have a line.
        signals: the signals that come to the output, by the states of the rule that get them.
        copied: the states of the rule for which the output is copied: where signals differ.

    Raises:
        TypeError, ValueError: if it is no neuron, or the rule does not know its arrows or keeps no
            path.
    """

    def __init__(
        self, neuron: AnyNeuron, rule: Rule, recurrent: bool, others: Sequence[AnyNeuron] = ()
    ) -> None:
        self.given = neuron, rule, recurrent, others
        self.made: dict[Any, TensorSteps] = {}
        own, around = as_neuron(neuron), [as_neuron(other) for other in others]
        neurons = [*around, own, own, *around, own]
        sizes = "-".join(["1", *["1R" if recurrent else "1"] * len(neurons)])
        read = dict.fromkeys([own.output, own.lines.potential])
        nets = [network(sizes, neurons, Loss(f"of {state}", state)) for state in read]
        net = next((net for net in nets if rule.keeps(net)), nets[0])
        self.neuron, self.back = own, steps_back(net, rule)[len(around) + 2]
        self.states = [*self.back.lines.lines]
        heard = ((q, self.back.signal(s, q)) for s, q in self.back.nodes if s == own.output)
        self.signals = {q: signal for q, signal in heard if signal}
        self.copied = tuple(self.signals) if len({*self.signals.values()}) > 1 else ()

    def __reduce__(self) -> Any:
        """Return what is pickled or copied: functions are made again."""
        return Steps, self.given

    def among(self, others: Sequence[AnyNeuron]) -> "Steps":
        """Return the steps in a network of these neurons."""
        return Steps(*self.given[:3], others)

    def on_tensors(self, wanted: tuple[str, ...], twin: bool) -> TensorSteps:
        """Return the steps on tensors: see :class:`TensorSteps`."""
        if (wanted, twin) not in self.made:
            self.made[wanted, twin] = TensorSteps(self.back, wanted, twin)
        return self.made[wanted, twin]

    def incoming(self, grads: Sequence[Tensor | None]) -> dict[str, Tensor]:
        """Return what comes to each adjoint from the loss and from other layers, by its signal."""
        of_state = dict(zip(self.states, grads, strict=False))
        above = dict(zip(self.copied, grads[len(self.states) :], strict=True))
        found: dict[str, Tensor] = {}
        for state, q in self.back.nodes:
            heard = self.back.signal(state, q)
            parts = [above.get(q)] if heard else []
            if (heard and not above) or self.back.rule.move(q, Arrow("readout", "o", LOSS)):
                parts.append(of_state.get(state))
            if there := [part for part in parts if part is not None]:
                found[f"signal_{self.back.name(state, q)}"] = sum(there[1:], there[0])
        return found

    def constants(self, learned: Sequence[Tensor]) -> list[Any]:
        """Return the constants in the order of the program, those that are learned as tensors."""
        own = dict(zip(self.neuron.learned, learned, strict=True))
        return [own.get(name, value) for name, value in self.back.lines.constants.items()]


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
        run.fill_states(x, series, steps.constants(learned), again)
        output = series[steps.neuron.output]
        states = {name.removesuffix("_last").removesuffix("_next") for name in run.read}
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
        output = series[steps.neuron.output]
        found = {name: torch.empty_like(output) for name in run.wanted}
        again = None if R is None else R.to(output.dtype)
        fixed = steps.constants(learned)
        sums = run.fill_adjoints(series, steps.incoming(grads), found, fixed, again)
        zeros = torch.zeros_like(output[0])  # where all is cut, a sum is the number 0
        summed = zip(steps.neuron.learned, learned, strict=True)
        own = [(zeros + sums[name]).sum_to_size(value.shape) for name, value in summed]
        of_R = None
        if R is not None:
            below, d = output[:-1].flatten(2), found[steps.back.start][1:].flatten(2)
            of_R = torch.einsum("tsi,tsj->ij", d, below).to(R.dtype)  # p2-recur-r
        return None, None, None, of_R, *(found[head] for head in heads), *own


def heaviside(v: Tensor) -> Tensor:
    """Return the spike."""
    return torch.ge(v, 0, out=torch.empty_like(v))  # at once a number


def curves(surrogate: Surrogate) -> tuple[Function, Function]:
    """Return h and H of a tensor; of a surrogate of your own, its methods."""
    if is_curve(surrogate):
        return partial(surrogate.h, xp=torch), partial(surrogate.twin, xp=torch)
    return surrogate.derivative, surrogate.antiderivative


def _tensor(value: Any) -> Tensor:
    """Return a tensor; of a number one that leaves the others their dtype."""
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)


def _on_tensors(operation: Function) -> Function:
    """Return an operation on tensors that takes numbers, too."""
    return lambda *given: operation(*map(_tensor, given))


def _into(operation: Function) -> Function:
    """Return an operation on two tensors or numbers that writes to a third tensor."""

    def call(a: Any, b: Any, out: Tensor) -> Tensor:
        """Write the result."""
        a, b = _tensor(a), _tensor(b)
        if out.shape in (a.shape, b.shape):
            return operation(a, b, out=out)
        return out.copy_(operation(a, b))

    return call


FUNCTIONS: Mapping[str, Function] = {
    **{name: _on_tensors(getattr(torch, name)) for name in ("exp", "log", "tanh", "sqrt")},
    "minimum": _on_tensors(lambda a, b: torch.where(b >= a, a, b)),
    "maximum": _on_tensors(lambda a, b: torch.where(a >= b, a, b)),
    "_at_least": _on_tensors(lambda a, b: (a >= b).to(torch.result_type(a, b))),
    **{f"_{k}": _into(getattr(torch, k)) for k in ("add", "subtract", "multiply", "divide")},
    "_reached": _into(torch.ge),
    "_written": lambda value, out: out.copy_(torch.as_tensor(value)),
}
"""What the source of a step calls."""
