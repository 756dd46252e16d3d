"""Call a function, keep what comes of it as plain data, and undo what it does besides.

Nothing that a reader's function does gets out of here but plain data, or a ``Difference`` that
says why there is none: no exception, no print, no change of the arguments, no object of its own.

An answer is any Python, and runs in the process that grades it. What it puts in place of a name,
in a module that grading uses, in a class of these, or in a table of this package, is taken out
again, so that it changes neither its verdict nor a later one. What one process cannot stop: an
answer may walk the frames of its callers, read a solution, leave a thread that goes on, or change
an object from inside. Where marks depend on it, run each answer in a process of its own.
"""

import builtins
import contextlib
import copy
import gc
import io
import linecache
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from operator import is_
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.tasks import Function, tasks
from stbp_edu.practice.tasks import names as tables

PAIRS = (("W", "b"), ("U", "O"))
"""The attributes by which gradients and traces are compared."""
LONGEST_RANGE, LONGEST_TEXT = 10**6, 300
OWN = (__file__, tables.__file__)
"""The files whose lines call a reader's function, and are none of it."""
GRADERS = (
    "stbp_edu.practice.grading",
    "stbp_edu.practice.feedback",
    "stbp_edu.practice.saved",
)
WITHIN = ("__code__", "__defaults__", "__kwdefaults__")
"""What may be exchanged within a function of the graders."""


@dataclass(frozen=True)
class Difference:
    """The first place where a value is not what it should be, or why there is no value."""

    kind: str  # "problem", "type", "shape", "nan" or "value"
    message: str  # what differs, with the place; which of several results it is, first
    error: str = ""  # the exception that was raised, its kind first


Part = Array | frozenset[Any]
Outcome = dict[str, Part] | Difference | None
"""What comes of one call: its results by name, why there are none, or None for a blank."""


def call(
    function: Function, args: Sequence[Any], like: Any, parts: Sequence[str] = ()
) -> Outcome:
    """Return what comes of a reader's function for copies of ``args``, shaped as ``like`` is."""
    with np.errstate(
        all="ignore"
    ):  # a division by zero shows up as a NaN, which is explained
        return _outcome(function, copy.deepcopy(args), like, parts, is_ours=False)


def tried(
    function: Function, args: Sequence[Any], like: Any, parts: Sequence[str] = ()
) -> Outcome:
    """Return what comes of one of the package's own functions; of an error, which it is."""
    copied = (list, np.random.Generator)  # arrays are closed to changes
    given = [copy.deepcopy(a) if isinstance(a, copied) else a for a in args]
    outcome = _outcome(function, given, like, parts, is_ours=True)
    if (
        isinstance(outcome, Difference) and "read-only" in outcome.message
    ):  # it works in place
        return _outcome(function, copy.deepcopy(args), like, parts, is_ours=True)
    return outcome


def _outcome(
    function: Function,
    args: Sequence[Any],
    like: Any,
    parts: Sequence[str],
    *,
    is_ours: bool,
) -> Outcome:
    """Return what a function gives as plain data, or what it raises."""
    try:
        return plain(function(*args), like, parts)
    except BaseException as error:  # an answer may raise what is no Exception
        if type(error) is KeyboardInterrupt:
            raise  # the reader's own, at the keyboard or by the Stop button
        return _problem(error, "" if is_ours else _place_of(error))


def _problem(error: BaseException, place: str) -> Difference | None:
    """Return what an exception says; None where what is not filled in is the reason."""
    kind = type(error).__name__
    try:
        text = str(error)[:LONGEST_TEXT]
    except BaseException:
        text = f"an object of type {kind} that cannot be shown"
    # An "..." that is left inside a formula is a blank, not a mistake.
    if isinstance(error, NotImplementedError) or (
        kind == "TypeError" and "ellipsis" in text
    ):
        return None
    if isinstance(error, SystemExit):
        return Difference(
            "problem", "It ends the program (exit or sys.exit): return a value."
        )
    message = f"It raises {kind}: {text}{place}."
    if isinstance(error, NameError):  # a name without a value has several texts
        kind, text = "NameError", "".join(text.split("'")[1:2])
    return Difference("problem", message, f"{kind}: {text}")


