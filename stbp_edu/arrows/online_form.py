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
from typing import Any, NamedTuple

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows import adjoints
from stbp_edu.arrows.arrow import LOSS, Arrow
from stbp_edu.arrows.formula_text import Formula, Formulas, mark, placed_at
from stbp_edu.arrows.forward_run import as_trace, check_params, run
from stbp_edu.arrows.rules import RULES, Rule, as_rule
from stbp_edu.arrows.step.layer_program import Adjoint
from stbp_edu.arrows.step.step_functions import added
from stbp_edu.arrows.table import Layer, LayerParams, Table
from stbp_edu.arrows.unrolled import Word
from stbp_edu.lines.forward_lines import reachable

Traces = dict[Adjoint, Any]
"""e of one parameter: (state, state of the rule) to an array (S, units, rows, P)."""


def forbidding_word(net: Table, rule: str | Rule) -> Word | None:
    """Return the shortest word that forbids an online form, or None if there is none.

    It moves through time after it has left the neuron, or while it leaves.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import hard_reset, network
    >>> " ".join(forbidding_word(network("2-2-1", hard_reset(LIF())), "exact"))
    'enter spike weight carry spike readout'
    >>> forbidding_word(network("2-2-1", hard_reset(LIF())), "ottt")
    """
    rule = as_rule(rule)
    found: dict[_Place, Word] = {}
    neurons = [layer.neuron for layer in net.layers[1:]]
    inputs = [(n, neuron.input) for n, neuron in enumerate(neurons, 1)]
    learned = [
        (n, one) for n, neuron in enumerate(neurons, 1) for one in neuron.entered
    ]
    for n, state in inputs + learned:
        found[_Place(n, state, rule.start)] = ("enter",)
    queue = [*found]
    for place in queue:  # grows while it is read: breadth first
        for arrow, head in rule.moves_from(net, place.n, place.state, place.q):
            word = (*found[place], arrow.kind)
            after = place.after(arrow, head)
            if arrow.target == LOSS and after.late:
                return word
            if arrow.target != LOSS and after not in found:
                found[after] = word
                queue.append(after)
    return None


class _Place(NamedTuple):
    """Where a word has come to: layer, state, state of the rule, and what it has done.

    ``left`` says whether it has left its neuron, ``late`` whether it took a step after that, or
    while it left.
    """

    n: int
    state: str
    q: str
    left: bool = False
    late: bool = False

    def after(self, arrow: Arrow, q: str) -> "_Place":
        """Return the place after an arrow."""
        left = self.left or arrow.leaves
        late = self.late or (left and arrow.step > 0)
        return _Place(self.n + arrow.layer, arrow.target, q, left, late)


