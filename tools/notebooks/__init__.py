"""Executes the notebooks, so that the same source gives the same file."""

from tools.notebooks.execution import FOLDED, OUTPUT_FOLDED, NotebookError, execute, normalise

__all__ = ["FOLDED", "OUTPUT_FOLDED", "NotebookError", "execute", "normalise"]
