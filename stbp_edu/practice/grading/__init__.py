"""What is right or wrong with a reader's function or formula.

- ``exercise_check`` and ``formula_check``: grade a function or a formula;
- ``calling``: call the function safely, and ``outcomes``: on every input of an exercise;
- ``structure``, ``differences``, ``results``: what came, and where it differs;
- ``diagnosis``: what is said of a wrong answer, the mistake by its name if it has one;
- ``unnamed_mistakes``: what is said of the others, by a constant factor, by ``single_changes`` of
  the right answer, by the ``steps`` of a recursion (``rows``, ``epsilon_fit``), or by asking the
  function itself: ``locate``;
- ``locate`` asks a ``probe`` for the one part that explains the answer (``blame``, with
  ``formula_parts`` and ``inlining``), for changed inputs (``substitutions``), for ``terms``, for
  ``responses``, and ``where`` it is wrong, with the words of ``relations``;
- ``algebra``: read formulas and compare them.
"""

from stbp_edu.practice.grading.exercise_check import check, grade
from stbp_edu.practice.grading.formula_check import check_formula

__all__ = ["check", "check_formula", "grade"]
