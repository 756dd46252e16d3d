"""What a network and its passes are given and return, neurons first.

Each error names what does not fit the network.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.arrow import Neuron, neuron_from
from stbp_edu.arrows.forward_run import first_not_finite, slope_not_finite
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.table import Layer, LayerParams, Table, check_params
from stbp_edu.forward_pass import Trace, check_made_with, made_with
from stbp_edu.lines.expressions import ONE, evaluate, key, names_in, python
from stbp_edu.lines.text import read_lines
from stbp_edu.losses import as_loss
from stbp_edu.losses.of_states import direct_term
from stbp_edu.neuron import LIF, decay_warning
from stbp_edu.parameters import Params
from stbp_edu.program import States
from stbp_edu.surrogates import Gaussian


class HasNeuron(Protocol):
    """What :func:`stbp_edu.derive` returns."""

    @property
    def neuron(self) -> Neuron:
        """The table of arrows."""


AnyNeuron: TypeAlias = LIF | HasNeuron | Neuron | str
"""A neuron: an LIF, what ``derive`` returns, or forward lines as a text."""


def as_text(neuron: Neuron) -> str:
    """Return the forward lines of a neuron, after a line for each constant.

    >>> print(as_text(as_neuron("u = tau * u + x; tau = 0.5")))
    tau = 0.5
    u = tau * u + x
    """
    lines = neuron.lines
    given = [f"{name} = {value!r}" for name, value in lines.constants.items()]
    return "\n".join([*given, lines.text])


def as_neuron(value: object, name: str = "neuron") -> Neuron:
    """Return the table of arrows of a neuron, however it is given.

    Args:
        value: an :class:`stbp_edu.LIF`, what :func:`stbp_edu.derive` returns, or a text of
            forward lines, which gives its constants itself.
        name: what the error calls it.

    Raises:
        TypeError, ValueError: if it is something else, or a line is not understood.

    >>> [as_neuron(one).order for one in (LIF(), "tau = 0.9; u = tau * u + x")]
    [('u', 'o'), ('u',)]
    """
    if isinstance(value, LIF):
        return from_lif(value)
    if isinstance(value, str):
        neuron = neuron_from(read_lines(value, {}), Gaussian())
        warn_of_no_decay(neuron)
        return neuron
    found: Any = getattr(value, "neuron", value)
    if not isinstance(found, Neuron):
        raise TypeError(
            f"{name} must be an LIF, what stbp_edu.derive returns, or a text of forward lines, "
            f"got {checks.brief(value)}; pass for example 'tau = 0.5; u = tau * u + x'"
        )
    return found


def for_layers(neuron: AnyNeuron | Sequence[AnyNeuron], layers: int) -> list[AnyNeuron]:
    """Return the neuron of each layer, from one for all, two, or one for each.

    Of two, the second is the last layer's.

    >>> len(for_layers(["u = 0.9 * u + x; o = spike(u - 1)", "u = 0.9 * u + x"], 3))
    3
    """
    given: Any = neuron if isinstance(neuron, list | tuple) else [neuron, neuron]
    if len(given) == 2:
        given = [given[0]] * (layers - 1) + [given[1]]
    if len(given) != layers:
        raise ValueError(
            f"neuron must be one, two, or one for each of {layers} layers, got {len(given)}; the "
            "second of two is the last layer's"
        )
    return [*given]


def warn_of_no_decay(neuron: Neuron, learned: Mapping[str, Any] | None = None) -> None:
    """Warn once where a state keeps all of itself or more, from step to step without a spike.

    A line such as ``u = u + x`` says so itself, and is not warned of. Values in ``learned`` replace
    those that the constants had at first; of them a share below 0 is warned of, too, always in the
    same words, so that Python shows them once.
    """
    lines = neuron.lines
    values = {**lines.constants, **(learned or {})}
    known = {name: np.asarray(value, float) for name, value in values.items()}
    for arrow in neuron.arrows:
        if arrow.source != arrow.target or arrow.step == 0:
            continue
        factor: Any = arrow.factor
        kept = lines.silent(factor)
        if key(kept) == key(ONE) or {*names_in(kept)} - {*known}:
            continue
        with np.errstate(all="ignore"):
            shares = evaluate(kept, known)
        share = float(np.max(shares))
        moved = [name for name in learned or () if name in names_in(kept)]
        if moved and (share >= 1 or np.min(shares) < 0):
            warnings.warn(
                f"{python(kept)} is the share of {arrow.target} kept per step, and what is learned "
                f"has led it out of 0 to 1; bound it: learn={{{moved[0]!r}: (0, 1)}}",
                stacklevel=3,  # the network's own line: Python shows a line's warning once
            )
            return
        if share >= 1:
            said = f"{python(kept)} = {share:g}"
            warnings.warn(decay_warning(said, arrow.target), stacklevel=4)
            return


def layers_of(table: Table, sizes: str, params: Params) -> list[Any]:
    """Return the arrays of each layer, once it has those of the network and no others."""
    checks.instance("params", params, Params)
    layers = check_params(table, params, finite=False)  # states show what is not
    for n, layer in enumerate(table.layers[1:], 1):
        for name in layers[n].keys() - layer.shapes.keys():
            raise ValueError(
                f"params must hold what the network {sizes} learns, got {name} in layer {n}; pass "
                f"what init of this network returns, or let its neuron learn it: learn=[{name!r}]"
            )
    return [*layers]


def warn_of_learned_decays(table: Table, layers: Sequence[Any]) -> None:
    """Warn of each layer that has learned a decay of 1 or more."""
    for layer, arrays in zip(table.layers[1:], layers[1:], strict=True):
        learned = {name: arrays[name] for name in layer.neuron.learned}
        if learned:
            warn_of_no_decay(layer.neuron, learned)


def inputs_of(table: Table, sizes: str, spikes: Any, dtype: Any) -> Array:
    """Return the input in the dtype of the parameters, as (T, S, n[0])."""
    flat = (math.prod(table.shape),)
    axes = f"(T, S, n[0]) = (T, S, {flat[0]})"
    given = checks.numbers("spikes", spikes, axes, dtype)
    if given.shape[2:] not in (table.shape, flat) or not given.size:
        raise ValueError(
            f"spikes must have shape {axes} of the network {sizes}, with at least one step and one "
            f"sample, got {checks.described(given)}; put the steps first, then the samples, or "
            "build a network whose sizes begin with these inputs"
        )
    return flattened(given)


def weights_of(table: Table) -> int:
    """Return how many weights a network has, those of recurrence not counted."""
    return sum(math.prod(layer.link.weight_shape) for layer in table.layers[1:])


def trace_of(table: Table, states: States, twin: bool, params: Params) -> Trace:
    """Return the trace of the states by layer."""
    named: dict[str, list[Any]] = {}
    for n, of_layer in enumerate(states[1:], 1):
        for name, series in of_layer.items():
            layers = named.setdefault(name, [None] * (table.N + 1))
            layers[n] = _shaped(series, table.shape_of(n))
    lines = [layer.neuron.lines for layer in table.layers[1:]]
    U = [None, *(named[of.potential][n] for n, of in enumerate(lines, 1))]
    O = [_shaped(states[0]["o"], table.shape)]
    O += [named[of.output][n] for n, of in enumerate(lines, 1)]
    return Trace(U, O, named, twin, made_with(params, _texts(table)))


def _texts(table: Table) -> list[tuple[str, Any]]:
    """Return the lines and the constants of the neurons, by layer."""
    lines = [layer.neuron.lines for layer in table.layers[1:]]
    return [(of.text, of.constants) for of in lines]


def states_of(table: Table, trace: Trace, params: Params) -> States:
    """Return the states by layer that a trace holds, once they have been checked."""
    check_layers(table, trace)
    inputs = trace.O[0]
    T, S = getattr(inputs, "shape", (None, None))[:2]
    states: States = []
    for n, names in enumerate(table.states):
        shape = (T, S, *table.shape_of(n))
        of_layer = {}
        for name in names:
            what, series = f"trace[{name!r}][{n}]", trace[name][n] if n else inputs
            checks.array(
                what, series, str(shape), shape, dtype=params.dtype, finite=False
            )
            of_layer[name] = flattened(series)
        states.append(of_layer)
    check_made_with(trace, made_with(params, _texts(table)))
    return states


def check_states(table: Table, params: LayerParams, states: States) -> None:
    """Raise NotFiniteError if a state of a forward pass is not finite, and say where it arose."""
    for n, layer in enumerate(table.layers[1:], 1):
        neuron = layer.neuron
        try:
            for name in neuron.order:
                if name != neuron.lines.spike:  # 0 or 1
                    checks.check_finite(name, states[n][name])
        except checks.NotFiniteError:
            checks.check_finite("spikes", states[0]["o"])
            check_params(table, params)
            raise checks.NotFiniteError(
                first_not_finite(neuron, states[n], n)
            ) from None


def check_gradients(
    table: Table,
    params: LayerParams,
    states: States,
    gradients: Mapping[str, Array],
) -> None:
    """Raise NotFiniteError if a gradient is not finite, and say which slope is not."""
    for name, gradient in gradients.items():
        try:
            checks.check_finite(f"the gradient of {name}", gradient)
        except checks.NotFiniteError as error:
            slope = ""
            for n in range(table.N, 0, -1):  # as errors go, from the last layer down
                own = {
                    state: _shaped(series, table.shape_of(n))
                    for state, series in states[n].items()
                }
                slope = slope or slope_not_finite(
                    table.layers[n].neuron, own, params[n], n
                )
            raise checks.NotFiniteError(f"{error}{slope}") from None


def check_layers(table: Table, trace: Trace) -> None:
    """Raise TypeError or ValueError if a trace lacks an entry for a layer."""
    checks.instance("trace", trace, Trace)
    for entries in (trace.U, trace.O, *trace.states.values()):
        listed = isinstance(entries, list | tuple)
        if not listed or len(entries) != table.N + 1:
            raise ValueError(
                f"trace must have the N = {table.N} layers of this network as [None, ...], got "
                f"{checks.brief(entries)}; pass what its forward returned"
            )


def is_smooth(trace: Trace) -> bool:
    """Return whether a trace is of the smooth twin: it says so, or has outputs between 0 and 1."""
    if trace.smooth or trace.states:
        return trace.smooth
    return any(((o != 0) & (o != 1)).any() for o in trace.O[1:])


def flattened(series: Array) -> Array:
    """Return (T, S, *shape) as (T, S, m)."""
    if series.ndim == 3:
        return series
    T, S = series.shape[:2]
    return series.reshape(T, S, -1)


def _shaped(series: Array, shape: tuple[int, ...]) -> Array:
    """Return (T, S, m) as (T, S, *shape)."""
    if len(shape) == 1:
        return series
    T, S = series.shape[:2]
    return series.reshape(T, S, *shape)


def value_of(loss: Any, trace: Trace, targets: Any) -> float:
    """Return the loss of a forward pass."""
    return float(as_loss(loss, "value").value(_last_layer(trace), targets))


def direct_terms(
    loss: Any, layer: Layer, trace: Trace, targets: Any
) -> dict[str, Array]:
    """Return the direct term of a loss, by the state of the last layer that it reads."""
    lines = layer.neuron.lines
    terms = direct_term(as_loss(loss), _last_layer(trace), targets)
    direct: dict[str, Array] = {}
    for state, term in ((lines.output, terms.o), (lines.potential, terms.u)):
        if term is not None:  # of a read-out both are one state
            direct[state] = term + direct[state] if state in direct else term
    return direct


def _last_layer(trace: Trace) -> Trace:
    """Return the last layer of a trace, which a loss reads, as (T, S, n[N])."""
    for series in (trace.U[-1], trace.O[-1]):
        checks.instance("the last layer of trace", series, np.ndarray)
    U, O = flattened(trace.U[-1]), flattened(trace.O[-1])
    return replace(trace, U=[None, U], O=[O, O], states={})
