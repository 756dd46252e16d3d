"""The neurons of one layer as a ``torch.autograd.Function``: what runs step by step.

Forward it is ``fwd-u`` and ``fwd-o``; backward the one recurrence of
:mod:`stbp_edu.engine.recurrence`, in which a rule changes two factors. The weights stand outside,
so that any module can make the current: autograd turns the ε that comes out here into the
gradients of case 5, and into the signal for the layer below.
"""

import math
from typing import Any, TypeGuard

import torch
from torch import Tensor

from stbp_edu import checks
from stbp_edu.neuron import LIF
from stbp_edu.rules import CARRIED, check_gain_limit, check_rule
from stbp_edu.surrogates import SURROGATES, Curve, Surrogate


def lif(
    current: Tensor,
    neuron: LIF,
    rule: str = "exact",
    *,
    twin: bool = False,
    signal: Tensor | None = None,
    gain_limit: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return spikes o and potentials u of a layer of neurons, u^{t+1} = carried(u^t, o^t) + x.

    A loss may read both. Backward, the current gets ε, the total derivative by the potential.

    Args:
        current: x, the weighted input with its bias, shape (T, S, ...). Half precision, as
            autocast makes it, is raised to float32, since a threshold asks for more.
        neuron: constants, gate and surrogate.
        rule: what flows backward through time: ``"exact"``, ``"classic"``, or an ablation.
        twin: whether H takes the place of the spike, so that finite differences are valid.
        signal: the same current once more. Under the classic rule the layer below gets
            err = δ ⊙ h and not ε: it comes out at this argument, ε at the first one.
        gain_limit: the size that no neuron's gain from step to step may exceed; None for none.

    Raises:
        TypeError, ValueError: if the current is no tensor of floats with two axes or more, or
            the rule is unknown.

    >>> o, _ = lif(torch.full((3, 1, 1), 1.6), LIF(tau=0.5, v_th=2.0))
    >>> o.flatten()
    tensor([0., 1., 0.])
    """
    checks.instance("neuron", neuron, LIF)
    check_rule(rule)
    check_sequence("current", current)
    current = current.to(torch.promote_types(current.dtype, torch.float32))
    o, u = Neurons.apply(current, signal, neuron, rule, twin, check_gain_limit(gain_limit))
    return o, u


def check_sequence(name: str, value: object) -> None:
    """Check that a value is a tensor of floats with at least one step, of shape (T, S, ...)."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        got = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name} must be a tensor of floats, got {got}; convert it with .float()")
    if value.ndim < 2 or not len(value):
        raise ValueError(
            f"{name} must have shape (T, S, ...) with T >= 1 steps, got {tuple(value.shape)}; "
            "steps come first, samples second"
        )


class Neurons(torch.autograd.Function):
    """The neurons of a layer; called by :func:`lif`."""

    @staticmethod
    def forward(
        ctx: Any,
        current: Tensor,
        signal: Tensor | None,
        neuron: LIF,
        rule: str,
        twin: bool,
        gain_limit: float | None,
    ) -> tuple[Tensor, Tensor]:
        """Return spikes and potentials, each of the current's shape."""
        u, o = [current[0]], [spike(current[0], neuron, twin)]
        for x in current[1:]:
            u.append(carried(u[-1], o[-1], neuron, twin) + x)  # fwd-u
            o.append(spike(u[-1], neuron, twin))  # fwd-o
        O, U = torch.stack(o), torch.stack(u)
        ctx.save_for_backward(O, U)
        ctx.setting = neuron, rule, twin, gain_limit
        ctx.signal = None if signal is None else signal.dtype
        ctx.set_materialize_grads(False)
        return O, U

    @staticmethod
    def backward(ctx: Any, dL_do: Tensor | None, dL_du: Tensor | None) -> Any:
        """Return ε for the current and err for the signal, from what came to o and to u."""
        (O, U), (neuron, rule, twin, limit) = ctx.saved_tensors, ctx.setting
        if dL_do is None and dL_du is None:
            return (None,) * 6
        h = derivative(neuron.surrogate, U - neuron.v_th)
        direct = 0 if dL_do is None else dL_do * h
        direct = direct if dL_du is None else direct + dL_du
        keep, back = factors(O, U, h, neuron, rule, twin)
        if rule != "classic":
            return accumulate(direct, held(keep + back, limit)), *(None,) * 5  # err-exact
        err = accumulate(direct, held(back, limit))  # err-classic
        below = None if ctx.signal is None else err.to(ctx.signal)
        return accumulate(err, held(keep, limit)), below, *(None,) * 4


