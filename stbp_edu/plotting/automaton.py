"""A rule as an automaton: a circle for each state, an arrow for each move, a cross for none."""

from stbp_edu.arrows import Network, Rule
from stbp_edu.plotting.drawing import Arrow, Drawing, Node, Word
from stbp_edu.plotting.palette import INK, LOST


def automaton(rule: Rule, net: Network) -> Drawing:
    """Return the states of a rule in a row, the first in a halo, with the moves between them.

    A loop stands above its state, and below it, crossed, the arrows at which a word is dropped.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import RULES, hard_reset, network
    >>> net = network("1-1-1", hard_reset(LIF()))
    >>> [(a.tail, a.head, a.factor) for a in automaton(RULES["classic"], net).arrows][-1:]
    [('owes', 'free', 'spike')]
    """
    found: dict[str, dict[str | None, list[str]]] = {q: {} for q in rule.moves}
    for q, arrow, head in rule.met(net):  # under None those without a move
        kinds = found[q].setdefault(head, [])
        kinds += [arrow.kind] if arrow.kind not in kinds else []
    place = {q: 1.0 * k for k, q in enumerate(found)}
    many = 1 if len(place) > 2 else 2  # kinds in a line
    nodes = {q: Node((x, 0), q, round=True, asked=q == rule.start) for q, x in place.items()}
    arrows = [
        Arrow(q, head, INK, _listed(kinds, many), bow=0.16, width=1.5)
        for q, row in found.items()
        for head, kinds in row.items()
        if head is not None
    ]
    words = [
        Word((place[q], 0), "✕ " + _listed(row[None], many), by=(0, 48), colour=LOST)
        for q, row in found.items()
        if None in row
    ]
    return Drawing(nodes, arrows, words=words, title=rule.name, radius=24)


def _listed(kinds: list[str], many: int) -> str:
    """Return kinds of arrows, so many in a line."""
    return ",\n".join(", ".join(kinds[k : k + many]) for k in range(0, len(kinds), many))
