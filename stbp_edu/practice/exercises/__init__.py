"""The exercises: what is asked, what their functions are called with, and what is right.

- ``catalogue``: the exercises, and ``formula_blanks``: the derivation blanks;
- ``mistakes``: the wrong answers that have a name;
- ``inputs``: what an exercise's function is called with, from ``probe_networks`` (networks with a
  forward pass) or ``drawn_inputs`` (random draws);
- ``references``: what answers are compared with;
- ``tables``: where in the course an exercise stands;
- ``content/``: the tables themselves.
"""

from stbp_edu.practice.exercises.catalogue import Exercise, Function, exercise_of, exercises
from stbp_edu.practice.exercises.formula_blanks import SUFFIX, FormulaBlank, blanks
from stbp_edu.practice.exercises.inputs import Inputs, inputs_of
from stbp_edu.practice.exercises.mistakes import Mistake
from stbp_edu.practice.exercises.probe_networks import ForwardPass, draw_network, step_name
from stbp_edu.practice.exercises.tables import course_table, pointer

__all__ = [
    "SUFFIX",
    "Exercise",
    "FormulaBlank",
    "ForwardPass",
    "Function",
    "Inputs",
    "Mistake",
    "blanks",
    "course_table",
    "draw_network",
    "exercise_of",
    "exercises",
    "inputs_of",
    "pointer",
    "step_name",
]
