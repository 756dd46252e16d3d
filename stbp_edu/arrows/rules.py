"""Learning rules as automata: which words of arrows a rule keeps.

A path from a parameter to the loss reads as a word: ``enter carry spike weight spike readout``. A
rule is a table of moves, (state of the automaton, arrow) to the next state; a word with a move
missing is dropped. So one recursion serves every rule, with an adjoint for each state q:

    λ(node, q) = Σ factor(a) · λ(head of a, move(q, a)), over the arrows a that leave the node

A row of moves has kinds of arrows, ``"time"`` for every arrow to the next step that the row
does not name, and ``"*"`` for all others; None, or no entry at all, refuses. A kind also stands for
those with a name of their own behind it: ``adapt`` for ``adapt:r``. A rule may cut time into blocks
as well: where an arrow is refused then depends on the step, which no word shows.

Compared with published code: SLTT cuts the potential from step to step, which is ``spatial-only``.
OTTT (soft reset) cuts it, too, and multiplies by the decayed sum of the spikes below, which is
``ottt`` for the weights. e-prop's code stops the spike before the reset and lets it into the
adaptation, and its read-out neurons, which do not spike, decay: that is ``e-prop``, on a last layer
whose arrow from step to step is ``integrate``. ``e-prop-reset`` is our own relative of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, product
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu._support.checks import Array
from stbp_edu.arrows.arrow import LOSS, Arrow
from stbp_edu.arrows.table import Table
from stbp_edu.lines.forward_lines import reachable

Moves = Mapping[str, str | None]
Node = tuple[str, str]
"""A state of a neuron, and a state of a rule."""
Place = tuple[int, str, str]
"""A layer, a state of its neurons, and a state of a rule."""
KINDS = (
    "spike", "carry", "reset", "weight", "recur", "readout", "decay", "charge",
    "adapt", "relax", "threshold", "integrate", "time", "*",
)  # fmt: skip
"""The arrows that the neurons here have, and the two that stand for many."""


@dataclass(frozen=True)
class Rule:
    """A table of moves; it starts in its first state.

    Args:
        name: what to call it.
        moves: a row of moves for each state of the automaton.
        forgets: arrows whose factor forgets the spike (their ``leak``).
        block: how many steps a block has that no arrow leaves through time; None for no blocks.
        gain_limit: see :func:`with_gain_limit`; None for none.

    Raises:
        ValueError: if there is no state, a move leads to an unknown one, or a block has no step.

    >>> mine = Rule("one step back", {"now": {"time": "then", "*": "now"}, "then": {"time": None,
    ...                                                                          "*": "then"}})
    >>> mine.start
    'now'
    """

    name: str
    moves: Mapping[str, Moves]
    forgets: tuple[str, ...] = ()
    block: int | None = None
    gain_limit: float | None = None

    def __post_init__(self) -> None:
        """Check where the moves lead."""
        checks.fields("a rule", self, name=str, moves=Mapping, forgets=tuple)
        what = f"rule {self.name!r}"
        if self.block is not None:
            checks.count("block", self.block)
        if self.gain_limit is not None:
            checks.number("gain_limit", self.gain_limit, positive=True)
        if not self.moves:
            raise ValueError(f"{what} has no states; give at least one row of moves")
        for state, row in self.moves.items():
            of = f"{what}: moves[{state!r}]"
            if not isinstance(row, Mapping):
                raise TypeError(
                    f"{of} must be a row of moves, got {checks.brief(row)}; write "
                    f"{{'*': {state!r}}} to keep everything"
                )
            for kind in (*self.forgets, state, *row):
                checks.instance(f"{what}: each state and arrow", kind, str)
            for kind, head in row.items():
                if head is not None:
                    checks.choice(f"{of}[{kind!r}]", head, self.moves)

    @property
    def start(self) -> str:
        """The state in which every word begins."""
        return next(iter(self.moves))

    def move(self, state: str, arrow: Any) -> str | None:
        """Return the state after an arrow of the table or the graph; None where it is refused."""
        row = self.moves[state]
        family, _, _ = arrow.kind.partition(":")  # adapt:r is an adapt
        if family == "enter":  # from a parameter
            return state
        for key in (arrow.kind, family, "time" if arrow.step else "*", "*"):
            if key in row:
                return row[key]
        return None

    def moves_from(
        self, net: Table, n: int, kind: str, state: str
    ) -> Iterator[tuple[Arrow, str]]:
        """Yield the arrows that leave a layer's state of this kind, with the rule's next state."""
        for arrow in net.arrows[n]:
            if arrow.source == kind:
                head = self.move(state, arrow)
                if head is not None:
                    yield arrow, head

    def ends_block(self, t: int) -> bool:
        """Return whether a block ends with step t, counted from 0."""
        return self.block is not None and (t + 1) % self.block == 0

    def cuts(self, arrow: Any, t: int) -> bool:
        """Return whether an arrow that leaves step t crosses a block's edge."""
        return bool(arrow.step) and self.ends_block(t)

    def check(self, net: Table) -> None:
        """Check that the rule names no unknown arrow, and keeps a path to the loss."""
        self.check_names(net)
        if not self.keeps(net):
            raise ValueError(
                f"rule {self.name!r} keeps no word of this network, so that every gradient would "
                "be 0; let 'readout' and the arrows before it move"
            )

    def check_names(self, net: Table) -> None:
        """Check that every arrow that the rule names is one of the network's or of ``KINDS``."""
        arrows = chain.from_iterable(net.arrows)
        known = sorted({*KINDS, *(arrow.kind for arrow in arrows)})
        for kind in chain(self.forgets, *self.moves.values()):
            checks.choice(f"rule {self.name!r}: arrow", kind, known)

    def places(
        self,
        net: Table,
        start: list[Place],
        same: Mapping[Node, str] | None = None,
    ) -> list[Place]:
        """Return where words go from a start, each once: layer, state, state of the rule.

        ``same``: by state and state of the rule, the one that stands for it.
        """

        def heads(place: Place) -> Iterator[Place]:
            n, _, _ = place
            for arrow, q in self.moves_from(net, *place):
                if arrow.target != LOSS:
                    head = same[arrow.target, q] if same else q
                    yield n + arrow.layer, arrow.target, head

        return reachable(start, heads)

    def met(self, net: Table) -> Iterator[tuple[str, Arrow, str | None]]:
        """Yield (state, arrow, next state or None) for each arrow that words of a network meet."""
        layers = enumerate(net.layers[1:], 1)
        start = [(n, layer.neuron.input, self.start) for n, layer in layers]
        for n, kind, q in self.places(net, start):
            for arrow in net.arrows[n]:
                if arrow.source == kind:
                    yield q, arrow, self.move(q, arrow)

    def keeps(self, net: Table) -> bool:
        """Return whether some word is kept, in whatever layer it begins."""
        heads = [head for _, arrow, head in self.met(net) if arrow.target == LOSS]
        return any(head is not None for head in heads)


