"""For teachers: problem sets made of the tasks, and what a class answered to them.

- ``problem_set``: the plan of a problem set, and its variants;
- ``own_tasks``: a teacher's own tasks, with numbers that differ for each student;
- ``notebooks``: the notebooks that are written from a plan, and the code of what comes back;
- ``wall``: what keeps an answer from everything else: bubblewrap;
- ``sandbox``: the program that runs behind the wall, and runs an answer;
- ``messages``: what the judge and that program send each other;
- ``student_function``: a student's function, run behind the wall, to be called here;
- ``slips``: a slip of the keyboard, told apart from a misunderstanding;
- ``judge``: the verdicts on one submission;
- ``roster``: the students of a class, and whose a submitted file is;
- ``submissions``: all files of a folder, each graded;
- ``class_report``: what they say together, and the page "The mistakes of the class";
- ``gradebook``: the points of a class, and files for Moodle and Canvas.
"""
