"""Undo what an answer does to the program that grades it.

An answer is any Python, and runs in the same process. What it puts in place of a name, in any
module of this package, in a public one of NumPy, in one that they use, in a class of these, or in
a table of this package, is taken out again, so that it changes neither its verdict nor a later
one. What one process cannot stop: an answer may walk the frames of its callers, read a solution,
leave a thread that goes on, or change an object from inside. Where marks depend on it, run each
answer in a process of its own.
"""

import builtins
import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from operator import is_
from types import FunctionType, ModuleType
from typing import Any

from stbp_edu.practice.tasks import blanks, exercises

GRADERS = ("stbp_edu.practice.grading", "stbp_edu.practice.feedback", "stbp_edu.practice.saved")
PARTS = ("__code__", "__defaults__", "__kwdefaults__")
"""What may be exchanged within a function of the graders."""


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
    (sys.modules.copy, sys.modules.update),
    (gc.isenabled, lambda was: gc.enable() if was else gc.disable()),
)


@contextmanager
def undone() -> Iterator[Callable[[], None]]:
    """Undo at the end of a block what changed in it; yield what undoes it at once."""
    held, functions = _held(tuple(sys.modules))
    before = [(holder, table, dict(table)) for holder, table in held]
    parts = [(f, part, getattr(f, part)) for f in functions for part in PARTS]
    settings = [(get, put, get()) for get, put in SETTINGS]

    def undo() -> None:
        for _, table, entries in before[:2]:  # the names that are used below
            table.update(entries)
        for holder, table, entries in before:
            if len(table) != len(entries) or not all(map(is_, table.values(), entries.values())):
                _put_back(holder, table, entries)
        for function, name, part in parts:
            if getattr(function, name) is not part:
                setattr(function, name, part)
        for get, put, setting in settings:
            if get() is not setting:
                put(setting)

    try:
        yield undo
    finally:
        undo()


def _put_back(holder: Any, now: Any, before: dict[Any, Any]) -> None:
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
def _held(names: tuple[str, ...]) -> tuple[list[tuple[Any, Any]], list[FunctionType]]:
    """Return what holds the names that grading uses, each with its table, and its own functions.

    Names are held by modules, by their classes, and by this package's dicts and tasks.
    """
    ours = [sys.modules[name] for name in names if name.startswith("stbp_edu")]
    public = [sys.modules[name] for name in names if name.startswith("numpy") and "._" not in name]
    first = builtins, sys.modules[__name__]
    modules = dict.fromkeys([*first, *ours, *public, *_used(ours)])
    values = [(module, value) for module in modules for value in vars(module).values()]
    classes = dict.fromkeys(
        value
        for module, value in values
        if issubclass(type(value), type)  # which asks no instance
        and value.__module__ == module.__name__
        and not value.__flags__ & 1 << 8  # closed to changes
    )
    tasks = [task for known in (exercises(), blanks()) for task in known.values()]
    tables = {id(v): v for m, v in values if type(v) is dict and m.__name__.startswith("stbp_edu")}
    held = [(holder, vars(holder)) for holder in (*modules, *classes, *tasks)]
    functions = [
        value
        for _, value in values
        if type(value) is FunctionType and str(value.__module__).startswith(GRADERS)
    ]
    return [*held, *((None, table) for table in tables.values())], [*dict.fromkeys(functions)]


def _used(modules: Iterable[ModuleType]) -> Iterator[ModuleType]:
    """Yield the modules that stand in others, or that what stands there comes from."""
    for value in (value for module in modules for value in vars(module).values()):
        is_module = type(value) is ModuleType
        found = value if is_module else sys.modules.get(str(getattr(value, "__module__", "")))
        if type(found) is ModuleType:
            yield found