def truncated(K: int) -> Rule:
    """Return the rule that keeps words with at most K arrows through time.

    >>> list(truncated(1).moves)
    ['0', '1']
    """
    K = checks.count("K", K, at_least=0, at_most=1000)
    moves: dict[str, Moves] = {
        str(k): {"time": str(k + 1), "*": str(k)} for k in range(K)
    }
    return Rule(f"truncated-{K}", {**moves, str(K): {"time": None, "*": str(K)}})


def in_blocks(K: int, rule: "str | Rule" = "exact") -> Rule:
    """Return a rule that also drops every path across the edge of a block of K steps.

    Blocks count from the first step. With K = 1 nothing goes through time.

    >>> in_blocks(5, "classic").name
    'classic in blocks of 5'
    """
    rule = as_rule(rule)
    K = checks.count("K", K)
    return replace(rule, name=f"{rule.name} in blocks of {K}", block=K)


def with_gain_limit(limit: float | None, rule: "str | Rule" = "exact") -> Rule:
    """Return a rule that keeps the same words, but holds each neuron's gain from step to step.

    Seen from one step, a neuron's own past is a matrix: its arrows to the next step, with those
    inside a step that lead to them, take the adjoints at step t + 1 back to those at step t. The
    adjoints fall into groups that can reach each other through time; the potential of Part I is a
    group of its own, whose matrix is one number, the gain f + u f' h. Errors can grow from step to
    step only inside a group. So a limit holds the norm of each group's block: where it is larger,
    the arrows that lead to the group at the next step are made smaller by limit over norm. What one
    group hands to another is not limited: it is added once, as an error from above is.

    Of several states the norm depends on their units, and it may limit a step that would not have
    grown over many. Arrows to other neurons, recurrent weights among them, are not limited.

    >>> with_gain_limit(1, "classic").name
    'classic with gains up to 1'
    """
    rule = as_rule(rule)
    if limit is None:
        return rule
    most = checks.number("gain_limit", limit, positive=True)
    return replace(rule, name=f"{rule.name} with gains up to {most:g}", gain_limit=most)


