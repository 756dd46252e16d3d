"""Learning forward in time: a rule's gradient with traces at the synapses, and nothing stored.

Where in every word all arrows through time come before the arrow that leaves the neuron, a word has
two parts: from the parameter to the last step that it reaches, all inside this neuron, and from
there to the loss, all at that step. The first part is an eligibility trace e(k, q), carried along
for each synapse, each state k of the neuron and each state q of the rule. The second is a signal
σ(k, q): the adjoint that the step itself gives. The gradient is Σ_t Σ_{k,q} σ^t(k, q) e^t(k, q).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows import adjoints
from stbp_edu.arrows.formula_text import Formula, Formulas, mark, placed_at
from stbp_edu.arrows.forward_run import as_trace, check_params, run
from stbp_edu.arrows.lines.forward_lines import reachable
from stbp_edu.arrows.lines.layer_program import Adjoint
from stbp_edu.arrows.lines.step_functions import added
from stbp_edu.arrows.models import LayerParams, Network
from stbp_edu.arrows.rules import RULES, Rule, as_rule
from stbp_edu.arrows.table import LOSS
from stbp_edu.arrows.unrolled import Word

Traces = dict[tuple[str, str], Any]
"""e of one parameter: (state, state of the rule) to an array (S, units, rows, P)."""


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

    A loss on a mean over steps is known only at the end: then the run is made twice, first for the
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
    params = check_params(net, params)
    checks.instance("twin", twin, bool)
    _check_form(net, rule)
    checks.array("inputs", inputs, f"(T, S, *{net.shape})", (None, None, *net.shape))
    checks.array(
        "targets", targets, "(S, n[N])", (inputs.shape[1], *net.shape_of(net.N))
    )
    traces: dict[tuple[int, str], Traces] = defaultdict(dict)
    total: dict[tuple[int, str], Any] = defaultdict(float)
    for local in _steps(net, params, inputs, targets, twin):
        signals = adjoints.lambdas(local, rule)  # p2-trace-signal
        for n, name, into in _entries(local):
            e = _along(traces[n, name], 1, local, n, rule)
            for state, value in into:
                e[state, rule.start] = e[state, rule.start] + value  # p2-trace-step
            for node, trace in e.items():
                signal = _view(local, n, signals[n][node][1])
                total[n, name] = total[n, name] + (signal * trace).sum(
                    axis=0
                )  # p2-trace-w
            traces[n, name] = _along(e, 0, local, n, rule)
    result: LayerParams = [None, *({} for _ in net.layers[1:])]
    for (n, name), g in total.items():  # (units, rows, P), of which some share a number
        shape = net.layers[n].shapes[name]
        shared: Any = 1 if name in ("W", "b") else () if shape else None
        result[n][name] = np.reshape(g.sum(axis=shared), shape)
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


def _steps(
    net: Network, params: LayerParams, inputs: Array, targets: Array, twin: bool
) -> Iterator[adjoints.LocalDerivatives]:
    """Yield the factors of each step and of the one before, with the later one's direct term."""
    reads, at_once, mean = (
        net.loss.steps(len(inputs)),
        replace(net.loss, last=None),
        np.zeros(0),
    )
    if not net.loss.per_step:
        series = (
            now[net.N][net.loss.state] for _, now in run(net, params, inputs, twin)
        )
        mean = sum(z for t, z in enumerate(series) if t in reads) / len(reads)
    for t, (past, now) in enumerate(run(net, params, inputs, twin)):
        z = now[net.N][net.loss.state]
        read = (z if net.loss.per_step else mean)[None]
        direct = (
            at_once.direct(read, targets)[0] / len(reads)
            if t in reads
            else np.zeros_like(z)
        )
        both = np.stack([0 * direct, direct])
        yield adjoints.derivatives_on(net, params, as_trace(net, [past, now]), both)


def _view(local: adjoints.LocalDerivatives, n: int, a: Any) -> Any:
    """Return an array (S, *shape) of layer n as (S, units, rows, 1)."""
    return a.reshape(len(a), local.net.layers[n].link.units, -1, 1)


def _entries(
    local: adjoints.LocalDerivatives,
) -> Iterator[tuple[int, str, list[tuple[str, Any]]]]:
    """Yield layer and name of each parameter, and what it is multiplied by at which states."""
    for n, layer in enumerate(local.net.layers[1:], 1):
        rows = layer.link.rows(local.outputs[n - 1][1])[:, None]
        yield n, "W", [(layer.neuron.input, rows)]
        yield n, "b", [(layer.neuron.input, 1.0)]
        if layer.recurrent:
            rows = layer.recurrent.rows(local.outputs[n][0])[:, None]
            yield n, "R", [(layer.neuron.input, rows)]
        for name, arrows in layer.neuron.learned.items():
            factors = [(a.target, local.factors[n][a.kind, False][1]) for a in arrows]
            yield (
                n,
                name,
                [(state, _view(local, n, factor)) for state, factor in factors],
            )


def _along(
    traces: Traces, step: int, local: adjoints.LocalDerivatives, n: int, rule: Rule
) -> Traces:
    """Return the traces that come from the last step, or those that go on within this one."""
    found: Traces = defaultdict(float, {} if step else traces)
    tails = traces if step else found
    for node in product(local.net.states[n], rule.moves):
        for arrow, head in (
            rule.moves_from(local.net, n, *node) if node in tails else ()
        ):
            if arrow.step == step and not arrow.leaves:
                factor = _view(local, n, local.factor(arrow, n, rule)[1 - step])
                passed = found[arrow.target, head] + factor * tails[node]
                found[arrow.target, head] = passed  # p2-trace-step, p2-trace-adapt
    return found


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

    def _repr_latex_(self) -> str | None:
        """Return the formulas in LaTeX; None where a word forbids them."""
        return None if self.word else self.formulas._repr_latex_()


def online_lines(net: Network, rule: Rule) -> Iterator[Formula]:
    """Yield a line for each trace, here taken on to where it leaves, and that of the gradient."""
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
                signal = (
                    rf"\sum_k w_{{ki}}^{{n+1}} {letter}_k^{{t,n+1}}{mark(rule, head)}"
                )
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
