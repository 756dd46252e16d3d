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
from itertools import chain, islice
from operator import attrgetter, is_
from types import FunctionType, ModuleType
from typing import Any

from stbp_edu.practice.tasks import blanks, exercises

GRADERS = ("stbp_edu.practice.grading", "stbp_edu.practice.feedback", "stbp_edu.practice.saved")
PARTS = ("__code__", "__defaults__", "__kwdefaults__")
"""What may be exchanged within a function of the graders."""
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
    (sys.modules.copy, sys.modules.update),
    (gc.isenabled, lambda was: gc.enable() if was else gc.disable()),
)


@contextmanager
def undone() -> Iterator[Callable[[], None]]:
    """Undo at the end of a block what changed in it; yield what undoes at once what graders use."""
    holders, tables, near, functions = _held(tuple(sys.modules))
    first = [(table, dict(table)) for table in tables[:2]]  # the names that undo() needs itself
    sizes, keys, values = [*map(len, tables)], [*chain(*tables)], _values(tables)
    parts = [parts_of(function) for function in functions]
    settings = [(get, put, get()) for get, put in SETTINGS]

    def undo(many: int = near) -> None:
        for table, before in first:
            table.update(before)
        now = [*map(len, tables[:many])]
        if now != sizes[:many] or not all(map(is_, _values(tables[:many]), values)):
            entries = zip(keys, values, strict=True)
            for holder, table, size in zip(holders[:many], tables, sizes, strict=False):
                _put_back(holder, table, dict(islice(entries, size)))
        for function, each in zip(functions, parts, strict=True):
            for name, part in zip(PARTS, each, strict=True):
                if getattr(function, name) is not part:
                    setattr(function, name, part)
        for get, put, setting in settings:
            if get() is not setting:
                put(setting)

    try:
        yield undo
    finally:
        undo(len(tables))


def _values(tables: Iterable[Table]) -> list[Any]:
    """Return what tables hold, in one row."""
    return [*chain(*(table.values() for table in tables))]


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
def _held(names: tuple[str, ...]) -> tuple[list[Any], list[Any], int, list[FunctionType]]:
    """Return what holds the names that grading uses, with its tables, and the graders' functions.

    Names are held by modules, by their classes, and by this package's dicts and tasks. The number
    says how many of the first are the graders' own, or what these use.
    """
    graders = [sys.modules[name] for name in names if name.startswith(GRADERS)]
    public = [sys.modules[name] for name in names if name.startswith("numpy") and "._" not in name]
    ours = [sys.modules[name] for name in names if name.startswith("stbp_edu")]
    first = dict.fromkeys([builtins, sys.modules[__name__], *graders, *_used(graders), *public])
    modules = dict.fromkeys([*first, *ours, *_used(ours)])
    classes = dict.fromkeys(
        value
        for module in modules
        for value in vars(module).values()
        if issubclass(type(value), type) and value.__module__ == module.__name__  # asks no instance
    )
    dicts = [value for module in ours for value in vars(module).values() if type(value) is dict]
    tasks = exercises(), blanks()
    holders: list[Any] = [
        *modules,
        *(kind for kind in classes if not kind.__flags__ & 1 << 8),  # which is closed to changes
        *(task for known in tasks for task in known.values()),
    ]
    tables: list[Any] = [*map(vars, holders), *{id(x): x for x in dicts}.values()]
    holders += [None] * (len(tables) - len(holders))
    held = (value for x in holders[: len(modules)] for value in vars(x).values())
    functions = {
        x for x in held if type(x) is FunctionType and str(x.__module__).startswith(GRADERS)
    }
    return holders, tables, len(first), [*functions]


def _used(modules: Iterable[ModuleType]) -> Iterator[ModuleType]:
    """Yield the modules that stand in others, or that what stands there comes from."""
    for value in (value for module in modules for value in vars(module).values()):
        is_module = type(value) is ModuleType
        found = value if is_module else sys.modules.get(str(getattr(value, "__module__", "")))
        if type(found) is ModuleType:
            yield found
