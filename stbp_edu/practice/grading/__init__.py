"""What is right or wrong with a reader's function or formula.

An answer is called, compared with the right one, and then explained, by one search:

- ``verdict``: grade a function or a formula;
- ``calling``: call a function, and read what it returns as numbers; what a stub leaves open;
- ``answer``: what came beside what is right, and where the two differ;
- ``named``: the mistakes that have a name, and two of them at once;
- ``hypotheses``: the places of a solution, and what may stand in one of them instead;
- ``search``: which of these gives the answer;
- ``cases``: whole backward passes, case by case;
- ``formulas``: read formulas and compare them.
"""

from stbp_edu.practice.grading.verdict import check, check_formula, grade

__all__ = ["check", "check_formula", "grade"]
