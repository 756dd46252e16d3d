"""What is right or wrong with a reader's function or formula.

- ``verdict``: grade a function or a formula;
- ``calling``: call a function, and read what it returns as plain data;
- ``answer``: what came beside what is right, and where the two differ;
- ``pairs``: two named mistakes at once;
- ``search``: the one search for a mistake; where no single one is found, the answer's terms;
- ``hypotheses``: the places of a solution, and what may be wrong in one of them;
- ``epsilon_fit``: whole backward passes, case by case;
- ``algebra``: read formulas and compare them.
"""

from stbp_edu.practice.grading.verdict import check, check_formula, grade

__all__ = ["check", "check_formula", "grade"]
