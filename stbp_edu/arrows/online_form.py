"""Learning forward in time: a rule's gradient with traces at the synapses, and nothing stored.

Where in every word all arrows through time come before the arrow that leaves the neuron, a word has
two parts: from the parameter to the neuron's state at some step, all inside this neuron, and from
there to the loss, all at that step. The first part is an eligibility trace E(k, q), carried along
for each synapse, each state k of the neuron and each state q of the rule. The second is a signal
σ(k, q) that the step itself gives. The gradient is Σ_t Σ_{k,q} σ^t(k, q) E^t(k, q).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from stbp_edu.arrows.adjoints import handed_back, lambdas
from stbp_edu.arrows.blocks import blockwise
from stbp_edu.arrows.factors import LocalDerivatives, derivatives_on
from stbp_edu.arrows.forward_run import Now, as_trace, rest, step
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.parameters import LayerParams, check_params
from stbp_edu.arrows.paths import forbidding_word
from stbp_edu.arrows.rules import RULES, Rule, as_rule
from stbp_edu.checks import Array

Traces = dict[tuple[str, str], Any]
"""E of one parameter: (state, state of the rule) to an array (S, units, rows, P)."""


def online(
    net: Network,
    params: LayerParams,
    inputs: Sequence[Array] | Array,
    targets: Array,
    rule: str | Rule = "ottt",
    *,
    twin: bool = False,
) -> LayerParams:
    """Return the gradients of a rule, learned forward in time with memory that T does not change.

    A rule in blocks holds one block at a time, and goes back within it. A loss on a mean over steps
    is known at the end alone: then the run is made twice, first for the mean.

    Args:
        net: the network.
        params: its parameters.
        inputs: (T, S, *input shape), or anything that gives one step after the other by index.
        targets: shape (S, n[N]).
        rule: a name in ``RULES``, or a :class:`Rule`.
        twin: as in :func:`forward`.

    Raises:
        ValueError: if the rule has no online form; it shows a word that forbids it.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import draw_params, hard_reset, network
    >>> net = network("2-2-1", hard_reset(LIF()))
    >>> params = draw_params(net, np.random.default_rng(0))
    >>> online(net, params, np.ones((3, 1, 2)), np.ones((1, 1)), "ottt")[1]["W"].shape
    (2, 2)
    """
    rule = as_rule(rule)
    check_params(net, params)
    if rule.block is None:
        _check_form(net, rule)
    T = len(inputs)
    mean = np.zeros(0) if net.loss.per_step else _mean(net, params, inputs, twin)
    if rule.block is not None:
        return blockwise(net, params, inputs, targets, rule, mean, twin)
    past, before = rest(net, inputs[0]), None
    traces: dict[tuple[int, str], Traces] = defaultdict(dict)
    total: dict[tuple[int, str], Any] = defaultdict(float)
    for t in range(T):
        now = step(net, params, inputs[t], past, twin)
        direct = net.loss.direct_at(t, T, now[net.N][net.loss.state], mean, targets)
        local = derivatives_on(net, params, as_trace(net, [now]), direct[None])
        lam = lambdas(local, rule)
        for entry in _entries(net, params, now, past):
            key = entry.n, entry.name
            traces[key] = _carry_on(traces[key], entry, rule, before, local)
            total[key] = total[key] + _learn(traces[key], entry, rule, local, lam)
        past, before = now, local
    return _shaped(net, total)


def _check_form(net: Network, rule: Rule) -> None:
    """Check that a rule has an online form."""
    rule.check(net)
    if word := forbidding_word(net, rule):
        able = [name for name, one in RULES.items() if not forbidding_word(net, one)]
        raise ValueError(
            f"rule {rule.name!r} has no online form on this network: the word "
            f"'{' '.join(word)}' goes on through time after it has left its neuron, so that no "
            "trace at the synapse can hold it; use backward, in_blocks, or a rule that can: "
            f"{', '.join(able)}"
        )


def _shaped(net: Network, total: Any) -> LayerParams:
    """Return gradients in the shapes of the parameters."""

    def shaped(g: Any, shape: tuple[int, ...]) -> Any:
        """Return one; a number is shared by all neurons of its layer."""
        return np.asarray(g).reshape(shape) if shape else np.asarray(g.sum())

    shapes = [layer.shapes for layer in net.layers[1:]]
    layers = ({k: shaped(total[n, k], s) for k, s in of.items()} for n, of in enumerate(shapes, 1))
    return [None, *layers]


class Entry(NamedTuple):
    """What a parameter of layer n adds to a state at one step: (S, 1 or units, rows, P)."""

    n: int
    name: str
    target: str
    units: int
    value: Any

    def view(self, a: Any) -> Any:
        """Return an array (S, *shape) as (S, units, rows, 1)."""
        return a.reshape(len(a), self.units, -1, 1)


def _entries(net: Network, params: LayerParams, now: Now, past: Now) -> Iterator[Entry]:
    """Yield what the parameters add to the states at this step."""
    for n in range(1, net.N + 1):
        layer = net.layers[n]
        neuron, link = layer.neuron, layer.link
        rows = link.rows(now[n - 1][net.output_of(n - 1)])[:, None]
        yield Entry(n, "W", neuron.input, link.units, rows)
        yield Entry(n, "b", neuron.input, link.units, np.ones((*rows.shape[:-1], 1)))
        if layer.recurrent:
            rows = layer.recurrent.rows(past[n][neuron.output])[:, None]
            yield Entry(n, "R", neuron.input, layer.recurrent.units, rows)
        for name, enter in neuron.learned.items():
            entry = Entry(n, name, enter.target, link.units, None)
            yield entry._replace(value=entry.view(enter.factor(past[n], params[n])))


def _carry_on(
    old: Traces, entry: Entry, rule: Rule, before: LocalDerivatives | None, local: LocalDerivatives
) -> Traces:
    """Return the traces of this step: carried on in time, entered, passed on within the step."""
    neuron = local.net.layers[entry.n].neuron
    new: Traces = defaultdict(float)

    def follow(k: str, q: str, E: Any, factors: LocalDerivatives | None, time: int) -> None:
        """Take a trace along the arrows that leave its state, through time or within the step."""
        for arrow in (a for a in neuron.arrows if a.source == k and a.step == time):
            if factors is not None and (head := rule.move(q, arrow)) is not None:
                factor = entry.view(factors.factor(arrow, entry.n, rule)[0])
                passed = new[arrow.target, head] + factor * E  # p2-trace-step, p2-trace-adapt
                new[arrow.target, head] = passed

    for (k, q), E in old.items():
        follow(k, q, E, before, 1)
    new[entry.target, rule.start] = new[entry.target, rule.start] + entry.value
    for k in neuron.order:
        for q in [q for state, q in new if state == k]:
            follow(k, q, new[k, q], local, 0)
    return dict(new)


def _learn(traces: Traces, entry: Entry, rule: Rule, local: LocalDerivatives, lam: Any) -> Any:
    """Return Σ σ(k, q) E(k, q), σ being what the arrows hand back that leave the neuron here."""
    total: Any = 0.0
    for (k, q), E in traces.items():
        for arrow in (a for a in local.net.arrows[entry.n] if a.source == k and a.leaves):
            head = rule.move(q, arrow)
            if head is not None and not arrow.step:
                signal = handed_back(local, rule, lam, arrow, head, 0, entry.n)  # p2-trace-signal
                total = total + (entry.view(signal) * E).sum(axis=(0, 2))  # p2-trace-w
    return total


def _mean(net: Network, params: LayerParams, inputs: Any, twin: bool) -> Array:
    """Return the mean of the state that the loss reads, by a run that keeps nothing else."""
    past, total, reads = rest(net, inputs[0]), 0.0, net.loss.steps(len(inputs))
    for t in range(len(inputs)):
        past = step(net, params, inputs[t], past, twin)
        total = total + past[net.N][net.loss.state] * (t in reads)
    return np.asarray(total / len(reads))
