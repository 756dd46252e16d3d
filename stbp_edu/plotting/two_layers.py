"""Two steps and two layers of a neuron: each kind of arrow numbered, its factor in a list below."""

from itertools import product

from stbp_edu.arrows.mathml import mathml
from stbp_edu.arrows.models import Network
from stbp_edu.arrows.table import Arrow, placed
from stbp_edu.plotting import drawing
from stbp_edu.plotting.drawing import Drawing
from stbp_edu.plotting.palette import ABOVE, INK, NEXT
from stbp_edu.plotting.svg_figure import Shown, show

GAP = 1.75  # rows from the last state of a layer to the first of the next
ASIDE = 0.26  # every other state stands so far to the right, so that no arrow hides another
STEPS = ("t-1", "t", "t+1")
PHONE = (  # where no style sheet of a page says so
    "<style>.figure-narrow{display:none}@media (max-width:30em){.figure-wide{display:none}"
    ".figure-narrow{display:block}}</style>"
)


def draw(net: Network) -> Shown:
    """Return the picture of the last two layers of a network, at steps t and t + 1.

    >>> from stbp_edu import LIF
    >>> from stbp_edu.arrows import network, soft_reset
    >>> draw(network("1-1-1", soft_reset(LIF())))
    [Figure: Two steps and two layers of a neuron with the states u, o. Arrows in each layer: spike
    from u to o; carry from u to the next u; reset from o to the next u. Between layers: weight.]
    """
    order = net.layers[net.N].neuron.order
    tall, middle = len(order) - 1 + GAP, (len(order) - 1) / 2
    nodes = {
        (state, step, layer): drawing.Node(
            (step + ASIDE * (k % 2), tall * layer + k), state, state == "o"
        )
        for step, layer, (k, state) in product((0, 1), (0, 1), enumerate(order))
    }
    kinds = {  # by the ends of each arrow
        ((a.source, step, layer), (a.target, step + a.step, layer + a.layer)): a
        for _, step, layer in nodes
        for a in net.arrows[net.N - 1 + layer]
    }
    kinds = {ends: arrow for ends, arrow in kinds.items() if ends[1] in nodes}
    first = {arrow.kind: ends for ends, arrow in reversed(kinds.items())}
    numbered = [*dict.fromkeys(arrow.kind for arrow in kinds.values())]
    arrows = []
    for (tail, head), arrow in kinds.items():
        (x, y), (X, Y) = nodes[tail].at, nodes[head].at
        passes = x == X and abs(Y - y) > 1  # a state that stands between
        label = str(numbered.index(arrow.kind) + 1) if first[arrow.kind] == (tail, head) else ""
        colour = NEXT if arrow.step else ABOVE if arrow.layer else INK
        arrows.append(drawing.Arrow(tail, head, colour, label, -0.2 * passes, width=1.5))
    below = "".join(
        f"<tr><td>{k}</td><td>{kind}</td><td>{mathml(_factor(kinds[first[kind]]))}</td></tr>"
        for k, kind in enumerate(numbered, 1)
    )
    columns = {ASIDE / 2: "t", 1 + ASIDE / 2: "t + 1"}
    picture = Drawing(nodes, arrows, columns, {middle: "n", middle + tall: "n + 1"})
    return show(picture, alt=_described(net), below=f"{PHONE}<table>{below}</table>")


def _factor(arrow: Arrow) -> str:
    """Return an arrow's factor as LaTeX."""
    if arrow.link:
        return "W"
    letters = f"{arrow.letters}1" if arrow.letters in ("", "-") else arrow.letters
    return placed(letters, lambda k: f"^{{{STEPS[k + 1]}}}")


def _described(net: Network) -> str:
    """Return the picture in words."""
    neuron = net.layers[net.N].neuron
    inside = "; ".join(
        f"{a.kind} from {a.source} to {'the next ' * a.step}{a.target}" for a in neuron.arrows
    )
    between = ", ".join(dict.fromkeys(a.kind for a in net.arrows[net.N - 1] if a.link))
    return (
        f"Two steps and two layers of a neuron with the states {', '.join(neuron.order)}. Arrows "
        f"in each layer: {inside}. Between layers: {between}."
    )
