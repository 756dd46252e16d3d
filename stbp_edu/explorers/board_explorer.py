"""What the arrow board shows: for every neuron and rule its formulas, its words, and what it loses.

There is a network for each neuron, with and without recurrent weights. A reader's own rule has one
state and refuses some arrows; every choice of them is computed.
"""

from dataclasses import replace
from functools import cache
from itertools import chain, combinations

import numpy as np

from stbp_edu import arrows
from stbp_edu._support.checks import Array
from stbp_edu.arrows import RULES, Arrow, Backward, Node, Path, Rule
from stbp_edu.arrows.table import LayerParams
from stbp_edu.explorers.network_explorers import Json, rounded
from stbp_edu.neuron import LIF
from stbp_edu.plotting.drawing import Drawing, Label, Laid
from stbp_edu.plotting.graph import states
from stbp_edu.plotting.palette import GRID, PHONE
from stbp_edu.surrogates import Gaussian

LINEAR = LIF(tau=0.75, v_th=1.0, surrogate=Gaussian(a=1.0), gate="linear")
EXPONENTIAL = LIF(tau=0.75, v_th=1.0, surrogate=Gaussian(a=1.0), gate="exponential")
RESET = arrows.hard_reset(LINEAR)
NEURONS = {
    "hard reset, linear gate": RESET,
    "hard reset, exponential gate": arrows.hard_reset(EXPONENTIAL),
    "soft reset": arrows.soft_reset(LINEAR),
    "synaptic current": arrows.with_current(RESET, alpha=0.5),
    "adaptive threshold": arrows.with_adaptation(RESET, beta=0.5, rho=0.75),
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
PLACES = {
    "u": (0.0, 1.0),
    "o": (0.43, 1.0),
    "i": (0.0, 0.0),
    "a": (0.43, 0.0),
    "L": (1.0, 2.3),
}
"""The places of the states of the cell (t, n), and of the loss."""
ABOVE = (0.43, 2.3)  # a potential of the layer above
BOWS = {
    "carry": 0.5,
    "recur": -0.4,
    "relax": -0.3,
}  # where a straight arrow would pass a state
FACTORS = {
    "weight": "w_{ji}",
    "recur": "r_{ji}",
    "readout": r"\frac{\partial L}{\partial o}",
}
"""The text on an arrow whose factor is not a formula of the neuron's."""

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
    networks = {
        f"{neuron}{' recur' * recurrent}": Board(neuron, recurrent).data(lines)
        for neuron in NEURONS
        for recurrent in (False, True)
    }
    return {
        "neurons": list(NEURONS),
        "words": WORDS,
        "rules": list(RULES),
        "networks": networks,
        "lines": [list(line) for line in lines],
    }


class Board:
    """One network of the board with its forward run; numbers are those of the first neuron.

    >>> [arrow.kind for arrow in Board("synaptic current", recurrent=True).arrows]
    ['spike', 'carry', 'reset', 'decay', 'charge', 'weight', 'recur', 'readout']
    """

    def __init__(self, neuron: str, recurrent: bool) -> None:
        """Run a 2-2-1 network for four steps, and walk every path from each state at the first."""
        sizes, kinds = ("2-2R-1R", "WbR") if recurrent else ("2-2-1", "Wb")
        self.net = net = arrows.network(sizes, NEURONS[neuron])
        self.neuron = net.layers[1].neuron
        params: LayerParams = [
            None,
            *({kind: layer[kind] for kind in kinds} for layer in LAYERS),
        ]
        forward = arrows.forward(net, params, INPUT)
        self.run = net, params, forward, np.zeros((1, 1))
        self.local = arrows.local_derivatives(*self.run)
        every = {arrow.kind: arrow for table in net.arrows[1:] for arrow in table}
        self.arrows = sorted(every.values(), key=lambda arrow: arrow.leaves)
        self.paths = {
            state: arrows.paths_from(Node(state, 1, 0, 0), self.local)
            for state in reversed(self.neuron.order)
        }
        _, self.exact = self.backward("exact")

    def backward(self, rule: Rule | str) -> tuple[Backward, Array]:
        """Return a rule's adjoints, and all its gradients as one vector."""
        back = arrows.backward(*self.run, rule)
        layers = back.gradients[1:]
        return back, np.concatenate(
            [each.ravel() for layer in layers for each in layer.values()]
        )

    def data(self, lines: Lines) -> Json:
        """Return the arrows, the states, and every setting; ``lines`` has the formulas so far."""
        words = [*arrows.words(self.net, T, n=1), *arrows.words(self.net, T, n=2)]
        kinds = [arrow.kind for arrow in self.arrows]
        needed = [kind for kind in kinds if all(kind in word for word in words)]
        free = [kind for kind in kinds if kind not in needed]
        rules = {name: self.setting(rule, lines) for name, rule in RULES.items()}
        own = {}
        for cut in chain.from_iterable(
            combinations(free, k) for k in range(len(free) + 1)
        ):
            rule = Rule("your own", {"all": {**dict.fromkeys(cut), "*": "all"}})
            own[" ".join(cut)] = self.setting(rule, lines)
        shown = self.drawing()
        adjoint = self.neuron.lines.adjoint
        return {
            "arrows": [_described(arrow) for arrow in self.arrows],
            "view": Laid(shown, PHONE).data(),
            "labels": [node.label for node in shown.nodes.values()],
            "states": [
                {"kind": state, "adjoint": adjoint(state) + "_1^{1,1}"}
                for state in self.paths
            ],
            "needed": needed,
            "rules": rules,
            "own": own,
        }

    def drawing(self) -> Drawing:
        """Return the states of a neuron now and next, the layer above, the loss, and all arrows."""
        ends = []
        for arrow in self.arrows:
            x, y = ABOVE if arrow.layer else PLACES[arrow.target]
            tail = arrow.source, *PLACES[arrow.source]
            ends.append((tail, (arrow.target, x + arrow.step, y), arrow.kind, GRID))
        shown = states(ends)
        words = [
            Label(ABOVE, "t, n + 1", "end", (-26, 5)),
            Label(PLACES["L"], "if n = N", "start", (26, 5)),
        ]
        drawn = [replace(a, bow=BOWS.get(a.factor, 0.0)) for a in shown.arrows]
        return replace(shown, arrows=drawn, words=words)

    def setting(self, rule: Rule, lines: Lines) -> Json:
        """Return a rule's arrows, its formulas, and the paths that it keeps and loses."""
        numbers = []
        for line in arrows.formulas(self.net, rule):
            formula = f"{line.left} = {line.right}"
            numbers.append(lines.setdefault((line.where, formula), len(lines)))
        back, gradient = self.backward(rule)
        off = np.linalg.norm(gradient - self.exact) / np.linalg.norm(self.exact)
        entered = self.paths[self.neuron.input]
        words = {path.word for path in entered}
        lost = {path.word for path in entered if path.dropped_by(rule)}
        shortest = min(lost, key=lambda word: (len(word), word), default=None)
        return {
            "moves": {
                state: [rule.move(state, arrow) for arrow in self.arrows]
                for state in rule.moves
            },
            "forgets": rule.forgets,
            "lines": numbers,
            "nodes": [self.node(state, rule, back) for state in self.paths],
            "words": [len(words) - len(lost), len(lost)],
            "shortest": " ".join(("enter", *shortest)) if shortest else "",
            "off": rounded(float(off)),
        }

    def node(self, state: str, rule: Rule, back: Backward) -> list[float]:
        """Return four numbers of a state, that of the first neuron at the first step.

        They are its adjoint, how many paths from it are kept and how many dropped, and the share
        of the dropped ones in the sizes of all.
        """
        adjoint = rounded(back.adjoints[state][1][0, 0, 0])
        paths = self.paths[state]
        dropped = [path for path in paths if path.dropped_by(rule)]
        share = rounded(size(dropped) / size(paths))
        return [adjoint, len(paths) - len(dropped), len(dropped), share]


def size(paths: list[Path]) -> float:
    """Return the sum of the sizes of the paths' contributions."""
    return sum(abs(float(path.contribution)) for path in paths)


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
        "factor": letters.replace("{}", ""),
    }
