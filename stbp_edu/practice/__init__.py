"""Exercises that say what is wrong with an answer, and tools to check a backward pass of your own.

>>> from stbp_edu.practice import check
>>> check("c3-epsilon", lambda delta, h, epsilon_next, f: ...)
c3-epsilon: not attempted yet.
  Fill in the function and run the cell again; `hint("c3-epsilon")` helps.
"""

from stbp_edu.practice.exercises.exercise import catalogue as exercises
from stbp_edu.practice.feedback import Feedback, Hint, Solution
from stbp_edu.practice.grading.formulas import check_formula
from stbp_edu.practice.grading.grade import check
from stbp_edu.practice.network_check.report import CaseReport, NetworkReport, check_network
from stbp_edu.practice.overview import Progress, hint, solution
from stbp_edu.practice.overview import report as progress_report

__all__ = [
    "CaseReport",
    "Feedback",
    "Hint",
    "NetworkReport",
    "Progress",
    "Solution",
    "check",
    "check_formula",
    "check_network",
    "exercises",
    "explorers",
    "hint",
    "progress_report",
    "solution",
]