def _place_of(error: BaseException) -> str:
    """Return at which expression an exception came, and in which line."""
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if f.filename not in OWN
    ]
    if not frames:
        return " when it is called; keep the arguments of the stub"
    frame, line = (
        frames[0],
        linecache.getline(frames[0].filename, frames[0].lineno or 0),
    )
    is_one_line = frame.lineno == frame.end_lineno
    part = (
        line.encode()[frame.colno : frame.end_colno].decode(errors="replace")
        * is_one_line
    )
    if part.strip() and part.strip() != frame.line:
        return f", at `{part.strip()}` in `{frame.line}`"
    return f", at `{frame.line}`" if frame.line else ""


def plain(value: Any, like: Any, parts: Sequence[str] = ()) -> Outcome:
    """Return a value as plain data in the structure of ``like``; no code of an answer is left."""
    if isinstance(value, Difference):
        return value
    if _is_blank(value):
        return None
    found: dict[str, Part] = {}
    for name, part in _results(value, like, "", parts):
        if isinstance(part, str):
            return Difference("type", f"{name}: {part}" if name else part)
        found[name] = part
    return found


def _is_blank(value: Any) -> bool:
    """Return whether a value is what an unfilled stub returns: None, ``...``, or such a tuple."""
    several = isinstance(value, tuple) and bool(value) and all(map(_is_blank, value))
    return several or value is None or value is Ellipsis


def _results(
    got: Any, want: Any, name: str, parts: Sequence[str]
) -> Iterator[tuple[str, Any]]:
    """Yield the name of each result, and what it is, or why it can be none."""
    for pair in PAIRS:
        if all(hasattr(want, part) for part in pair):
            want, parts = tuple(getattr(want, part) for part in pair), pair
            with contextlib.suppress(
                Exception
            ):  # whatever an object's own __getattr__ does
                got = tuple(getattr(got, part) for part in pair)
    if not isinstance(want, (tuple, list)):
        yield name, _part(got, want)
        return
    if isinstance(got, np.ndarray) and {got.shape} == {
        (len(want), *np.shape(w)) for w in want
    }:
        got = tuple(got)
    several = isinstance(got, (tuple, list))
    if not several or len(got) != len(want):
        came = f"{len(got)} results" if several else f"one {what_it_is(got)} alone"
        named = (
            f" ({', '.join(parts)})" if parts else ", None first" * (want[0] is None)
        )
        yield name, f"it returns {came}, where {len(want)} are expected{named}"
        return
    for k, (value, right) in enumerate(zip(got, want, strict=True)):
        if right is not None:
            yield from _results(
                value, right, parts[k] if k < len(parts) else f"{name}[{k}]", ()
            )


def _part(value: Any, want: Any) -> Part | str:
    """Return real numbers as an array of their own, cells (t, n) as a set, or why it is neither."""
    with contextlib.suppress(
        Exception
    ):  # whatever an object's own __array__ or __iter__ does
        if isinstance(want, (set, frozenset)):
            return frozenset(tuple(int(i) for i in cell) for cell in value)
        if isinstance(value, np.ma.MaskedArray):
            value = np.ma.filled(value.astype(float), np.nan)
        is_huge = isinstance(value, range) and len(value) > LONGEST_RANGE
        array = np.array(
            "" if value is None or is_huge else value
        )  # or gigabytes of few bytes
        if array.dtype.kind == "c" and not array.imag.any():
            array = array.real  # the numbers are real, whatever type they have
        if array.dtype.kind in "bfiuO":
            return array if array.dtype.kind in "bf" else array.astype(float)
    return f"it returns {what_it_is(value)}, where {kind_of(want)} is expected"


def kind_of(value: Any) -> str:
    """Return what a right result is, in words."""
    if isinstance(value, (set, frozenset)):
        return "a set of cells (t, n)"
    return f"shape {np.shape(value)}" if np.shape(value) else "one number"


