"""What is right or wrong with a reader's function or formula.

- ``exercise_check``: grade a function, and ``diagnosis``: what is wrong with it;
- ``call``: call the function safely, and ``differences``: compare what it returns;
- ``constant_factor``, ``single_changes``: describe a mistake that has no name;
- ``formula_check``: grade a formula, and ``algebra``: read formulas and compare them.
"""

from stbp_edu.practice.grading.exercise_check import check, grade
from stbp_edu.practice.grading.formula_check import check_formula

__all__ = ["check", "check_formula", "grade"]
