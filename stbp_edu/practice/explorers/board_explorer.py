"""What the arrow board shows: for every neuron and rule its formulas, its words, and what it loses.

There is a network for each neuron, with and without recurrent weights. A reader's own rule has one
state and refuses some arrows; every choice of them is computed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import chain, combinations
from typing import Any, NamedTuple

import numpy as np

from stbp_edu import arrows
from stbp_edu.arrows import RULES, Arrow, Backward, LocalDerivatives, Network, Node, Path, Rule
from stbp_edu.arrows.formula_text import mathml
from stbp_edu.arrows.models import LayerParams, Series
from stbp_edu.checks import Array
from stbp_edu.neuron import LIF
from stbp_edu.plotting.drawing import Drawing, Laid, Word
from stbp_edu.plotting.neuron_arrows import State, states
from stbp_edu.plotting.palette import GRID
from stbp_edu.plotting.svg_figure import PHONE
from stbp_edu.surrogates import Gaussian

LINEAR, EXPONENTIAL = (
    LIF(tau=0.75, v_th=1.0, surrogate=Gaussian(a=1.0), gate=gate)
    for gate in ("linear", "exponential")
)
NEURONS: dict[str, Callable[[], arrows.Neuron]] = {
    "hard reset, linear gate": lambda: arrows.hard_reset(LINEAR),
    "hard reset, exponential gate": lambda: arrows.hard_reset(EXPONENTIAL),
    "soft reset": lambda: arrows.soft_reset(LINEAR),
    "synaptic current": lambda: arrows.with_current(arrows.hard_reset(LINEAR), alpha=0.5),
    "adaptive threshold": lambda: arrows.with_adaptation(
        arrows.hard_reset(LINEAR), beta=0.5, rho=0.75
    ),
}
WORDS = (
    "a 2-2-1 network for 4 steps, τ = 3/4, V_th = 1, Gaussian of variance 1; its output should be "
    "silent"
)
W = (None, np.array([[0.75, 0.5], [-0.5, 1.25]]), np.array([[1.25, -0.75]]))
B = (None, np.array([0.25, 0.5]), np.array([0.5]))
R = (None, np.array([[0.0, 0.5], [-0.75, 0.25]]), np.array([[-0.5]]))
INPUT = np.array([[[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 0.0]], [[1.0, 1.0]]])


class Run(NamedTuple):
    """A network of arrows with its parameters, a forward run and targets of shape (1, 1)."""

    net: Network
    params: LayerParams
    trace: Series
    targets: Array

    @property
    def local(self) -> LocalDerivatives:
        """The factor of every arrow."""
        return arrows.local_derivatives(self.net, self.params, self.trace, self.targets)


def run_of(neuron: str, recurrent: bool) -> Run:
    """Return a 2-2-1 network of these neurons, run for four steps.

    >>> run = run_of("synaptic current", recurrent=True)
    >>> [arrow.kind for arrow in run.net.arrows[1]]
    ['weight', 'spike', 'carry', 'reset', 'decay', 'charge', 'recur']
    """
    net = arrows.network("2-2R-1R" if recurrent else "2-2-1", NEURONS[neuron]())
    again = [{"R": R[n]} if recurrent else {} for n in range(3)]
    params: LayerParams = [None, *({"W": W[n], "b": B[n], **again[n]} for n in (1, 2))]
    return Run(net, params, arrows.forward(net, params, INPUT), np.zeros((1, 1)))


Json = dict[str, Any]
T = len(INPUT)
PLACES = {"u": (0.0, 1.0), "o": (0.43, 1.0), "i": (0.0, 0.0), "a": (0.43, 0.0)}
"""Where the states of the cell (t, n) stand."""
BOWS = {"carry": 0.5, "recur": -0.4, "relax": -0.3}  # where a straight arrow would pass a state
GAIN_LIMIT = 0.5  # the gains of this run are all within 1
DIGITS = 6
TITLES = {
    "ottt": "ottt, in its manner",
    "e-prop": "e-prop, in its manner",
    "e-prop-reset": "e-prop with the reset",
}


@cache
def board_data() -> Json:
    """Return every network of the board with each built-in rule and each rule of the reader's own.

    ``own`` has a key for each choice of refused arrows, their kinds with spaces between, in the
    order of ``arrows``; without those in ``needed`` no word is left. ``lines`` are the formulas,
    each with where it holds; the settings name them by their places.

    >>> data = board_data()
    >>> soft = data["networks"]["soft reset"]
    >>> soft["rules"]["classic"]["words"], soft["own"]["reset"] == soft["rules"]["detached-reset"]
    ([20, 29], True)
    """
    lines: dict[tuple[str, str], int] = {}
    networks = {
        neuron + " recur" * recurrent: _Board(run_of(neuron, recurrent), lines).data()
        for neuron in NEURONS
        for recurrent in (False, True)
    }
    return {
        "neurons": list(NEURONS),
        "words": WORDS,
        "limit": GAIN_LIMIT,
        "titles": {name: TITLES.get(name, name) for name in RULES},
        "networks": networks,
        "lines": [list(line) for line in lines],
    }


def own_rule(net: Network, refused: tuple[str, ...]) -> Rule:
    """Return the rule of one state that refuses these arrows."""
    return Rule("your own", {"all": {**dict.fromkeys(refused), "*": "all"}})


class _Board:
    """One network with its forward run, under every rule; numbers are those of the first neuron."""

    def __init__(self, run: Run, lines: dict[tuple[str, str], int]) -> None:
        """Walk every path from each state of the first neuron at the first step."""
        self.run, self.net, self.lines = run, run.net, lines
        found = {a.kind: a for table in self.net.arrows[1:] for a in table}
        inside_first = sorted(found.values(), key=lambda arrow: arrow.leaves)
        self.arrows = {arrow.kind: arrow for arrow in inside_first}
        neuron = self.net.layers[1].neuron
        self.starts = [Node(kind, 1, 0, 0) for kind in reversed(neuron.order)]
        self.first = Node(neuron.input, 1, 0, 0)
        self.local = run.local
        self.paths: dict[Node, dict[tuple[str, ...], tuple[Path, list[float]]]] = defaultdict(dict)
        for start in self.starts:  # by word: a path, and the sizes of all
            for path in arrows.paths_from(start, self.local):
                _, sizes = self.paths[start].setdefault(path.word, (path, []))
                sizes.append(abs(float(path.contribution)))
        self.words = arrows.words(self.net, T)
        self.exact = _flat(self.backward("exact"))

    def data(self) -> Json:
        """Return the arrows, the states, and every setting."""
        every = [
            set(word) for n in range(1, self.net.N + 1) for word in arrows.words(self.net, T, n=n)
        ]
        needed = [kind for kind in self.arrows if all(kind in word for word in every)]
        free = [kind for kind in self.arrows if kind not in needed]
        subsets = chain.from_iterable(combinations(free, k) for k in range(len(free) + 1))
        shown = self.drawing()
        lines = self.net.layers[1].neuron.lines
        return {
            "arrows": [self.arrow(a) for a in self.arrows.values()],
            "view": Laid(shown, PHONE).data(),
            "labels": [node.label for node in shown.nodes.values()],
            "states": [
                {"kind": s.kind, "adjoint": mathml(lines.adjoint(s.kind) + "_1^{1,1}")}
                for s in self.starts
            ],
            "needed": needed,
            "rules": {name: self.setting(rule) for name, rule in RULES.items()},
            "own": {" ".join(cut): self.setting(own_rule(self.net, cut)) for cut in subsets},
        }

    def drawing(self) -> Drawing:
        """Return the states of a neuron now and next, the layer above, the loss, and all arrows."""

        def place(state: str, step: int = 0, layer: int = 0) -> State:
            x, y = PLACES.get(state, (1.0, 2.3))  # L
            return (state, x + step, y) if not layer else (state, 0.43, 2.3)

        ends = (
            (place(a.source), place(a.target, a.step, a.layer), a) for a in self.arrows.values()
        )
        drawn = states([(tail, head, a.kind, GRID) for tail, head, a in ends])
        bowed = [replace(arrow, bow=BOWS.get(arrow.factor, 0.0)) for arrow in drawn.arrows]
        low = min(node.at[1] for node in drawn.nodes.values())
        words = [
            Word((0.2, low), "t, n", by=(0, 40)), Word((1.2, low), "t + 1, n", by=(0, 40)),
            Word((0.43, 2.3), "t, n + 1", "end", (-26, 5)),
            Word((1.0, 2.3), "if n = N", "start", (26, 5)),
        ]  # fmt: skip
        return Drawing(drawn.nodes, bowed, words=words)

    def arrow(self, arrow: Arrow) -> Json:
        """Return an arrow: kind, ends, step and layer, whether it goes to many neurons, factor."""
        weight = "w_{ji}" if arrow.layer else "r_{ji}"
        direct = r"\frac{\partial L}{\partial " + arrow.source + "}"
        letters = arrow.letters or {"weight": weight, "recur": weight, "readout": direct}.get(
            arrow.kind, "1"
        )
        return {
            "kind": arrow.kind,
            "from": arrow.source,
            "to": arrow.target,
            "step": arrow.step,
            "layer": arrow.layer,
            "many": arrow.link is not None,
            "factor": mathml(letters.replace("{}", "")),
        }

    def setting(self, rule: Rule) -> Json:
        """Return what a rule lets through, its formulas, what it keeps, and what it loses."""
        entered = self.paths[self.first]
        dropped = [word for word in self.words if entered[word][0].dropped_by(rule)]
        back = self.backward(rule)
        off = np.linalg.norm(_flat(back) - self.exact) / np.linalg.norm(self.exact)
        return {
            "moves": {
                state: [rule.move(state, arrow) for arrow in self.arrows.values()]
                for state in rule.moves
            },
            "forgets": list(rule.forgets),
            "lines": list(self.formulas(rule)),
            "nodes": [self.node(start, rule, back) for start in self.starts],
            "words": [len(self.words) - len(dropped), len(dropped)],
            "shortest": " ".join(("enter", *dropped[0])) if dropped else "",
            "off": _rounded(float(off)),
            "held": self.held(rule),
        }

    def held(self, rule: Rule) -> list[int]:
        """Return the steps, from 1, whose factors to the next step a limit makes smaller."""
        scales = self.local.held(1, arrows.with_gain_limit(GAIN_LIMIT, rule)).values()
        return [t + 1 for t in range(T - 1) if any(scale[t, 0, 0] < 1 for scale in scales)]

    def formulas(self, rule: Rule) -> Iterator[int]:
        """Yield the place of each formula among the lines."""
        for line in arrows.formulas(self.net, rule):
            key = line.where, mathml(f"{line.left} = {line.right}")
            yield self.lines.setdefault(key, len(self.lines))

    def node(self, start: Node, rule: Rule, back: Backward) -> list[float]:
        """Return a state's adjoint, its paths kept and dropped, and the share of size lost."""
        value = float(back.adjoints[start.kind][1][0, 0, 0])
        ways, sizes = [0, 0], [0.0, 0.0]
        for path, found in self.paths[start].values():
            lost = path.dropped_by(rule)
            ways[lost] += len(found)
            sizes[lost] += sum(found)
        return [_rounded(value), *ways, _rounded(sizes[True] / sum(sizes))]

    def backward(self, rule: Rule | str) -> Backward:
        """Return adjoints and gradients under a rule."""
        return arrows.backward(self.net, self.run.params, self.run.trace, self.run.targets, rule)


def _flat(back: Backward) -> Array:
    """Return the gradients of all parameters as one vector."""
    return np.concatenate([g.ravel() for layer in back.gradients[1:] for g in layer.values()])


def _rounded(x: float) -> float:
    """Return a number with a few significant digits, to keep the file small."""
    return float(f"{x:.{DIGITS}g}")
