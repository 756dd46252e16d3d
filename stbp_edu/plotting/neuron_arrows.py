"""Small graphs: what leaves a neuron, what the loss reads of it, and a rule as an automaton.

An automaton has a circle for each state, an arrow for each move, and a cross for none.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from stbp_edu._support import checks
from stbp_edu.arrows import Rule, Table
from stbp_edu.plotting.drawing import Drawing, DrawnArrow, DrawnNode, Label
from stbp_edu.plotting.graph import below_loss, edges, subscript
from stbp_edu.plotting.palette import ABOVE, DELTA, DIRECT, EPSILON, INK, LOST, TERMS

PlacedState = tuple[str, float, float]
"""Its name; its column, in time steps from t; its row."""


def states(
    arrows: Sequence[tuple[PlacedState, PlacedState, str, str]],
    lit: Mapping[PlacedState, str] | None = None,
) -> Drawing:
    """Return states with arrows, each (tail, head, factor, colour); those ``lit`` are asked about.

    Spikes are round, all other states square; an arrow drawn in ``GRID`` is thin.

    >>> u, o, later = ("u", 0, 0), ("o", 0, 1), ("u", 1, 0)
    >>> arrows = [(u, o, "h(u)", INK), (u, later, "f(o)", TERMS["carry"])]
    >>> list(states(arrows).nodes) == [u, o, later]
    True
    """
    if lit is None:
        lit = {}
    nodes = {}
    drawn = []
    for tail, head, factor, colour in arrows:
        for state in (tail, head):
            name, column, row = state
            is_spike = name.startswith("o")
            nodes[state] = DrawnNode((column, row), name, is_spike, state in lit)
        drawn.append(DrawnArrow(tail, head, colour, factor))
    return Drawing(nodes, drawn, columns={0: "t", 1: "t + 1"})


def fan_out(above: int = 3) -> Drawing:
    """Return the arrows that leave the spike and the potential of a neuron, for t < T and n < N.

    From o_i^{t,n} up to the potential of each of the ``above`` neurons of layer n + 1 at the same
    step, and on to its own next potential; from u_i^{t,n} to its spike and its next potential.
    More than 9 neurons above would not fit beside each other.

    Raises:
        TypeError, ValueError: if ``above`` is not an integer from 1 to 9.

    >>> [arrow.factor for arrow in fan_out(above=2).arrows]
    ['w₁ᵢ', 'w₂ᵢ', 'u f′', 'h', 'f']
    """
    above = checks.count("above", above, at_most=9)
    u = ("uᵢ", 0.0, 0.0)
    spike = ("oᵢ", 0.0, 1.0)
    after = ("uᵢ", 1.0, 0.0)
    middle = (above - 1) / 2
    arrows = []
    for k in range(above):
        head = (f"u{subscript(k)}", 0.45 * (k - middle), 2.4)
        arrows.append((spike, head, f"w{subscript(k)}ᵢ", ABOVE))
    arrows += [
        (spike, after, "u f′", TERMS["reset"]),
        (u, spike, "h", INK),
        (u, after, "f", TERMS["carry"]),
    ]
    drawn = states(arrows, {u: EPSILON, spike: DELTA})
    return replace(drawn, rows={0.5: "n", 2.4: "n + 1"})


def read_outs(T: int, reads: Collection[tuple[str, int]], title: str = "") -> Drawing:
    """Return an output neuron over T steps, with an arrow to the loss from each state it reads.

    The neuron's own arrows are grey: u_i^t to its spike, and both to the next potential.

    Args:
        T: number of time steps; with more than 4, arrows from potentials may cross spikes.
        reads: what the loss reads, such as ``{("o", 3)}`` for the spike of step 3; steps count
            from 1.
        title: the text above it.

    >>> len(read_outs(T=3, reads={("u", 3)}).arrows)
    8
    """
    middle = (T + 1) / 2
    nodes = {}
    for t in range(1, T + 1):
        u = ("u", t)
        o = ("o", t)
        nodes[u] = DrawnNode((t, 0), "u", asked=u in reads)
        nodes[o] = DrawnNode((t, 1), "o", round=True, asked=o in reads)
    arrows = [
        DrawnArrow(a[:2], b[:2])
        for kind, a, b in edges(T, 1)
        if a[2] and kind != "readout"
    ]
    for name, t in sorted(reads):
        bow = 0.0
        if name == "u" and abs(t - middle) < 1:
            # From a potential below L a straight arrow would cross the spike above it.
            bow = -0.28 if t < middle else 0.28
        arrows.append(DrawnArrow((name, t), "L", DIRECT, bow=bow))
    columns: dict[float, str] = {t: str(t) for t in range(1, T + 1)}
    shown = below_loss(nodes, arrows, columns, {}, bow=0.06)
    return replace(shown, title=title)


def automaton(rule: Rule, net: Table) -> Drawing:
    """Return the states of a rule in a row, the first in a halo, with the moves between them.

    A loop is above its state, and below it, crossed, the arrows at which a word is dropped.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import RULES, hard_reset, network
    >>> net = network("1-1-1", hard_reset(LIF()))
    >>> [(a.tail, a.head, a.factor) for a in automaton(RULES["classic"], net).arrows][-1:]
    [('owes', 'free', 'spike')]
    """
    found: dict[str, dict[str | None, list[str]]] = {q: {} for q in rule.moves}
    for q, arrow, head in rule.met(net):  # under None those without a move
        kinds = found[q].setdefault(head, [])
        if arrow.kind not in kinds:
            kinds.append(arrow.kind)
    many = 1 if len(found) > 2 else 2  # kinds in a line
    nodes = {}
    arrows = []
    words = []
    for x, (q, moves) in enumerate(found.items()):
        nodes[q] = DrawnNode((x, 0), q, round=True, asked=q == rule.start)
        for head, kinds in moves.items():
            text = _listed(kinds, many)
            if head is None:
                words.append(Label((x, 0), f"✕ {text}", by=(0, 48), colour=LOST))
            else:
                arrows.append(DrawnArrow(q, head, INK, text, bow=0.16, width=1.5))
    return Drawing(nodes, arrows, words=words, title=rule.name, radius=24)


def _listed(kinds: list[str], many: int) -> str:
    """Return kinds of arrows, so many in a line."""
    lines = [", ".join(kinds[k : k + many]) for k in range(0, len(kinds), many)]
    return ",\n".join(lines)