def held(gain: Tensor | float, limit: float | None) -> Tensor | float:
    """Return a gain held between -limit and limit."""
    if limit is None:
        return gain
    if isinstance(gain, Tensor):
        return gain.clamp(-limit, limit)  # gain-limit
    return max(-limit, min(limit, gain))


def accumulate(direct: Tensor, factor: Tensor | float) -> Tensor:
    """Return e with e^t = direct^t + factor^t e^{t+1}, from the last step down."""
    if not isinstance(factor, Tensor):
        factor = direct.new_tensor(factor).expand_as(direct)
    e = [direct[-1]]
    for t in range(len(direct) - 2, -1, -1):
        e.append(torch.addcmul(direct[t], e[-1], factor[t]))
    return torch.stack(e[::-1])


def factors(
    o: Tensor, u: Tensor, h: Tensor, neuron: LIF, rule: str, twin: bool
) -> tuple[Tensor | float, Tensor | float]:
    """Return what takes ε^{t+1} back to ε^t as a rule sees it: the carry f, and the reset h u f'.

    With the soft reset the second is -V_th h. See :func:`stbp_edu.rules.backward_gate`.
    """
    f = gate(o, neuron, twin)
    if rule in CARRIED:
        return CARRIED[rule](f, neuron.tau), 0.0
    if neuron.gate == "soft":
        return f, h * -neuron.v_th
    return f, h * u * gate_slope(o, neuron, twin)


def spike(u: Tensor, neuron: LIF, twin: bool) -> Tensor:
    """Return g(u), or H(u - V_th) for the twin."""
    if twin:
        return antiderivative(neuron.surrogate, u - neuron.v_th)
    return (u >= neuron.v_th).to(u.dtype)


def derivative(surrogate: Surrogate, v: Tensor) -> Any:
    """Return h(v); a surrogate of your own has its method called with the tensor."""
    return surrogate.h(v, torch) if known(surrogate) else surrogate.derivative(v)


def antiderivative(surrogate: Surrogate, v: Tensor) -> Any:
    """Return H(v), as :func:`derivative` returns h(v)."""
    return surrogate.twin(v, torch) if known(surrogate) else surrogate.antiderivative(v)


def known(surrogate: Surrogate) -> TypeGuard[Curve]:
    """Return whether a surrogate is one of the package; a subclass may have other formulas."""
    return type(surrogate) in SURROGATES.values()


def carried(u: Tensor, o: Tensor, neuron: LIF, twin: bool) -> Tensor:
    """Return what is left for the next step: u f(o), and with the soft reset τ u - V_th o."""
    kept = u * gate(o, neuron, twin)
    return kept - neuron.v_th * o if neuron.gate == "soft" else kept


def gate(o: Tensor, neuron: LIF, twin: bool) -> Tensor | float:
    """Return f(o); where o is 0 or 1, a straight line through f(0) and f(1) is the exponential."""
    if neuron.gate == "soft":
        return neuron.tau
    if neuron.gate == "exponential" and twin:
        return neuron.tau * torch.exp(o * (-1 / neuron.tau))  # gate-f
    return neuron.tau - (neuron.tau - neuron.reset) * o  # gate-linear


def gate_slope(o: Tensor, neuron: LIF, twin: bool) -> Tensor | float:
    """Return f'(o), of a hard reset."""
    if neuron.gate == "linear":
        return -neuron.tau  # gate-linear-df
    if twin:
        return -torch.exp(o * (-1 / neuron.tau))  # gate-df
    return (1 - math.exp(-1 / neuron.tau)) * o - 1
