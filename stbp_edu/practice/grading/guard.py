"""Undo what an answer does to the program that grades it.

An answer is any Python, and runs in the same process. What it puts in place of a name, in any
module of this package, of NumPy, or that they use, in a class of these, or in a function or table
of this package, is taken out again, so that it changes neither its verdict nor a later one. What
one process cannot stop: an answer may walk the frames of its callers, read a solution, leave a
thread that goes on, or change an object from inside. Where marks depend on it, run each answer in
a process of its own.
"""

import builtins
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import chain
from operator import attrgetter, is_
from types import FunctionType, ModuleType
from typing import Any

from stbp_edu.practice.tasks import blanks, exercises

OURS = ("stbp_edu", "numpy")
PARTS = ("__code__", "__defaults__", "__kwdefaults__")
"""What may be exchanged within a function."""
Table = dict[Any, Any]
parts_of = attrgetter(*PARTS)


def set_environment(before: dict[str, str]) -> None:
    """Make the environment's variables what they were."""
    if before != os.environ:
        os.environ.clear()
        os.environ.update(before)


SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (sys.gettrace, sys.settrace),
    (sys.getprofile, sys.setprofile),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (os.environ.copy, set_environment),
)


@contextmanager
def undone() -> Iterator[Callable[[], None]]:
    """Undo at the end of a block what changed in it; yield what undoes it at once."""
    holders, functions = _holders(tuple(sys.modules))
    tasks = exercises(), blanks()
    every = [*holders, *tasks, *(task for known in tasks for task in known.values())]
    tables = [(x, x if type(x) is dict else vars(x)) for x in every]
    names = [(holder, table, dict(table)) for holder, table in tables]
    parts = [*map(parts_of, functions)]
    settings = [(put, get()) for get, put in SETTINGS]

    def undo() -> None:
        for _, table, before in names[:2]:  # what is built in, and this module: what undoes it
            table.update(before)
        for holder, now, before in names:
            if not _same(now.values(), before.values()):
                _put_back(holder, now, before)
        if not _same(chain(*map(parts_of, functions)), chain(*parts)):
            for function, each in zip(functions, parts, strict=True):
                for name, part in zip(PARTS, each, strict=True):
                    setattr(function, name, part)
        for put, setting in settings:
            put(setting)

    try:
        yield undo
    finally:
        undo()


def _same(now: Any, before: Any) -> bool:
    """Return whether two rows hold the same objects."""
    now, before = [*now], [*before]
    return len(now) == len(before) and all(map(is_, now, before))


def _put_back(holder: Any, now: Any, before: Table) -> None:
    """Make a table of names what it was; that of a class takes no names itself."""
    more = [n for n in now if n not in before and not isinstance(now[n], ModuleType)]
    if not isinstance(holder, type):
        now.update(before)
        for name in more:  # it may hide another; but a module is an import
            del now[name]
        return
    changed = [name for name, value in before.items() if now.get(name) is not value]
    with suppress(AttributeError, TypeError):  # a few names of a class cannot be set
        for name in more:
            delattr(holder, name)
        for name in changed:
            setattr(holder, name, before[name])


@cache
def _holders(names: tuple[str, ...]) -> tuple[list[Any], list[FunctionType]]:
    """Return what holds the names that grading uses, and the functions of this package.

    These are modules, their classes, and this package's dicts.
    """
    ours = [sys.modules[name] for name in names if name.partition(".")[0] in OURS]
    values = [value for module in ours for value in vars(module).values()]
    direct = [value for value in values if type(value) is ModuleType]
    others = [value for value in values if type(value) is not ModuleType]
    used = [sys.modules.get(str(getattr(value, "__module__", ""))) for value in others]
    modules = dict.fromkeys([builtins, sys.modules[__name__], *ours, *direct])
    modules |= dict.fromkeys(module for module in used if type(module) is ModuleType)
    inside = dict.fromkeys(
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    )
    holders = [*modules, *(x for x in inside if not x.__flags__ & 1 << 8)]  # closed to changes
    held = {id(x): x for holder in holders for x in vars(holder).values()}.values()
    functions = (x for x in held if type(x) is FunctionType)
    tables = {id(x): x for x in values if type(x) is dict}.values()
    return [*holders, *tables], [x for x in functions if x.__module__.startswith(OURS[0])]
