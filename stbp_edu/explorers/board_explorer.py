"""What the arrow board shows: for every neuron and rule its formulas, its words, and what it loses.

There is a network for each neuron, with and without recurrent weights. A reader's own rule has one
state and refuses some arrows; every choice of them is computed.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np

from stbp_edu import arrows
from stbp_edu._support.checks import Array
from stbp_edu.arrows import RULES, Arrow, Backward, Node, Path, Rule
from stbp_edu.arrows.formula_text import mathml
from stbp_edu.arrows.table import LayerParams
from stbp_edu.explorers.widget import Json, rounded
from stbp_edu.neuron import LIF
from stbp_edu.plotting.drawing import Drawing, Label, Laid
from stbp_edu.plotting.neuron_arrows import PlacedState, states
from stbp_edu.plotting.palette import GRID
from stbp_edu.plotting.svg_elements import PHONE
from stbp_edu.surrogates import Gaussian

LINEAR = LIF(tau=0.75, v_th=1.0, surrogate=Gaussian(a=1.0), gate="linear")
EXPONENTIAL = LIF(tau=0.75, v_th=1.0, surrogate=Gaussian(a=1.0), gate="exponential")
NEURONS: dict[str, Callable[[], arrows.Neuron]] = {
    "hard reset, linear gate": lambda: arrows.hard_reset(LINEAR),
    "hard reset, exponential gate": lambda: arrows.hard_reset(EXPONENTIAL),
    "soft reset": lambda: arrows.soft_reset(LINEAR),
    "synaptic current": lambda: arrows.with_current(
        arrows.hard_reset(LINEAR), alpha=0.5
    ),
    "adaptive threshold": lambda: arrows.with_adaptation(
        arrows.hard_reset(LINEAR), beta=0.5, rho=0.75
    ),
}
WORDS = (
    "a 2-2-1 network for 4 steps, τ = 3/4, V_th = 1, Gaussian of variance 1; its output should be "
    "silent"
)
LAYERS: tuple[dict[str, Array], ...] = (
    {
        "W": np.array([[0.75, 0.5], [-0.5, 1.25]]),
        "b": np.array([0.25, 0.5]),
        "R": np.array([[0.0, 0.5], [-0.75, 0.25]]),
    },
    {
        "W": np.array([[1.25, -0.75]]),
        "b": np.array([0.5]),
        "R": np.array([[-0.5]]),
    },
)
INPUT = np.array([[[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 0.0]], [[1.0, 1.0]]])
T = len(INPUT)
PLACES = {"u": (0.0, 1.0), "o": (0.43, 1.0), "i": (0.0, 0.0), "a": (0.43, 0.0)}
"""The places of the states of the cell (t, n)."""
BOWS = {
    "carry": 0.5,
    "recur": -0.4,
    "relax": -0.3,
}  # where a straight arrow would pass a state
GAIN_LIMIT = 0.5  # the gains of this run are all within 1
FACTORS = {
    "weight": "w_{ji}",
    "recur": "r_{ji}",
    "readout": r"\frac{\partial L}{\partial o}",
}
"""The text on an arrow whose factor is not a formula of the neuron's."""
TITLES = {
    "ottt": "ottt, in its manner",
    "e-prop": "e-prop, in its manner",
    "e-prop-reset": "e-prop with the reset",
}


Lines = dict[tuple[str, str], int]
"""The number of each formula, by where it holds and its text."""


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
    lines: Lines = {}
    networks = {}
    for neuron in NEURONS:
        networks[neuron] = Board(neuron, recurrent=False).data(lines)
        networks[f"{neuron} recur"] = Board(neuron, recurrent=True).data(lines)
    return {
        "neurons": list(NEURONS),
        "words": WORDS,
        "limit": GAIN_LIMIT,
        "titles": {name: TITLES.get(name, name) for name in RULES},
        "networks": networks,
        "lines": [list(line) for line in lines],
    }


PathsByWord = dict[tuple[str, ...], tuple[Path, list[float]]]
"""For each word, one of its paths and the sizes of the contributions of all."""


