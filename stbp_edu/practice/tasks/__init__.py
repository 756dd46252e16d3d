"""The exercises: what is asked, what their functions are called with, and what is right.

- ``catalogue``: the exercises and the derivation blanks, and the wrong answers that have a name;
- ``inputs``: what an exercise's function is called with: quantities of networks, or random draws;
- ``programs``: answers and tables as the text of programs, the names that they are written in, and
  the functions that they define;
- ``content/``: the tables of all these, and of the place of each exercise in the course.
"""

from stbp_edu.practice.tasks.catalogue import (
    Exercise,
    FormulaBlank,
    Task,
    blanks,
    chosen,
    course_table,
    exercises,
    misconceptions,
    objectives,
    tasks,
)
from stbp_edu.practice.tasks.inputs import (
    ForwardPass,
    Inputs,
    draw_network,
    inputs_of,
    points,
    situations,
    step_name,
)
from stbp_edu.practice.tasks.programs import AnswerFunction

__all__ = [
    "AnswerFunction",
    "Exercise",
    "FormulaBlank",
    "ForwardPass",
    "Inputs",
    "Task",
    "blanks",
    "chosen",
    "course_table",
    "draw_network",
    "exercises",
    "inputs_of",
    "misconceptions",
    "objectives",
    "points",
    "situations",
    "step_name",
    "tasks",
]
