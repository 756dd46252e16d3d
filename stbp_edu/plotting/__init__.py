"""Figures in one visual language; the only part of the package that knows matplotlib.

A chart is made by :func:`figure` and drawn on by functions that take and return axes. A graph is a
drawing, which its function returns. Both end as the last expression of their cell: ``show(...)``.
Drawings do without matplotlib; the first chart imports it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stbp_edu.plotting.case_grid import grid, poster, sweep_order, sweep_steps
from stbp_edu.plotting.graph import (
    automaton,
    edges,
    fan_out,
    path_edges,
    read_outs,
    states,
    unrolled,
)
from stbp_edu.plotting.palette import (
    CASE_COLOURS,
    DELTA,
    EPSILON,
    GRID,
    INK,
    SERIES,
    SPIKE,
)
from stbp_edu.plotting.svg_figure import Shown, show

if TYPE_CHECKING:
    from stbp_edu.plotting.charts import (
        curves,
        error_vs,
        figure,
        heat,
        learning_curve,
        potential,
        raster,
        surrogate,
    )

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
    "edges",
    "fan_out",
    "grid",
    "path_edges",
    "poster",
    "read_outs",
    "show",
]
__all__ += ["states", "sweep_order", "sweep_steps", "unrolled"]
__all__ += ["curves", "error_vs", "figure", "heat"]  # these need matplotlib
__all__ += ["learning_curve", "potential", "raster", "surrogate"]


def __getattr__(name: str) -> Any:
    """Return a name that needs matplotlib, which is imported when it is first used.

    Raises:
        AttributeError: if there is no such name.
        ImportError: if matplotlib is not installed.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.charts"), name)


def __dir__() -> list[str]:
    """Return the public names, also of what is not imported yet: an editor completes them."""
    return sorted(__all__)