class Board:
    """One network of the board with its forward run; numbers are those of the first neuron.

    >>> [arrow.kind for arrow in Board("synaptic current", recurrent=True).arrows]
    ['spike', 'carry', 'reset', 'decay', 'charge', 'weight', 'recur', 'readout']
    """

    def __init__(self, neuron: str, recurrent: bool) -> None:
        """Run a 2-2-1 network for four steps, and walk every path from each state at the first."""
        sizes = "2-2R-1R" if recurrent else "2-2-1"
        kinds = "WbR" if recurrent else "Wb"
        net = arrows.network(sizes, NEURONS[neuron]())
        params: LayerParams = [None]
        for layer in LAYERS:
            params.append({kind: layer[kind] for kind in kinds})
        self.net = net
        self.neuron = net.layers[1].neuron
        forward = arrows.forward(net, params, INPUT)
        self.run = net, params, forward, np.zeros((1, 1))
        self.local = arrows.local_derivatives(*self.run)
        found = {}
        for table in net.arrows[1:]:
            for arrow in table:
                found[arrow.kind] = arrow
        self.arrows = sorted(found.values(), key=lambda arrow: arrow.leaves)
        self.words = arrows.words(net, T)
        self.paths: dict[str, PathsByWord] = {}
        for state in reversed(self.neuron.order):
            self.paths[state] = self._paths_from(state)
        _, self.exact = self.backward("exact")

    def _paths_from(self, state: str) -> PathsByWord:
        """Return the paths from a state at the first step."""
        found: PathsByWord = {}
        for path in arrows.paths_from(Node(state, 1, 0, 0), self.local):
            _, sizes = found.setdefault(path.word, (path, []))
            sizes.append(abs(float(path.contribution)))
        return found

    def backward(self, rule: Rule | str) -> tuple[Backward, Array]:
        """Return a rule's adjoints, and all its gradients as one vector."""
        back = arrows.backward(*self.run, rule)
        gradients: list[Array] = []
        for layer in back.gradients[1:]:
            gradients += [gradient.ravel() for gradient in layer.values()]
        return back, np.concatenate(gradients)

    def data(self, lines: Lines) -> Json:
        """Return the arrows, the states, and every setting; ``lines`` has the formulas so far."""
        words = [*arrows.words(self.net, T, n=1), *arrows.words(self.net, T, n=2)]
        kinds = [arrow.kind for arrow in self.arrows]
        needed = [kind for kind in kinds if all(kind in word for word in words)]
        states = []
        for state in self.paths:
            adjoint = self.neuron.lines.adjoint(state)
            states.append({"kind": state, "adjoint": mathml(adjoint + "_1^{1,1}")})
        rules = {name: self.setting(rule, lines) for name, rule in RULES.items()}
        own = {}
        free = [kind for kind in kinds if kind not in needed]
        for k in range(len(free) + 1):
            for cut in combinations(free, k):
                rule = Rule("your own", {"all": {**dict.fromkeys(cut), "*": "all"}})
                own[" ".join(cut)] = self.setting(rule, lines)
        shown = self.drawing()
        return {
            "arrows": [_described(arrow) for arrow in self.arrows],
            "view": Laid(shown, PHONE).data(),
            "labels": [node.label for node in shown.nodes.values()],
            "states": states,
            "needed": needed,
            "rules": rules,
            "own": own,
        }

    def drawing(self) -> Drawing:
        """Return the states of a neuron now and next, the layer above, the loss, and all arrows."""

        def place(state: str, step: int = 0, layer: int = 0) -> PlacedState:
            if layer:
                return (state, 0.43, 2.3)
            x, y = PLACES.get(state, (1.0, 2.3))  # L
            return (state, x + step, y)

        found = []
        for arrow in self.arrows:
            tail = place(arrow.source)
            head = place(arrow.target, arrow.step, arrow.layer)
            found.append((tail, head, arrow.kind, GRID))
        drawn = states(found)
        bowed = []
        for shown in drawn.arrows:
            bow = BOWS.get(shown.factor, 0.0)
            bowed.append(replace(shown, bow=bow))
        low = min(node.at[1] for node in drawn.nodes.values())
        words = [
            Label((0.2, low), "t, n", by=(0, 40)),
            Label((1.2, low), "t + 1, n", by=(0, 40)),
            Label((0.43, 2.3), "t, n + 1", "end", (-26, 5)),
            Label((1.0, 2.3), "if n = N", "start", (26, 5)),
        ]
        return Drawing(drawn.nodes, bowed, words=words)

    def setting(self, rule: Rule, lines: Lines) -> Json:
        """Return a rule's arrows, its formulas, and the paths that it keeps and loses."""
        moves = {}
        for state in rule.moves:
            moves[state] = [rule.move(state, arrow) for arrow in self.arrows]
        numbers = []
        for line in arrows.formulas(self.net, rule):
            formula = mathml(f"{line.left} = {line.right}")
            number = lines.setdefault((line.where, formula), len(lines))
            numbers.append(number)
        back, gradient = self.backward(rule)
        off = np.linalg.norm(gradient - self.exact)
        size = np.linalg.norm(self.exact)
        dropped = self._dropped(rule)
        shortest = ""
        if dropped:
            shortest = " ".join(("enter", *dropped[0]))
        return {
            "moves": moves,
            "forgets": list(rule.forgets),
            "lines": numbers,
            "nodes": [self.node(state, rule, back) for state in self.paths],
            "words": [len(self.words) - len(dropped), len(dropped)],
            "shortest": shortest,
            "off": rounded(float(off / size)),
            "held": self._held(rule),
        }

    def _dropped(self, rule: Rule) -> list[tuple[str, ...]]:
        """Return the words from a potential that a rule drops."""
        found = []
        entered = self.paths[self.neuron.input]
        for word in self.words:
            path, _ = entered[word]
            if path.dropped_by(rule):
                found.append(word)
        return found

    def _held(self, rule: Rule) -> list[int]:
        """Return the steps, from 1, at which a gain limit holds the first neuron."""
        limited = arrows.with_gain_limit(GAIN_LIMIT, rule)
        held = set()
        for scale in self.local.held(1, limited).values():
            held |= {t + 1 for t in range(T - 1) if scale[t, 0, 0] < 1}
        return sorted(held)

    def node(self, state: str, rule: Rule, back: Backward) -> list[float]:
        """Return a state's adjoint, its paths kept and dropped, and the share of size lost."""
        ways = [0, 0]
        sizes = [0.0, 0.0]
        for path, found in self.paths[state].values():
            lost = path.dropped_by(rule)
            ways[lost] += len(found)
            sizes[lost] += sum(found)
        value = back.adjoints[state][1][0, 0, 0]
        return [rounded(value), *ways, rounded(sizes[True] / sum(sizes))]


def _described(arrow: Arrow) -> Json:
    """Return an arrow: kind, ends, step and layer, whether it goes to many neurons, factor."""
    letters = arrow.letters or FACTORS.get(arrow.kind, "1")
    return {
        "kind": arrow.kind,
        "from": arrow.source,
        "to": arrow.target,
        "step": arrow.step,
        "layer": arrow.layer,
        "many": arrow.link is not None,
        "factor": mathml(letters.replace("{}", "")),
    }
