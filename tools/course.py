"""What the course consists of, and how to read its parts: used by the rules of the form."""

from __future__ import annotations

import importlib
import re
from typing import Any

from tools.notebooks import ROOT

COURSE = (
    "00_map",
    "01_neuron",
    "02_network",
    "03_adjoints",
    "04_surrogates",
    "05_case1",
    "06_case2",
    "07_case3",
    "08_case4",
    "09_gradients",
    "10_all_together",
    "11_missing_paths",
    "12_digits",
    "13_what_matters",
    "14_full_speed",
)


def code_cells(notebook: Any) -> list[Any]:
    """Return the code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook: Any) -> str:
    """Return all text cells, joined."""
    return "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def plain(latex: str) -> str:
    """Return LaTeX without what does not count: white space."""
    return re.sub(r"\s+", "", latex)


def exists(dotted: str) -> bool:
    """Return whether a dotted name can be imported or looked up."""
    parts = dotted.split(".")
    for k in range(len(parts), 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(parts[:k]))
        except ImportError:
            continue
        for attribute in parts[k:]:
            thing = getattr(thing, attribute, None)
        return thing is not None
    return False


def all_tests() -> str:
    """Return the source of every test."""
    return "\n".join(p.read_text("utf-8") for p in sorted((ROOT / "tests").rglob("test_*.py")))
