"""A loss that reads a trace: its value, and its direct term by each state that it reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stbp_edu._support.checks import Array
from stbp_edu.arrows.state_loss import Loss
from stbp_edu.arrows.table import Layer
from stbp_edu.forward_pass import Trace
from stbp_edu.losses import as_loss
from stbp_edu.losses.of_states import direct_term
from stbp_edu.networks.traces import flattened


def value_of(loss: Any, trace: Trace, targets: Any) -> float:
    """Return the loss of a forward pass."""
    if isinstance(loss, Loss):
        read = flattened(trace[loss.state][-1])
        return loss.value(read, targets)
    value = as_loss(loss, "value").value(_last_layer(trace), targets)
    return float(value)


def direct_terms(
    loss: Any, layer: Layer, trace: Trace, targets: Any
) -> dict[str, Array]:
    """Return the direct term of a loss, by the state of the last layer that it reads."""
    if isinstance(loss, Loss):
        read = flattened(trace[loss.state][-1])
        return {loss.state: loss.direct(read, targets)}
    lines = layer.neuron.lines
    terms = direct_term(as_loss(loss), _last_layer(trace), targets)
    direct: dict[str, Array] = {}
    if terms.o is not None:
        direct[lines.output] = terms.o
    if terms.u is not None:
        before = direct.get(lines.potential)  # of a read-out: it is the output
        direct[lines.potential] = terms.u if before is None else before + terms.u
    return direct


def _last_layer(trace: Trace) -> Trace:
    """Return the last layer of a trace, which a loss reads, as (T, S, n[N])."""
    U, O = flattened(trace.U[-1]), flattened(trace.O[-1])
    return replace(trace, U=[None, U], O=[O, O], states={})
