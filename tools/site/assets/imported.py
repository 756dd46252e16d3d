"""What a page's Python has imported when it starts. Runs inside Pyodide, where it is built."""

import gc
import importlib
import logging

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
importlib.invalidate_caches()
for name in ("page_runner", "stbp_edu.arrows", "stbp_edu.practice.explorers"):
    importlib.import_module(name)
plotting = importlib.import_module("stbp_edu.plotting")
fig, ax = plotting.figure()
plotting.curves(ax, [0, 1], {"a line": [0, 1]})
plotting.show(fig, alt="A line that rises from 0 to 1.")
del fig, ax, plotting, name
importlib.import_module("matplotlib.font_manager")._get_font.cache_clear()  # open files
importlib.import_module(
    "matplotlib.text"
)._get_text_metrics_with_cache_impl.cache_clear()
gc.collect()
gc.disable()  # until the libraries in C are there again
gc.freeze()
del gc, importlib, logging
