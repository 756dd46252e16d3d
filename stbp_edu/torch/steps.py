"""A neuron's derived program on tensors, and the neurons of a layer as a function of autograd.

Forward and backward are the program that the engine runs, too: see
:mod:`stbp_edu.engine.array_steps`. The weights from below stand outside, so that any module can
make the current; recurrent weights stand inside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from stbp_edu import checks
from stbp_edu.arrows.lines.program import StepBack, steps_back
from stbp_edu.arrows.models import Loss, network
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.rules import Rule
from stbp_edu.arrows.table import LOSS, Arrow, Neuron
from stbp_edu.derived import Derived
from stbp_edu.engine.array_steps import LinearSteps
from stbp_edu.neuron import LIF
from stbp_edu.surrogates import Surrogate, is_curve

AnyNeuron = LIF | Derived | Neuron
Function = Callable[..., Any]


def as_neuron(value: object) -> Neuron:
    """Return a neuron with forward lines, from any that the package knows.

    Raises:
        TypeError: if it is none.
    """
    if isinstance(value, LIF):
        return from_lif(value)
    neuron = value.neuron if isinstance(value, Derived) else value
    if not isinstance(neuron, Neuron):
        raise TypeError(
            f"neuron must be an LIF or come from stbp_edu.derive, got {checks.brief(value)}; "
            "pass for example derive('u = tau * u + x', tau=0.5)"
        )
    return neuron


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
        curve = self.back.neuron.surrogate
        fires = partial(antiderivative, curve) if self.twin else heaviside
        return {**FUNCTIONS, "h": partial(derivative, curve), "spike": fires}


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of a neuron under a rule.

    Attributes:
        back: the derived step back, which knows both.
    """

    back: StepBack

    @property
    def neuron(self) -> Neuron:
        """The neuron."""
        return self.back.neuron

    @cached_property
    def _made(self) -> dict[Any, TensorSteps]:
        """The steps on tensors that were made already."""
        return {}

    def on_tensors(self, wanted: tuple[str, ...], twin: bool) -> TensorSteps:
        """Return the steps on tensors: see :class:`TensorSteps`."""
        if (wanted, twin) not in self._made:
            self._made[wanted, twin] = TensorSteps(self.back, wanted, twin)
        return self._made[wanted, twin]

    @property
    def states(self) -> list[str]:
        """The states that have a line."""
        return [*self.back.lines.lines]

    @property
    def signals(self) -> dict[str, str]:
        """The signals that come to the output, by the states of the rule that get them."""
        nodes = ((q, self.back.signal(s, q)) for s, q in self.back.nodes if s == self.neuron.output)
        return {q: signal for q, signal in nodes if signal}

    @property
    def copied(self) -> tuple[str, ...]:
        """The states of the rule for which the output is copied: where signals differ."""
        return tuple(self.signals) if len({*self.signals.values()}) > 1 else ()

    def incoming(self, grads: Sequence[Tensor | None]) -> dict[str, Tensor]:
        """Return what comes to each adjoint from the loss and from other layers, by its signal."""
        of_state = dict(zip(self.states, grads, strict=False))
        above = dict(zip(self.copied, grads[len(self.states) :], strict=True))
        found: dict[str, Tensor] = {}
        for state, q in self.back.nodes:
            heard = self.back.signal(state, q)
            parts = [above.get(q) if heard else None]
            read = self.back.rule.move(q, Arrow("readout", "o", LOSS)) is not None
            if read or (heard and not above):
                parts.append(of_state.get(state))
            there = [part for part in parts if part is not None]
            if there:
                found[f"signal_{self.back.name(state, q)}"] = sum(there[1:], there[0])
        return found

    def constants(self, learned: Sequence[Tensor]) -> list[Any]:
        """Return the constants in the order of the program, those that are learned as tensors."""
        own = dict(zip(self.neuron.learned, learned, strict=True))
        return [own.get(name, value) for name, value in self.back.lines.constants.items()]


def steps_of(neuron: Neuron, rule: Rule, recurrent: bool, others: Sequence[Neuron] = ()) -> Steps:
    """Return the steps of a neuron under a rule.

    Args:
        neuron: the neuron.
        rule: the rule.
        recurrent: whether it has recurrent weights.
        others: the other neurons of its network, which may keep apart what this one does not.

    Raises:
        ValueError: if the rule does not know the arrows, or keeps no path.
    """
    neurons = [*others, neuron, neuron, *others, neuron]
    sizes = "-".join(["1", *["1R" if recurrent else "1"] * len(neurons)])
    read = dict.fromkeys([neuron.output, neuron.lines.potential])
    nets = [network(sizes, neurons, Loss(f"of {state}", state)) for state in read]
    net = next((net for net in nets if rule.keeps(net)), nets[0])
    return Steps(steps_back(net, rule)[len(others) + 2])


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
        if all(grad is None for grad in grads):
            return (None,) * (4 + len(heads) + len(learned))
        output = series[steps.neuron.output]
        found = {name: torch.empty_like(output) for name in run.wanted}
        again = None if R is None else R.to(output.dtype)
        fixed = steps.constants(learned)
        sums = run.fill_adjoints(series, steps.incoming(grads), found, fixed, again)
        own = [_summed(sums[k], v) for k, v in zip(steps.neuron.learned, learned, strict=True)]
        of_R = None
        if R is not None:  # p2-recur-r
            of_R = (_rows(found[steps.back.start][1:]).T @ _rows(output[:-1])).to(R.dtype)
        return None, None, None, of_R, *(found[head] for head in heads), *own


def _rows(series: Tensor) -> Tensor:
    """Return a row for each step and sample."""
    return series.flatten(2).flatten(0, 1)


def _summed(entered: Any, like: Tensor) -> Any:
    """Return the sum over samples, and over neurons unless each has its own."""
    if not isinstance(entered, Tensor):  # 0.0 where all is cut
        return torch.zeros_like(like)
    return entered.sum(tuple(range(entered.ndim - like.ndim)))


def heaviside(v: Tensor) -> Tensor:
    """Return the spike."""
    return torch.ge(v, 0, out=torch.empty_like(v))  # at once a number


def derivative(surrogate: Surrogate, v: Tensor) -> Any:
    """Return h(v); a surrogate of your own has its method called with the tensor."""
    return surrogate.h(v, torch) if is_curve(surrogate) else surrogate.derivative(v)


def antiderivative(surrogate: Surrogate, v: Tensor) -> Any:
    """Return H(v), as :func:`derivative` returns h(v)."""
    return surrogate.twin(v, torch) if is_curve(surrogate) else surrogate.antiderivative(v)


def _on_tensors(operation: Function) -> Function:
    """Return an operation on tensors that takes numbers, too, and then keeps a tensor's dtype."""
    number = {"dtype": torch.float64}

    def call(*given: Any, **more: Any) -> Any:
        """Return the result."""
        tensors = (v if isinstance(v, Tensor) else torch.tensor(v, **number) for v in given)
        return operation(*tensors, **more)

    return call


def _into(operation: Function) -> Function:
    """Return an operation on tensors and numbers that writes to a tensor."""
    on_tensors = _on_tensors(operation)

    def call(a: Any, b: Any, out: Tensor) -> Tensor:
        """Write the result."""
        if out.shape in (getattr(a, "shape", None), getattr(b, "shape", None)):
            return on_tensors(a, b, out=out)
        return out.copy_(on_tensors(a, b))

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
