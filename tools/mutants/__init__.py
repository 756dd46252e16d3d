"""Changes the package in one place at a time, and asks which tests and oracles notice.

Neither mutmut nor cosmic-ray asks which of several judges saw a mutant: both stop at the first test
that fails. ``changes`` lists the changes of a file, ``fork`` runs a changed file in a process of its
own, ``judges`` asks the oracles and the tests, and ``__main__`` writes the record.
"""
