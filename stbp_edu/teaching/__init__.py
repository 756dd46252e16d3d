"""For teachers: problem sets made of the tasks, and what a class answered to them.

- ``problem_set``: the plan of a problem set, and its variants;
- ``notebooks``: the notebooks that are written from a plan, and the answers in what comes back;
- ``sandbox``: the process that an answer runs in;
- ``judge``: the verdicts on one submission;
- ``class_report``: all submissions of a folder, and the page "The mistakes of the class".
"""
