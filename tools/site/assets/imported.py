"""What a page's Python has imported when it starts. Runs inside Pyodide, where it is built."""

import gc
import importlib
import logging

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
importlib.invalidate_caches()

import matplotlib.font_manager
import matplotlib.text

import stbp_edu.arrows
import stbp_edu.practice
from stbp_edu import plotting


def draw():
    """Import what is imported when a figure is drawn."""
    fig, ax = plotting.figure()
    plotting.grid(ax, 3, 2)
    plotting.show(fig, alt="A grid of three layers over two steps.")._repr_svg_()


draw()
matplotlib.font_manager._get_font.cache_clear()  # open files
matplotlib.text._get_text_metrics_with_cache_impl.cache_clear()
gc.collect()
gc.disable()  # until the libraries in C are there again
gc.freeze()
