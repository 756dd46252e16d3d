"""Figures in one visual language; the only part of the package that knows matplotlib.

A chart is made by :func:`figure` and drawn on by functions that take and return axes. A graph is a
drawing, which its function returns. Both end as the last expression of their cell: ``show(...)``.
"""

try:
    import matplotlib  # noqa: F401 - the error says how to install it
except ImportError as error:
    raise ImportError(
        f"figures need matplotlib; run: pip install 'stbp-edu[plot]' ({error})"
    ) from None

from stbp_edu.plotting.case_grid import grid, poster, sweep_order, sweep_steps
from stbp_edu.plotting.charts import (
    confusion,
    curves,
    error_vs,
    heat,
    learning_curve,
    potential,
    raster,
    surrogate,
)
from stbp_edu.plotting.graph import edges, path_edges, unrolled
from stbp_edu.plotting.neuron_arrows import automaton, fan_out, read_outs, states
from stbp_edu.plotting.palette import (
    CASE_COLOURS,
    DELTA,
    EPSILON,
    GRID,
    INK,
    SERIES,
    SPIKE,
    style,
)
from stbp_edu.plotting.svg_figure import Shown, figure, show

__all__ = [
    "CASE_COLOURS",
    "DELTA",
    "EPSILON",
    "GRID",
    "INK",
    "SERIES",
    "SPIKE",
    "Shown",
]
__all__ += [
    "automaton",
    "confusion",
    "curves",
    "edges",
    "error_vs",
    "fan_out",
    "figure",
]
__all__ += ["grid", "heat", "learning_curve", "path_edges", "poster", "potential"]
__all__ += [
    "raster",
    "read_outs",
    "show",
    "states",
    "style",
    "surrogate",
    "sweep_order",
]
__all__ += ["sweep_steps", "unrolled"]