def online(
    net: Table,
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
    _check_form(net, rule)
    checks.array("inputs", inputs, f"(T, S, *{net.shape})", (None, None, *net.shape))
    shape = (inputs.shape[1], *net.shape_of(net.N))
    checks.array("targets", targets, "(S, n[N])", shape)
    traces: dict[tuple[int, str], Traces] = defaultdict(dict)
    total: dict[tuple[int, str], Any] = defaultdict(float)
    for local in _steps(net, params, inputs, targets, twin):
        signals = adjoints.lambdas(local, rule)  # p2-trace-signal
        for n in range(1, net.N + 1):
            now = _LayerNow(local, n, rule)
            for name, into in now.entries():
                e = now.from_last_step(traces[n, name])
                for state, value in into:
                    e[state, rule.start] = e[state, rule.start] + value  # p2-trace-step
                for node, trace in e.items():
                    _, adjoint = signals[n][node]
                    weighted = now.view(adjoint) * trace
                    total[n, name] = total[n, name] + weighted.sum(axis=0)  # p2-trace-w
                traces[n, name] = now.within(e)
    result: LayerParams = [None]
    for n, layer in enumerate(net.layers[1:], 1):
        result.append({})
        for name, shape in layer.shapes.items():
            # (units, rows, P), to be summed where a number is shared
            gradient = total[n, name]
            if name in ("W", "b"):
                gradient = gradient.sum(axis=1)
            elif not shape:
                gradient = gradient.sum()
            result[n][name] = np.reshape(gradient, shape)
    return result


def _check_form(net: Table, rule: Rule) -> None:
    """Check that a rule has an online form."""
    rule.check(net)
    if rule.gain_limit is not None or rule.block is not None:
        raise ValueError(
            f"rule must have no gain limit and no blocks to be learned forward in time, got "
            f"{rule.name!r}; use backward"
        )
    word = forbidding_word(net, rule)
    if word:
        able = [name for name, one in RULES.items() if not forbidding_word(net, one)]
        raise ValueError(
            f"rule {rule.name!r} has no online form on this network: the word "
            f"'{' '.join(word)}' goes on through time after it has left its neuron, so that no "
            f"trace at the synapse can hold it; use backward, or a rule that can: {', '.join(able)}"
        )


def _steps(
    net: Table, params: LayerParams, inputs: Array, targets: Array, twin: bool
) -> Iterator[adjoints.LocalDerivatives]:
    """Yield the factors of each step and of the one before, with the later one's direct term."""
    loss = net.loss
    reads = loss.steps(len(inputs))
    at_once = replace(loss, last=None)
    mean: Any = 0
    if not loss.per_step:
        for t, (_, now) in enumerate(run(net, params, inputs, twin)):
            if t in reads:
                mean = mean + now[net.N][loss.state]
        mean = mean / len(reads)
    for t, (past, now) in enumerate(run(net, params, inputs, twin)):
        z = now[net.N][loss.state]
        read = z if loss.per_step else mean
        direct = np.zeros_like(z)
        if t in reads:
            (slope,) = at_once.direct(read[None], targets)
            direct = slope / len(reads)
        both = np.stack([0 * direct, direct])
        trace = as_trace(net, [past, now])
        yield adjoints.derivatives_on(net, params, trace, both)


@dataclass(frozen=True)
class _LayerNow:
    """A layer at one step, as the traces at its synapses see it.

    Attributes:
        local: the factors of the step before, and of this one.
        n: which layer.
        rule: the rule.
    """

    local: adjoints.LocalDerivatives
    n: int
    rule: Rule

    @property
    def layer(self) -> Layer:
        """The layer."""
        return self.local.net.layers[self.n]

    def view(self, a: Any) -> Any:
        """Return an array (S, *shape) as (S, units, rows, 1)."""
        return a.reshape(len(a), self.layer.link.units, -1, 1)

    def entries(self) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
        """Yield the name of each parameter, and what it is multiplied by at which states."""
        again = self.layer.recurrent
        neuron = self.layer.neuron
        _, below = self.local.outputs[self.n - 1]
        rows = self.layer.link.rows(below)[:, None]
        yield "W", [(neuron.input, rows)]
        yield "b", [(neuron.input, 1.0)]
        if again:
            sent, _ = self.local.outputs[self.n]
            rows = again.rows(sent)[:, None]
            yield "R", [(neuron.input, rows)]
        for name, arrows in neuron.learned.items():
            into = []
            for arrow in arrows:
                _, factor = self.local.factors[self.n][arrow.kind, False]
                into.append((arrow.target, self.view(factor)))
            yield name, into

    def from_last_step(self, traces: Traces) -> Traces:
        """Return the traces that come from the last step."""
        return self._passed_on(traces, defaultdict(float), 1)

    def within(self, traces: Traces) -> Traces:
        """Return the traces with what goes on within this step."""
        found: Traces = defaultdict(float, traces)
        return self._passed_on(found, found, 0)

    def _passed_on(self, traces: Traces, found: Traces, step: int) -> Traces:
        """Add each trace, along its arrows of 0 or 1 steps, to those at their heads."""
        for state, q in product(self.layer.neuron.order, self.rule.moves):
            if (state, q) not in traces:
                continue
            for arrow, head in self.rule.moves_from(self.local.net, self.n, state, q):
                if arrow.step != step or arrow.leaves:
                    continue
                factors = self.local.factor(arrow, self.n, self.rule)
                factor = self.view(factors[1 - step])
                passed = found[arrow.target, head] + factor * traces[state, q]
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
        if self.word:
            return None
        return self.formulas._repr_latex_()


def online_lines(net: Table, rule: Rule) -> Iterator[Formula]:
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
    nodes = reachable([start], inside)
    terms: dict[Adjoint, list[str]] = {node: [] for node in nodes}
    gradient = []
    for node in nodes:
        for arrow, head in rule.moves_from(net, 1, *node):
            if arrow.leaves:
                letter = neuron.lines.adjoint(arrow.target)
                adjoint = f"{letter}_k^{{t,n+1}}{mark(rule, head)}"
                signal = rf"\sum_k w_{{ki}}^{{n+1}} {adjoint}"
                gradient.append(rf"\left({signal}\right) {trace(node, 't')}")
                continue
            t = "t-1" if arrow.step else "t"
            factor = placed_at(arrow.letters, t, "n")
            term = f"{factor} {trace(node, t)}"
            terms[arrow.target, head].append(term.strip())
    sent = net.output_of(0)
    terms[start].append(f"{sent}_j^{{t,n-1}}")
    for node in product(neuron.order, rule.moves):
        if node in nodes:
            yield Formula(trace(node, "t"), added(terms[node]), "each synapse")
    left = r"\frac{\partial L}{\partial w_{ij}^n}"
    summed = " + ".join(gradient)
    yield Formula(left, rf"\sum_t {summed}", "all t, n < N")
