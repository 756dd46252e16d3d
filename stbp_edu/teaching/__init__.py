"""For teachers: problem sets made of the tasks, and what a class answered to them.

- ``problem_set``: the plan of a problem set, and its variants;
- ``notebooks``: the notebooks that are written from a plan, and the answers in what comes back;
- ``wall``: what keeps an answer from everything else: bubblewrap;
- ``sandbox``: the program that runs behind the wall, and runs an answer;
- ``messages``: what the judge and that program send each other;
- ``judge``: the verdicts on one submission;
- ``class_report``: all submissions of a folder, and the page "The mistakes of the class".
"""
