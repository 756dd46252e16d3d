"""A rule as an automaton: a circle for each state, an arrow for each move, a cross for none."""

from collections import defaultdict
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch

from stbp_edu.arrows import Network, Rule
from stbp_edu.plotting.palette import INK, LOST, style

APART = 2.6
"""From one state to the next."""

Moves = dict[str, dict[str | None, list[str]]]
"""By state, the kinds of arrows that lead to each state; under None those without a move."""


def moves(rule: Rule, net: Network) -> Moves:
    """Return the moves of a rule that words of a network can take.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import RULES, hard_reset, network
    >>> moves(RULES["classic"], network("1-1-1", hard_reset(LIF())))["owes"]
    {'free': ['spike'], None: ['carry']}
    """
    found: Moves = {q: defaultdict(list) for q in rule.moves}
    for q, arrow, head in rule.met(net):
        if arrow.kind not in found[q][head]:
            found[q][head].append(arrow.kind)
    return {q: {head: kinds for head, kinds in row.items() if kinds} for q, row in found.items()}


@style()
def automaton(ax: Axes, rule: Rule, net: Network) -> Axes:
    """Draw the states of a rule in a row, the first on the left, with the moves between them.

    A loop stands above its state, and below it, crossed, the arrows at which a word is dropped.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import RULES, hard_reset, network
    >>> from stbp_edu.plotting import figure
    >>> net = network("1-1-1", hard_reset(LIF()))
    >>> len(automaton(figure()[1], RULES["exact"], net).texts)
    2
    """
    found = moves(rule, net)
    place = {q: APART * k for k, q in enumerate(found)}
    many = 1 if len(place) > 2 else 2  # kinds in a line
    circles = {q: Circle((x, 0), 0.45, fill=False, ec=INK, lw=1.2) for q, x in place.items()}
    circles[rule.start].set_linewidth(2.4)
    for q, row in found.items():
        x = place[q]
        ax.add_patch(circles[q])
        _write(ax, x, 0, q)
        for head, kinds in row.items():
            if head is None:
                _write(ax, x, -0.62, "✕ " + _listed(kinds, many), LOST, va="top")
            elif head == q:
                _move(ax, (x - 0.2, 0.4), (x + 0.2, 0.4), bow=-1.6)
                _write(ax, x, 0.88, _listed(kinds, many), va="bottom")
            else:
                ends = {"patchA": circles[q], "patchB": circles[head]}
                _move(ax, (x, 0), (place[head], 0), bow=-0.3, **ends)
                above = place[head] > x and many > 1  # no space between loops that are close
                at = (x + place[head]) / 2, 0.52 if above else -0.5
                _write(ax, *at, _listed(kinds, many), va="bottom" if above else "top")
    ax.set(
        xlim=(-1.2, max(APART, *place.values()) + 1.2),
        ylim=(-1.4, 1.9),
        aspect="equal",
        title=rule.name,
    )
    ax.axis("off")
    return ax


def _move(
    ax: Axes, tail: tuple[float, float], head: tuple[float, float], bow: float, **ends: Circle
) -> None:
    """Draw a bowed arrow, between two circles where these are given."""
    form: Any = {"arrowstyle": "-|>", "mutation_scale": 10, "shrinkA": 2, "shrinkB": 2, **ends}
    ax.add_patch(FancyArrowPatch(tail, head, connectionstyle=f"arc3,rad={bow}", color=INK, **form))


def _listed(kinds: list[str], many: int) -> str:
    """Return kinds of arrows, so many in a line."""
    return ",\n".join(", ".join(kinds[k : k + many]) for k in range(0, len(kinds), many))


def _write(ax: Axes, x: float, y: float, text: str, colour: str = INK, va: str = "center") -> None:
    ax.text(x, y, text, ha="center", va=va, size=9, color=colour)
