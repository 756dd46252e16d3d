"""What is right or wrong with a reader's function or formula.

- ``exercise_check`` and ``formula_check``: grade a function or a formula;
- ``calling``: call a reader's function safely, and undo what it does besides;
- ``answer``: what came beside what is right, and where the two differ;
- ``search``: the one search for a mistake, over the ``places`` of the solution, with what may stand
  there by the table of ``hypotheses``; where nothing does, the answer's terms;
- ``epsilon_fit``: whole backward passes, case by case;
- ``algebra``: read formulas and compare them.
"""

from stbp_edu.practice.grading.exercise_check import check, grade
from stbp_edu.practice.grading.formula_check import check_formula

__all__ = ["check", "check_formula", "grade"]
