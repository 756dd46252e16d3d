"""Executes the notebooks, and writes their numbers and times."""

from tools.notebooks.execution import FOLDED, OUTPUT_FOLDED, NotebookError, execute, normalise

__all__ = ["FOLDED", "OUTPUT_FOLDED", "NotebookError", "execute", "normalise"]
