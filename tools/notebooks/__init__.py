"""Executes the notebooks, and checks the form of the course."""

from tools.notebooks.execution import NotebookError, execute, normalise
from tools.notebooks.notebook_rules import RULES, findings

__all__ = ["RULES", "NotebookError", "execute", "findings", "normalise"]
