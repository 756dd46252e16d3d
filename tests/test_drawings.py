"""What each drawing shows: the grid, the unrolled graph, and the charts."""

import numpy as np
import pytest

from stbp_edu import Gaussian, Rectangle, plotting
from stbp_edu.cases import case_at
from stbp_edu.plotting import figure


@pytest.mark.parametrize("lit", [{1}, {2}, {3}, {4}, {(2, 1)}])
def test_grid_lights_what_it_is_asked_to(lit):
    T, N = 4, 3
    ax = plotting.grid(figure()[1], T, N, lit=lit)
    bold = {tuple(t.get_position()) for t in ax.texts if t.get_fontweight() == "bold"}
    wanted = {
        (t, n)
        for t in range(1, T + 1)
        for n in range(1, N + 1)
        if {case_at(t - 1, n, T, N), (t, n)} & lit
    }
    assert bold == wanted


def test_case_five_lights_every_cell_and_labels_can_be_given():
    ax = plotting.grid(figure()[1], 2, 2, lit={5}, labels={(1, 1): "ε"})
    assert all(t.get_fontweight() == "bold" for t in ax.texts)
    assert sorted(t.get_text() for t in ax.texts) == ["", "", "", "ε"]


@pytest.mark.parametrize(("T", "N"), [(1, 1), (3, 2), (5, 4)])
def test_sweep_order_never_needs_a_cell_that_is_not_there_yet(T, N):
    done = set()
    for t, n in plotting.sweep_order(T, N):
        assert n == N or (t, n + 1) in done
        assert t == T or (t + 1, n) in done
        done.add((t, n))
    assert len(done) == T * N


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


@pytest.mark.parametrize("how", ["highlight", "dropped"])
def test_no_factor_lies_over_a_readout(how):
    arrows = [(tail, head) for kind, tail, head in plotting.edges(3, 2) if kind == "readout"]
    ax = plotting.unrolled(figure(height=3.6)[1], 3, 2, **{how: arrows})
    ax.figure.draw_without_rendering()
    paths = [a.get_path().transformed(a.get_transform()) for a in ax.patches if a.get_zorder() == 2]
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text() == "direct"]
    assert len(paths) == len(boxes) == len(arrows)
    assert not any(path.intersects_bbox(box, filled=False) for path in paths for box in boxes)


def test_graph_refuses_an_arrow_that_is_not_there():
    with pytest.raises(ValueError, match="must be arrows of the graph"):
        plotting.unrolled(figure()[1], 2, 1, highlight=[(("o", 2, 1), ("u", 1, 1))])


def test_raster_draws_each_spike_once():
    spikes = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    ax = plotting.raster(figure()[1], spikes)
    ticks = [segment[:, 0].mean() for segment in ax.collections[0].get_segments()]
    assert sorted(ticks) == [1, 3, 3]


def test_potential_marks_spikes_where_they_are():
    u, o = np.array([0.2, 1.1, 0.1, 1.4]), np.array([0.0, 1.0, 0.0, 1.0])
    ax = plotting.potential(figure()[1], u, o, v_th=1.0)
    spikes = next(line for line in ax.lines if line.get_label() == "spike")
    np.testing.assert_array_equal(spikes.get_xdata(), [2, 4])


@pytest.mark.parametrize(("which", "top"), [("derivative", 1.0), ("antiderivative", 1.0)])
def test_surrogate_draws_the_curve_asked_for(which, top):
    shapes = {"rectangle": Rectangle(a=1.0), "Gaussian": Gaussian(a=1.0)}
    ax = plotting.surrogate(figure()[1], shapes, which)
    line = next(line for line in ax.lines if line.get_label() == "rectangle")
    assert line.get_ydata().max() == top
    assert (line.get_ydata()[-1] == 0) == (which == "derivative")


def test_learning_curve_counts_epochs_from_one():
    ax = plotting.learning_curve(figure()[1], {"exact": [50.0, 80.0], "classic": [50.0, 70.0]})
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [1, 2])
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()


def test_errors_are_on_a_logarithmic_axis():
    ax = plotting.error_vs(figure()[1], [1, 2], {"exact": [1e-3, 1e-1]}, "T")
    assert ax.get_yscale() == "log"


def test_heat_and_confusion_write_their_numbers():
    ax = plotting.heat(figure()[1], np.array([[0.5, -1.0]]), digits=1)
    assert [t.get_text() for t in ax.texts] == ["0.5", "−1.0"]
    ax = plotting.confusion(figure()[1], np.array([[3, 0], [1, 2]]))
    assert [t.get_text() for t in ax.texts] == ["3", "1", "2"]
