"""Small graphs: what leaves a neuron, what the loss reads of it, and a rule as an automaton.

An automaton has a circle for each state, an arrow for each move, and a cross for none.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from stbp_edu.arrows import Rule, Table
from stbp_edu.plotting.drawing import Drawing, DrawnArrow, DrawnNode, Label
from stbp_edu.plotting.graph import edges, to_loss
from stbp_edu.plotting.palette import ABOVE, DIRECT, INK, LOST, TERMS

PlacedState = tuple[str, float, float]
"""Its name; its column, in time steps from t; its row."""


def states(
    arrows: Sequence[tuple[PlacedState, PlacedState, str, str]],
    lit: Collection[PlacedState] = (),
) -> Drawing:
    """Return states with arrows, each (tail, head, factor, colour); those ``lit`` are asked about.

    Spikes are round, all other states square; an arrow drawn in ``GRID`` is thin.

    >>> u, o, later = ("u", 0, 0), ("o", 0, 1), ("u", 1, 0)
    >>> arrows = [(u, o, "h(u)", INK), (u, later, "f(o)", TERMS["carry"])]
    >>> list(states(arrows).nodes) == [u, o, later]
    True
    """
    nodes = {}
    for arrow in arrows:
        for state in arrow[:2]:
            name, x, y = state
            nodes[state] = DrawnNode((x, y), name, name[0] == "o", state in lit)
    drawn = [
        DrawnArrow(tail, head, colour, text) for tail, head, text, colour in arrows
    ]
    return Drawing(nodes, drawn, columns={0: "t", 1: "t + 1"})


def fan_out() -> Drawing:
    """Return the arrows that leave the spike and the potential of a neuron, for t < T and n < N.

    From o_i^{t,n} up to the potential of each of three neurons of layer n + 1 at the same step,
    and on to its own next potential; from u_i^{t,n} to its spike and its next potential.

    >>> [arrow.factor for arrow in fan_out().arrows]
    ['w₁ᵢ', 'w₂ᵢ', 'w₃ᵢ', 'u f′', 'h', 'f']
    """
    u, spike, after = ("uᵢ", 0.0, 0.0), ("oᵢ", 0.0, 1.0), ("uᵢ", 1.0, 0.0)
    arrows = [
        (spike, (f"u{j}", 0.45 * (k - 1), 2.4), f"w{j}ᵢ", ABOVE)
        for k, j in enumerate("₁₂₃")
    ]
    arrows += [
        (spike, after, "u f′", TERMS["reset"]),
        (u, spike, "h", INK),
        (u, after, "f", TERMS["carry"]),
    ]
    return replace(states(arrows, {u, spike}), rows={0.5: "n", 2.4: "n + 1"})


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
    nodes = {
        (name, t): DrawnNode((t, row), name, name == "o", (name, t) in reads)
        for t in range(1, T + 1)
        for row, name in enumerate("uo")
    }
    arrows = [
        DrawnArrow(a[:2], b[:2])
        for kind, a, b in edges(T, 1)
        if a[2] and kind != "readout"
    ]
    arrows += [DrawnArrow(read, "L", DIRECT) for read in sorted(reads)]
    arrows = to_loss(nodes, arrows, bow=0.06)
    for k, arrow in enumerate(arrows):
        name, t = arrow.tail
        from_middle = t - (T + 1) / 2
        if arrow.head == "L" and name == "u" and abs(from_middle) < 1:
            # From a potential below L a straight arrow would cross the spike above it.
            arrows[k] = replace(arrow, bow=-0.28 if from_middle < 0 else 0.28)
    columns: dict[float, str] = {t: str(t) for t in range(1, T + 1)}
    return Drawing(nodes, arrows, columns, title=title)


def automaton(rule: Rule, net: Table) -> Drawing:
    """Return the states of a rule in a row, the first in a halo, with the moves between them.

    A loop is above its state, and below it, crossed, the arrows at which a word is dropped.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import RULES, hard_reset, network
    >>> net = network("1-1-1", hard_reset(LIF()))
    >>> [(a.tail, a.head, a.factor) for a in automaton(RULES["classic"], net).arrows][-1:]
    [('owes', 'free', 'spike')]
    """
    kinds: dict[tuple[str, str | None], list[str]] = {}
    for q, arrow, head in rule.met(net):  # to None those without a move
        some = kinds.setdefault((q, head), [])
        if arrow.kind not in some:
            some.append(arrow.kind)
    many = 1 if len(rule.moves) > 2 else 2  # kinds in a line
    nodes = {
        q: DrawnNode((x, 0), q, round=True, asked=q == rule.start)
        for x, q in enumerate(rule.moves)
    }
    arrows = []
    words = []
    for (q, head), some in kinds.items():
        lines = [", ".join(some[k : k + many]) for k in range(0, len(some), many)]
        text = ",\n".join(lines)
        if head is None:
            words.append(Label(nodes[q].at, f"✕ {text}", by=(0, 48), colour=LOST))
        else:
            arrows.append(DrawnArrow(q, head, INK, text, bow=0.16, width=1.5))
    return Drawing(nodes, arrows, words=words, title=rule.name, radius=24)
