"""Learning forward in time: a rule's gradient with traces at the synapses, and nothing stored.

Where in every word all arrows through time come before the arrow that leaves the neuron, a word has
two parts: from the parameter to the neuron's state at some step, all inside this neuron, and from
there to the loss, all at that step. The first part is an eligibility trace E(k, q), carried along
for each synapse, each state k of the neuron and each state q of the rule. The second is a signal
σ(k, q) that the step itself gives. The gradient is Σ_t Σ_{k,q} σ^t(k, q) E^t(k, q).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stbp_edu import checks
from stbp_edu.arrows import adjoints
from stbp_edu.arrows.formula_text import Formula, Formulas, mark, placed_at
from stbp_edu.arrows.forward_run import as_trace, check_params, run
from stbp_edu.arrows.lines.forward_lines import reachable
from stbp_edu.arrows.lines.program import Adjoint, added
from stbp_edu.arrows.models import LayerParams, Network
from stbp_edu.arrows.paths import Word
from stbp_edu.arrows.rules import RULES, Rule, as_rule
from stbp_edu.arrows.table import LOSS
from stbp_edu.checks import Array

Traces = dict[tuple[str, str], Any]
"""E of one parameter: (state, state of the rule) to an array (S, units, rows, P)."""


def forbidding_word(net: Network, rule: str | Rule) -> Word | None:
    """Return the shortest word that forbids an online form, or None if there is none.

    It moves through time after it has left the neuron, or while it leaves.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> " ".join(forbidding_word(network("2-2-1", hard_reset(LIF())), "exact"))
    'enter spike weight carry spike readout'
    >>> forbidding_word(network("2-2-1", hard_reset(LIF())), "ottt")
    """
    rule = as_rule(rule)
    checks.instance("net", net, Network)
    neurons = [*enumerate((layer.neuron for layer in net.layers[1:]), 1)]
    first = [(n, neuron.input) for n, neuron in neurons]
    first += [(n, enter.target) for n, neuron in neurons for enter in neuron.enters]
    queue = [(*node, rule.start, False, False) for node in first]
    found: dict[Any, Word] = dict.fromkeys(queue, ("enter",))
    for n, state, q, left, late in queue:  # grows while it is read: breadth first
        for arrow, head in rule.moves_from(net, n, state, q):
            word = (*found[n, state, q, left, late], arrow.kind)
            bad = late or bool(arrow.step and (left or arrow.leaves))
            node = n + arrow.layer, arrow.target, head, left or arrow.leaves, bad
            if arrow.target == LOSS and bad:
                return word
            if arrow.target != LOSS and node not in found:
                found[node] = word
                queue.append(node)
    return None


def online(
    net: Network,
    params: LayerParams,
    inputs: Array,
    targets: Array,
    rule: str | Rule = "ottt",
    *,
    twin: bool = False,
) -> LayerParams:
    """Return the gradients of a rule, learned forward in time with memory that T does not change.

    A loss on a mean over steps is known at the end alone: then the run is made twice, first for the
    mean.

    ``inputs`` have shape (T, S, *input shape), ``targets`` (S, n[N]); ``rule`` is a name in
    ``RULES``, or a :class:`Rule`; ``twin`` is that of :func:`forward`.

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
    checks.instance("twin", twin, bool)
    _check_form(net, rule)
    checks.array("inputs", inputs, f"(T, S, *{net.shape})", (None, None, *net.shape))
    T, S, *_ = inputs.shape
    checks.array("targets", targets, "(S, n[N])", (S, *net.shape_of(net.N)))
    reads, at_once, mean = net.loss.steps(T), replace(net.loss, last=None), np.zeros(0)
    if not net.loss.per_step:
        series = (now[net.N][net.loss.state] for _, now in run(net, params, inputs, twin))
        mean = sum(z for t, z in enumerate(series) if t in reads) / len(reads)
    traces: dict[tuple[int, str], Traces] = defaultdict(dict)
    total: dict[tuple[int, str], Any] = defaultdict(float)
    for t, (past, now) in enumerate(run(net, params, inputs, twin)):
        z = now[net.N][net.loss.state]
        read = (z if net.loss.per_step else mean)[None]
        direct = at_once.direct(read, targets)[0] / len(reads) if t in reads else np.zeros_like(z)
        two_steps = as_trace(net, [past, now])
        local = adjoints.derivatives_on(net, params, two_steps, np.stack([0 * direct, direct]))
        lam = adjoints.lambdas(local, rule)
        for entry in _entries(local):
            key = entry.n, entry.name
            traces[key] = _carry_on(traces[key], entry, rule, local)
            total[key] = total[key] + _learn(traces[key], entry, rule, local, lam)
    result: LayerParams = [None, *({} for _ in net.layers[1:])]
    for (n, name), g in total.items():
        shape = net.layers[n].shapes[name]  # a number is shared by all neurons of its layer
        whole = shape and np.ndim(g)
        result[n][name] = np.reshape(g, shape) if whole else np.full(shape, np.sum(g))
    return result


def _check_form(net: Network, rule: Rule) -> None:
    """Check that a rule has an online form."""
    rule.check(net)
    if rule.gain_limit is not None or rule.block is not None:
        raise ValueError(
            f"rule must have no gain limit and no blocks to be learned forward in time, got "
            f"{rule.name!r}; use backward"
        )
    if word := forbidding_word(net, rule):
        able = [name for name, one in RULES.items() if not forbidding_word(net, one)]
        raise ValueError(
            f"rule {rule.name!r} has no online form on this network: the word "
            f"'{' '.join(word)}' goes on through time after it has left its neuron, so that no "
            f"trace at the synapse can hold it; use backward, or a rule that can: {', '.join(able)}"
        )


