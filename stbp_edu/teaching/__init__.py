"""For teachers: problem sets made of the tasks, and what a class answered to them.

- ``problem_set``: the plan of a problem set, its variants, and a teacher's own tasks, with numbers
  that differ for each student;
- ``notebooks``: the notebooks that are written from a plan, for nbgrader;
- ``marks``: the points for an answer, when nbgrader runs a notebook, and the mistakes in the
  executed notebooks of a class.

nbgrader releases the notebooks, collects and runs what students hand in, and exports the marks.
"""