def what_it_is(value: Any) -> str:
    """Return what a value is that can be no answer, and what to do."""
    kind = type(value).__name__
    if callable(value):
        return f"`{getattr(value, '__name__', kind)}`, which is not called (brackets call it)"
    if isinstance(value, Iterator):
        return f"{kind}, whose values are not computed yet (list(...) computes them)"
    if isinstance(value, (complex, np.ndarray, np.generic)) and np.iscomplexobj(value):
        return "complex numbers (a root or a power of a negative number?)"
    return f"{kind} that makes no array" if isinstance(value, (list, tuple)) else kind


SETTINGS: tuple[Any, ...] = (
    (sys.gettrace, sys.settrace),
    (sys.getprofile, sys.setprofile),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (gc.isenabled, lambda was: gc.enable() if was else gc.disable()),
)
"""What returns a setting of the program, and what sets it."""


@contextlib.contextmanager
def undone() -> Iterator[io.StringIO]:
    """Undo at the end of a block what changed in it; yield what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        held, own = _held(tuple(sys.modules))
        before = [(holder, table, dict(table)) for holder, table in held]
        settings = [(get, put, get()) for get, put in (*SETTINGS, *own)]
        try:
            yield printed
        finally:
            for _, table, was in before[:2]:  # the names that are used below
                table.update(was)
            for holder, table, was in before:
                if len(table) != len(was) or not all(
                    map(is_, table.values(), was.values())
                ):
                    _put_back(holder, table, was)
            for get, put, setting in settings:
                if get() is not setting:
                    put(setting)


def _put_back(holder: Any, now: Any, before: dict[Any, Any]) -> None:
    """Make a table of names what it was; that of a class takes no names itself."""
    is_class = isinstance(holder, type)
    put = partial(setattr, holder) if is_class else now.__setitem__
    drop = partial(delattr, holder) if is_class else now.__delitem__
    with contextlib.suppress(AttributeError, TypeError):
        for name in [
            n for n in now if n not in before and not isinstance(now[n], ModuleType)
        ]:
            drop(name)  # it may hide another; but a module is an import
    for name, value in before.items():
        with contextlib.suppress(
            AttributeError, TypeError
        ):  # a few of a class cannot be set
            if name not in now or now[name] is not value:
                put(name, value)


@cache
def _held(names: tuple[str, ...]) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """Return what holds the names that grading uses, each with its table, and its own functions.

    That is this package and NumPy, the modules that stand in it or that what stands there comes
    from, the classes of all these, this package's dicts and tasks, the environment, the modules.
    """
    ours = [sys.modules[name] for name in names if name.startswith("stbp_edu")]
    public = [
        sys.modules[name]
        for name in names
        if name.startswith("numpy") and "._" not in name
    ]
    used = [value for module in ours for value in vars(module).values()]
    origins = (
        str(getattr(v, "__module__", "")) for v in used if type(v) is not ModuleType
    )
    found = [
        builtins,
        sys.modules[__name__],
        *ours,
        *public,
        *used,
        *map(sys.modules.get, origins),
    ]
    modules = dict.fromkeys(m for m in found if type(m) is ModuleType)
    values = [(module, value) for module in modules for value in vars(module).values()]
    classes = [
        value
        for module, value in values
        if issubclass(type(value), type)  # which asks no instance
        and value.__module__ == module.__name__
        and not value.__flags__ & 1 << 8  # closed to changes
    ]
    holders = dict.fromkeys((*modules, *classes, *tasks().values()))
    held = [(holder, vars(holder)) for holder in holders]
    dicts = [value for value in used if type(value) is dict]
    functions = {value for value in used if type(value) is FunctionType}
    parts = [
        (partial(getattr, f, part), partial(setattr, f, part))
        for f in functions
        if str(f.__module__).startswith(GRADERS)
        for part in WITHIN
    ]
    return [
        *held,
        *((None, table) for table in (os.environ, sys.modules, *dicts)),
    ], parts
