"""Exercises that say what is wrong with an answer, and tools to check a backward pass of your own.

- ``tasks``: the exercises and derivation blanks: what is asked, and what is right;
- ``grading``: what is right or wrong with an answer;
- ``own_backward``: a reader's own backward pass, checked case by case, and what it learns;
- ``feedback``: what the reader sees, hints, solutions and folded answers included;
- ``bug_hunt``: backward passes with one bug each, to be found by reading;
- ``progress``: what is done, what was expected of a measurement, and the file that remembers both.

>>> from stbp_edu.practice import check
>>> check("c3-epsilon", lambda delta, h, epsilon_next, f: ...)
c3-epsilon: not attempted yet.
  Fill in the function and run the cell again; `hint("c3-epsilon")` helps.
"""

from stbp_edu.practice.feedback import (
    Feedback,
    FoldedAnswer,
    Hint,
    Solution,
    answer,
    hint,
    solution,
)
from stbp_edu.practice.grading import check, check_formula
from stbp_edu.practice.grading.cases import CaseReport
from stbp_edu.practice.own_backward import (
    NetworkReport,
    by_autograd,
    check_network,
    learn,
)
from stbp_edu.practice.progress import (
    Prediction,
    Progress,
    predict,
    progress_report,
)
from stbp_edu.practice.tasks import exercises

__all__ = [
    "CaseReport",
    "Feedback",
    "FoldedAnswer",
    "Hint",
    "NetworkReport",
    "Prediction",
    "Progress",
    "Solution",
    "answer",
    "by_autograd",
    "check",
    "check_formula",
    "check_network",
    "exercises",
    "hint",
    "learn",
    "predict",
    "progress_report",
    "solution",
]
