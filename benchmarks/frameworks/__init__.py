"""One training step of this project beside that of the frameworks, in one run.

Each candidate runs in a process of its own, in its own module here; the processes take turns.
"""
