"""For teachers: problem sets made of the tasks, and what a class answered to them.

- ``problem_set``: the plan of a problem set, and its variants;
- ``notebooks``: the notebooks and the rubric that are written from a plan, and the templates;
- ``answers``: the one answer to a task in a submitted notebook;
- ``sandbox``: the process that an answer runs in;
- ``judge``: the verdicts on one submission;
- ``marking``: all submissions of a folder;
- ``class_report``: the tables and the page "The mistakes of the class".
"""
