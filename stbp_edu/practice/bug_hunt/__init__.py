"""The bug hunt: read a backward pass that has one bug, and name its case, term and symptom.

- ``program``: a right backward pass, the five cases in one function;
- ``changes.toml``: what is changed in it, by the expression that is changed;
- ``bugs``: the programs with one change each;
- ``symptoms``: on which networks a bug shows, measured;
- ``answers``: what the reader sees.
"""

from stbp_edu.practice.bug_hunt.answers import Hunt, hunt

__all__ = ["Hunt", "hunt"]
