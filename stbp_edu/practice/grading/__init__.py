"""What is right or wrong with a reader's function or formula.

An answer is called, compared with the right one, and then explained, by one search:

- ``verdict``: grade a function or a formula, and say where it differs;
- ``answer``: what came of each call, read as numbers, beside what is right;
- ``hypotheses``: the places of a solution, and what may stand in one of them instead;
- ``search``: which mistake with a name, or which of these, gives the answer;
- ``cases``: whole backward passes, case by case.
"""

from stbp_edu.practice.grading.verdict import check, check_formula, grade

__all__ = ["check", "check_formula", "grade"]