_ENTERED = dict.fromkeys(("weight", "reset", "recur", "adapt"), "owes")
_NO_SPIKES = dict.fromkeys(("reset", "recur", "adapt"))
_OWES: Moves = {"spike": "free", "threshold": "free", "time": None, "*": "owes"}
_UP: Moves = {"time": None, "*": "up"}
_READ_OUT: Moves = {"integrate": "up", **_UP}
RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("exact", {"all": {"*": "all"}}),
        # Error that reached a potential through a spike has to leave it by its own spike before it
        # may go on to another step.
        Rule("classic", {"free": {**_ENTERED, "*": "free"}, "owes": _OWES}),
        Rule("detached-reset", {"all": {"reset": None, "*": "all"}}),
        # Every spike that feeds back: into the potential, an adaptation, or its own layer.
        Rule("detached-spikes", {"all": {**_NO_SPIKES, "*": "all"}}),
        Rule("leak-only", {"all": {"reset": None, "*": "all"}}, forgets=("carry",)),
        Rule("spatial-only", {"all": {"time": None, "*": "all"}}),
        # enter carry* spike (weight spike)* readout
        Rule(
            "ottt",
            {
                "leak": {
                    **_NO_SPIKES,
                    **dict.fromkeys(("spike", "threshold", "weight", "readout"), "up"),
                    "*": "leak",
                },
                "up": _UP,
            },
        ),
        # The neuron's own past, without its reset; then straight up, and on in a read-out.
        Rule(
            "e-prop",
            {
                "own": {"reset": None, "recur": None, "weight": "up", "*": "own"},
                "up": _READ_OUT,
            },
        ),
        # The same, with the reset.
        Rule(
            "e-prop-reset",
            {"own": {"recur": None, "weight": "up", "*": "own"}, "up": _READ_OUT},
        ),
        truncated(1),
        truncated(2),
    )
}
"""The rules by name. ``spatial-only`` is SLTT's; ``ottt`` and ``e-prop`` are in their manner."""


def as_rule(rule: "str | Rule") -> Rule:
    """Return a rule by its name, or as it is."""
    if isinstance(rule, Rule):
        return rule
    return RULES[checks.choice("rule", rule, RULES)]


def classes(net: Table, rule: Rule) -> dict[Node, str]:
    """Return for (state, q) the first q with the same adjoint, by Moore's algorithm."""
    arrows = [*chain.from_iterable(net.arrows)]
    states = sorted(set(chain.from_iterable(net.states[1:])))
    same = {node: rule.start for node in product(states, rule.moves)}
    while True:  # only those stay together whose arrows lead to the same ones
        seen: dict[Any, str] = {}
        finer = {}
        for state, q in same:
            leaving = [arrow for arrow in arrows if arrow.source == state]
            moves = [(arrow.target, rule.move(q, arrow)) for arrow in leaving]
            ends = [p if p is None else same.get((to, p), LOSS) for to, p in moves]
            finer[state, q] = seen.setdefault((state, same[state, q], *ends), q)
        if finer == same:
            return same
        same = finer


def norms(blocks: Array) -> Array:
    """Return the largest singular value of each block (..., k, k)."""
    if blocks.shape[-1] > 2:
        return np.linalg.norm(blocks, 2, (-2, -1))
    if blocks.shape[-1] == 1:
        return np.abs(blocks[..., 0, 0])
    # far quicker than to decompose each
    (a, b), (c, d) = np.moveaxis(blocks, (-2, -1), (0, 1))
    twice = np.hypot(a + d, b - c) + np.hypot(a - d, b + c)
    return np.asarray(twice) / 2


def groups(there: list[list[bool]]) -> list[tuple[int, ...]]:
    """Return the places that can reach each other, in groups; each place is in one."""
    size = len(there)
    reach = np.eye(size, dtype=bool) | np.reshape(there, (size, size)).astype(bool)
    for _ in reach:
        reach = reach @ reach
    return sorted({tuple(np.flatnonzero(row).tolist()) for row in reach & reach.T})
