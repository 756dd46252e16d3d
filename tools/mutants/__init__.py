"""Changes the package in one place at a time, and asks which tests and oracles notice.

mutmut and cosmic-ray stop at the first test that fails; here it is asked which of several judges
saw a change. ``changes`` lists the changes of a file, ``fork`` runs a changed file in a process of
its own, ``judges`` asks the oracles and the tests, ``survivors`` reads the kept list of changes
that change nothing, and ``__main__`` writes the record.
"""
