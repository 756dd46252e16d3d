"""Executes the notebooks, so that the same source gives the same file."""

from tools.notebooks.execution import NotebookError, execute, normalise

__all__ = ["NotebookError", "execute", "normalise"]
