"""What the home page shows: how long the shortest path is, a picture for each card, a cell."""

import nbformat

from stbp_edu import backward, cases, derive, forward, plotting
from stbp_edu.explorers.pencil_network import pencil
from stbp_edu.verify import finite_difference
from tools.pages.paths_page import SHORT, core, times
from tools.pages.records import figure_html
from tools.site.render.notebook_page import Notebook

GRID_ALT = (
    "The grid of three time steps and two layers. The number of its case stands in each "
    "cell."
)


NEURON = "u = tau * u * (1 - o) + x\no = spike(u - v_th)"


def names() -> dict[str, object]:
    """Return the names in ``docs/index.md``."""
    derived, measured = one_spike()
    kept, cut = (one_bias(rule) for rule in ("exact", "detached-reset"))
    return {
        "evening": times()[SHORT],
        "core": core(),
        "grid": figure_html(plotting.grid(3, 2), GRID_ALT),
        "derived": derived,
        "measured": measured,
        "kept": kept,
        "cut": cut,
    }


def notebook() -> Notebook:
    """Return the cell that can be run on the page, and what it shows, as a notebook."""
    source = (
        "import stbp_edu\n\n"
        f'neuron = stbp_edu.derive("""\n{NEURON}\n""", tau=0.5, v_th=1.0)\n'
        "neuron.graph()"
    )
    data, metadata = derive(NEURON, tau=0.5, v_th=1.0).graph()._repr_mimebundle_()
    shown = nbformat.v4.new_output("display_data", data=data, metadata=metadata)
    cell = nbformat.v4.new_code_cell(source, outputs=[shown], id="derive")
    return Notebook("home", title="", markdown="", cells=[cell])


def one_bias(rule: str) -> str:
    """Return the gradient of one bias of the pencil network under a rule."""
    net = pencil()
    grads = backward(net.trace, net.targets, net.params, net.neuron, rule=rule)
    return f"{grads.b[1][0]:.4f}"


def one_spike() -> tuple[str, str]:
    """Return δ of one spike of the pencil network's twin: by the five cases, and measured."""
    net = pencil()
    spikes, neuron = net.trace.O[0], net.neuron
    twin = forward(spikes, net.params, neuron, spike=neuron.H)
    derived = cases.sweep(twin, net.targets, net.params, neuron).delta
    measured = finite_difference.derivatives(
        spikes, net.targets, net.params, neuron
    ).delta
    n, t, s, i = 2, 0, 0, 0
    return f"{derived[n][t, s, i]:.5f}", f"{measured[n][t, s, i]:.5f}"