class Entry(NamedTuple):
    """What a parameter of layer n adds to states at one step: (S, 1 or units, rows, P) each."""

    n: int
    name: str
    units: int
    into: list[tuple[str, Any]]
    each: bool = False

    def view(self, a: Any) -> Any:
        """Return an array (S, *shape) as (S, units, rows, 1)."""
        return a.reshape(len(a), self.units, -1, 1)


def _entries(local: adjoints.LocalDerivatives) -> Iterator[Entry]:
    """Yield what the parameters add to the states at this step, the second of two."""
    for n, layer in enumerate(local.net.layers[1:], 1):
        neuron, link, again = layer.neuron, layer.link, layer.recurrent
        rows = link.rows(local.outputs[n - 1][1])[:, None]
        yield Entry(n, "W", link.units, [(neuron.input, rows)])
        yield Entry(n, "b", link.units, [(neuron.input, np.ones((*rows.shape[:-1], 1)))])
        if again:
            rows = again.rows(local.outputs[n][0])[:, None]
            yield Entry(n, "R", again.units, [(neuron.input, rows)])
        for name, arrows in neuron.learned.items():
            entry = Entry(n, name, link.units, [], name in neuron.each)
            for kind, target in ((arrow.kind, arrow.target) for arrow in arrows):
                entry.into.append((target, entry.view(local.factors[n][kind, False][1])))
            yield entry


def _carry_on(old: Traces, entry: Entry, rule: Rule, local: adjoints.LocalDerivatives) -> Traces:
    """Return the traces of this step: carried on in time, entered, passed on within the step."""
    new: Traces = defaultdict(float)

    def follow(k: str, q: str, E: Any, step: int) -> None:
        """Take a trace along the arrows that leave its state, through time or within the step."""
        for arrow, head in rule.moves_from(local.net, entry.n, k, q):
            if arrow.step == step and not arrow.leaves:
                factor = entry.view(local.factor(arrow, entry.n, rule)[1 - step])
                passed = new[arrow.target, head] + factor * E  # p2-trace-step, p2-trace-adapt
                new[arrow.target, head] = passed

    for (k, q), E in old.items():
        follow(k, q, E, 1)
    for state, value in entry.into:
        new[state, rule.start] = new[state, rule.start] + value
    for k in local.net.states[entry.n]:
        for q in [q for state, q in new if state == k]:
            follow(k, q, new[k, q], 0)
    return dict(new)


def _learn(
    traces: Traces, entry: Entry, rule: Rule, local: adjoints.LocalDerivatives, lam: Any
) -> Any:
    """Return Σ σ(k, q) E(k, q), σ being what the arrows hand back that leave the neuron here."""
    total, over = 0.0, 0 if entry.each else (0, 2)
    for node, E in traces.items():
        for arrow, head in rule.moves_from(local.net, entry.n, *node):
            if arrow.leaves and not arrow.step:
                signal = local.handed_back(rule, lam, arrow, head, 1, entry.n)  # p2-trace-signal
                total = total + (entry.view(signal) * E).sum(axis=over)  # p2-trace-w
    return total


@dataclass(frozen=True, repr=False)
class OnlineForm:
    """The online form of a rule on one neuron.

    Attributes:
        rule: its name.
        formulas: the traces of one synapse, then the gradient; none where there is no such form.
        word: the shortest word that forbids it, or None.
    """

    rule: str
    formulas: Formulas
    word: Word | None

    def __str__(self) -> str:
        """Return the formulas, or the word that forbids them."""
        if self.word:
            return (
                f"rule {self.rule!r} has no online form: the word '{' '.join(self.word)}' goes on "
                "through time after it has left its neuron"
            )
        return str(self.formulas)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the same for a notebook or a page."""
        return f"<p>{escape(str(self))}</p>" if self.word else self.formulas._repr_html_()


def online_lines(net: Network, rule: Rule) -> Iterator[Formula]:
    """Yield a line for each trace, and that of the gradient."""
    neuron = net.layers[1].neuron

    def inside(node: Adjoint) -> Iterator[Adjoint]:
        """Yield where the arrows of the neuron lead."""
        moves = rule.moves_from(net, 1, *node)
        return ((arrow.target, head) for arrow, head in moves if not arrow.leaves)

    def trace(node: Adjoint, t: str) -> str:
        """Return the name of a trace."""
        return f"e_{{{node[0]},ij}}^{{{t},n}}{mark(rule, node[1])}"

    start = neuron.input, rule.start
    terms: dict[Adjoint, list[str]] = {node: [] for node in reachable([start], inside)}
    gradient = []
    for node in terms:
        for arrow, head in rule.moves_from(net, 1, *node):
            if arrow.leaves:
                letter = neuron.lines.adjoint(arrow.target)
                signal = rf"\sum_k w_{{ki}}^{{n+1}} {letter}_k^{{t,n+1}}{mark(rule, head)}"
                gradient.append(rf"\left({signal}\right) {trace(node, 't')}")
            else:
                t = "t-1" if arrow.step else "t"
                term = f"{placed_at(arrow.letters, t, 'n')} {trace(node, t)}".strip()
                terms[arrow.target, head].append(term)
    terms[start].append(f"{net.output_of(0)}_j^{{t,n-1}}")
    for node in (node for node in product(neuron.order, rule.moves) if node in terms):
        yield Formula(trace(node, "t"), added(terms[node]), "each synapse")
    left = r"\frac{\partial L}{\partial w_{ij}^n}"
    yield Formula(left, rf"\sum_t {' + '.join(gradient)}", "all t, n < N")
