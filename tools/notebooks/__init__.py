"""Executes the notebooks and checks the form of the course.

- ``execution``: runs a notebook on a fresh kernel; the same source gives the same bytes.
- ``notebook_rules``: the form of the course, as rules that report what a notebook violates.

``python -m tools.notebooks run`` executes, ``python -m tools.notebooks check`` applies the rules.
"""

from tools.notebooks.execution import NotebookError, execute, normalise
from tools.notebooks.notebook_rules import RULES, findings

__all__ = ["RULES", "NotebookError", "execute", "findings", "normalise"]
