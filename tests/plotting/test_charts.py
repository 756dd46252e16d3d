"""What each chart shows."""

import numpy as np

from stbp_edu import plotting
from stbp_edu.plotting import figure


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


def test_learning_curve_counts_epochs_from_one_and_errors_have_a_logarithmic_axis():
    ax = plotting.learning_curve(figure()[1], {"exact": [50.0, 80.0], "classic": [50.0, 70.0]})
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [1, 2])
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()
    ax = plotting.error_vs(figure()[1], [1, 2], {"exact": [1e-3, 1e-1]}, "T")
    assert ax.get_yscale() == "log"
