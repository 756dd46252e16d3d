"""The unrolled graph: every arrow, what is highlighted, what is struck out."""

import pytest

from stbp_edu import plotting
from stbp_edu.plotting import figure


def test_graph_knows_every_arrow():
    kinds = [kind for kind, _, _ in plotting.edges(T=4, N=3)]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counts == {"spike": 12, "weight": 12, "carry": 9, "reset": 9, "readout": 4}


def test_graph_highlights_and_strikes_out():
    path = [("o", 1, 1), ("u", 2, 1), ("o", 2, 1), "L"]
    cut = [(("u", 1, 1), ("u", 2, 1))]
    ax = plotting.unrolled(figure()[1], 2, 1, highlight=plotting.path_edges(path), dropped=cut)
    factors = [t.get_text() for t in ax.texts if t.get_text() not in ("u", "o", "L")]
    assert sorted(factors) == sorted(["u f′", "h", "direct", "f"])
    assert sum(line.get_marker() == "x" for line in ax.lines) == 1


def test_graph_refuses_an_arrow_that_is_not_there():
    with pytest.raises(ValueError, match="must be arrows of the graph"):
        plotting.unrolled(figure()[1], 2, 1, highlight=[(("o", 2, 1), ("u", 1, 1))])


def test_two_doors_are_the_two_arrows_that_leave_a_potential_but_the_last():
    ax = plotting.two_doors(figure(height=3.6)[1], 3, 2, t=2)
    assert [t.get_text() for t in ax.texts if t.get_text() in ("h", "f", "u f′", "W")] == ["h", "f"]
    assert not any(line.get_marker() == "x" for line in ax.lines)  # nothing is struck out
    for t in (0, 3):
        with pytest.raises(ValueError, match="from 1 to T - 1 = 2"):
            plotting.two_doors(figure()[1], 3, 1, t=t)
