"""Undo what an answer does to the program that grades it.

An answer is any Python, and runs in the same process. What it puts in place of a function, a class
or an attribute of this package, of NumPy or of Python's own is taken out again, so that it changes
neither its verdict nor a later one. What one process cannot stop: an answer may walk the frames of
its callers, read a solution, leave a thread that goes on, or change an object from inside. Where
marks depend on it, run each answer in a process of its own.
"""

import builtins
import copy
import inspect
import math
import operator
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from stbp_edu.practice import saved_progress
from stbp_edu.practice.tasks import blanks, exercises

OUTER = (builtins, copy, inspect, math, operator, pickle, np, np.linalg, np.random)
"""The modules that grading uses and that are not of this package."""
GRADERS = ("stbp_edu.practice.grading", "stbp_edu.practice.feedback", "stbp_edu.practice.saved")
PLACES = (saved_progress.VARIABLE, "XDG_DATA_HOME", "HOME")
"""The variables that say where progress is kept."""
Table = dict[Any, Any]


@contextmanager
def undone() -> Iterator[Callable[[], None]]:
    """Undo at the end of a block what changed in it; yield what undoes most of it at once."""
    own = [name for name in [*sys.modules] if name.startswith("stbp_edu")]
    own.sort(key=lambda name: not name.startswith(GRADERS))
    parts = (
        *OUTER,
        *(sys.modules[name] for name in own),
        *exercises().values(),
        *blanks().values(),
    )
    tables: list[Table] = [*map(vars, parts), exercises(), blanks()]
    names = [(table, dict(table)) for table in tables]
    traced, profiled = sys.gettrace(), sys.getprofile()
    places = {name: os.environ.get(name) for name in PLACES}
    near = tuple(name for name in own if name.startswith(GRADERS))
    inside = _defined(near)
    try:
        yield lambda: _put_back(names[: len(OUTER) + len(near)])
    finally:
        _put_back(names)
        for part, before in inside:
            _mend(part, before)
        for name, place in places.items():
            os.environ.pop(name, None)
            if place is not None:
                os.environ[name] = place
        if sys.gettrace() is not traced:
            sys.settrace(traced)
        if sys.getprofile() is not profiled:
            sys.setprofile(profiled)


def _put_back(tables: Sequence[tuple[Table, Table]]) -> None:
    """Make tables of names what they were."""
    for now, before in tables:
        now.update(before)
        if len(now) > len(before):  # a name too many may hide another; but a module is an import
            for name in now.keys() - before.keys():
                if not isinstance(now[name], ModuleType):
                    del now[name]


@cache
def _defined(modules: tuple[str, ...]) -> list[tuple[Any, Table]]:
    """Return the classes and functions that modules define, each with what is inside."""
    defined = {id(x): x for name in modules for x in vars(sys.modules[name]).values()}.values()
    ours = [x for x in defined if getattr(x, "__module__", "") in modules]
    parts = ("__code__", "__defaults__", "__kwdefaults__")
    classes = [(x, dict(vars(x))) for x in ours if isinstance(x, type)]
    return classes + [
        (x, {part: getattr(x, part) for part in parts}) for x in ours if type(x) is FunctionType
    ]


def _mend(part: Any, before: Table) -> None:
    """Put back what was inside a class or a function."""
    if not isinstance(part, type):
        for name, value in before.items():
            if getattr(part, name) is not value:
                setattr(part, name, value)
        return
    if [*map(id, vars(part).values())] == [*map(id, before.values())]:
        return
    for name in vars(part).keys() - before.keys():
        delattr(part, name)
    for name, value in before.items():
        if vars(part).get(name) is not value:
            setattr(part, name, value)
