"""A text of forward lines, read node by node of Python's ``ast``; nothing of it is run.

A text may have 20 lines of 200 characters and 8 states, a name 20 letters, and an expression 400
numbers, names and operations when the reader's functions are written out. So whatever comes is
read and derived in a second or two, drawn and proved in half a minute, and in 200 MB.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from typing import Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.lines.expressions import (
    ONE,
    SIGNS,
    Function,
    args_of,
    call,
    evaluate,
    names_in,
    nodes_in,
    op_of,
    python,
    size,
    symbol,
    with_args,
    written_out,
)
from stbp_edu.lines.forward_lines import ForwardLines, spikes
from stbp_edu.lines.operations import FUNCTIONS, OPERATIONS

MOST_LINES = 20
LONGEST_LINE = 200  # characters
MOST_STATES = 8
LONGEST_NAME = 20
LARGEST = 400  # numbers, names and operations
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
EXPONENT = 100  # what a number in an exponent may be
UNDERSTOOD = (
    f"understood are numbers, names, + - * / **, brackets, {', '.join(FUNCTIONS)}, and "
    "functions that a line above defines"
)
WEIGHTS = ("W", "b", "R")
TAKEN = (
    *("x", "h", "L", "signal", "minimum", "maximum", "at_least", "norm"),
    *FUNCTIONS,
)
MARKED = re.compile(r"_.*|[dg]_.*|.*_(next|last)")  # names of a program's own
NOT_FREE = (
    f"choose another name; it may have {LONGEST_NAME} letters; not free are "
    f"{', '.join(TAKEN)}, the layer's {', '.join(WEIGHTS)}, words of Python, _..., d_..., g_..., "
    "..._next and ..._last"
)


class LineError(ValueError):
    """A line that is not understood: it shows the line, the place, and what would be."""


@dataclass(frozen=True)
class Line:
    """One line of a text: its number, where its right side begins, and what it assigns.

    ``args`` are those of a function that it defines; of a state or a constant they are None.
    """

    text: str
    number: int
    start: int
    name: str = ""
    args: list[str] | None = None

    @property
    def right(self) -> str:
        """Its right side."""
        return self.text[self.start :]

    @property
    def is_number(self) -> bool:
        """Whether it gives a constant its value."""
        return self.args is None and bool(NUMBER.fullmatch(self.right))

    def error(self, place: int | ast.AST, problem: str, advice: str) -> LineError:
        """Return an error, with a mark below a place, or a node of the right side."""
        if isinstance(place, ast.AST):
            before = self.right.encode()[: getattr(place, "col_offset", 0)]
            place = self.start + len(before.decode(errors="ignore"))
        shown = "".join(sign if sign.isprintable() else "?" for sign in self.text)
        if len(shown) > LONGEST_LINE:
            shown = f"{shown[:60]} ..."
        mark = " " * min(place, len(shown) - 1) + "^"
        return LineError(
            f"line {self.number}: {problem}\n    {shown}\n    {mark}\n{advice}"
        )


def read_lines(
    text: str,
    constants: Mapping[str, float],
    defaults: Mapping[str, float] | None = None,
) -> ForwardLines:
    """Return the lines of a neuron.

    Args:
        text: a line for each state, for each function of the reader's own, and for constants that
            it gives itself; lines end in a semicolon, too.
        constants: the values of other names.
        defaults: of names that have no value otherwise.

    Raises:
        LineError: if a line is not understood; it shows the line and the place.
        TypeError, ValueError: if it is not a text, or a constant is not a number or not read.
    """
    for name in constants:
        if not _is_free(name):
            raise ValueError(f"no constant can be called {name}; {NOT_FREE}")
    constants = {name: checks.number(name, value) for name, value in constants.items()}
    every: dict[str, Line] = {}
    for line in _split(checks.instance("text", text, str)):
        if line.name in every:
            first = every[line.name].number
            advice = (
                "put all that changes it into one line, or give the second another name"
            )
            raise line.error(0, f"{line.name} has a line already, line {first}", advice)
        every[line.name] = line
    lines = [line for line in every.values() if not line.is_number]
    states = [line.name for line in lines if line.args is None]
    if not 1 <= len(lines) <= MOST_LINES or len(states) > MOST_STATES:
        raise ValueError(
            f"text must have 1 to {MOST_LINES} lines and at most {MOST_STATES} states, got "
            f"{len(lines)} and {len(states)}; write one line for each state, such as "
            "u = tau * u + x"
        )
    reading = _Reading(states, constants, defaults or {})
    for line in sorted(every.values(), key=lambda line: not line.is_number):
        reading.take(line)
    found = ForwardLines(
        "\n".join(line.text for line in lines), reading.lines, constants
    )
    if wrong := found.disconnected():
        state, problem, advice = wrong
        raise every[state].error(0, problem, advice)
    unread = sorted(constants.keys() - {*names_in(*found.lines.values())})
    if unread:
        raise ValueError(
            f"no line reads {', '.join(unread)}; leave it out, or use it in a line"
        )
    return found


def _split(text: str) -> Iterator[Line]:
    """Yield the lines of a text."""
    for number, whole in enumerate(text.split("\n"), 1):
        code, _, _ = whole.partition("#")
        for part in filter(str.strip, code.split(";")):
            line = apart(part.strip(), number)
            if not _is_free(line.name):
                raise line.error(0, f"{line.name} cannot be assigned", NOT_FREE)
            yield line


def apart(text: str, number: int) -> Line:
    """Return a line apart at its first equals sign."""
    left, sign, right = text.partition("=")
    start = len(text) - len(right.lstrip())
    line = Line(text, number, start)
    if len(text) > LONGEST_LINE:
        advice = f"a line may have {LONGEST_LINE} characters; define a function in its own line"
        raise line.error(0, f"it has {len(text)} characters", advice)
    match parsed(left) if sign else None:
        case ast.Name(id=name):
            return replace(line, name=name)
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as args, keywords=[]):
            return replace(line, name=name, args=[ast.unparse(arg) for arg in args])
    advice = (
        "write one state, or one function: u = tau * u + x, or f(o) = tau * (1 - o)"
    )
    raise line.error(0, "a line must assign one name", advice)


def parsed(text: str) -> ast.expr | Exception:
    """Return a text as Python parses it, or why it does not."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return error


def _is_free(name: str) -> bool:
    """Return whether a state, a constant or a function may have a name."""
    taken = name in (*TAKEN, *WEIGHTS) or iskeyword(name) or MARKED.fullmatch(name)
    return not taken and len(name) <= LONGEST_NAME


def _check_numbers(line: Line, tree: ast.expr) -> None:
    """Check that what is made of numbers alone is finite, and 1 over each divisor."""
    for node in nodes_in(written_out(tree)):
        part = call("/", ONE, args_of(node)[1]) if op_of(node) == "/" else node
        if names_in(part):
            continue
        with np.errstate(all="ignore"):
            value = evaluate(part, {})
        if not np.isfinite(value):
            advice = "a part without names must be finite; change a number in it"
            raise line.error(line.start, f"{python(part)} is {value}", advice)


@dataclass
class _Reading:
    """What has been read so far: the values of constants, the lines of states, and functions."""

    states: list[str]
    constants: dict[str, float]
    defaults: Mapping[str, float]
    lines: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)

    def take(self, line: Line) -> None:
        """Read one line more."""
        name, args = line.name, line.args
        if name in self.constants:
            advice = f"leave {name}= out, or give the line another name"
            raise line.error(0, f"{name} is a constant, too", advice)
        if line.is_number:
            self.constants[name] = checks.number(name, float(line.right))
            return
        for arg in args or ():
            free = arg in WEIGHTS or (arg.isidentifier() and _is_free(arg))
            if not free or line.args.count(arg) > 1:  # type: ignore[union-attr]
                advice = (
                    f"write {name}(o) = ..., with a name of its own for each argument"
                )
                place = line.text.find("(") + 1
                raise line.error(place, f"{arg!r} is not an argument", advice)
        tree = self._expression(line)
        self._check_spike(line, tree)
        if args is None:
            _check_numbers(line, tree)
            self.lines[name] = tree
        else:
            parameters = tuple(f"_{arg}" for arg in args)
            self.functions[name] = Function(symbol(name), parameters, tree)

    def _expression(self, line: Line) -> ast.expr:
        """Return the right side of a line."""
        node = parsed(line.right)
        if isinstance(node, Exception):
            offset = getattr(node, "offset", 0) or 1
            said = getattr(node, "msg", str(node)) or "too many brackets in a row"
            problem = f"not understood: {said}"
            raise line.error(line.start + offset - 1, problem, UNDERSTOOD)
        tree = self._tree(line, node)
        if size(tree) > LARGEST:
            advice = f"use at most {LARGEST} operations"
            raise line.error(node, "too long when written out", advice)
        return tree

    def _tree(self, line: Line, node: ast.expr) -> ast.expr:
        """Return a node and what is below it, once all of it is understood."""
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(
                value, bool
            ):
                if not math.isfinite(value) or abs(value) > 1e300:
                    advice = "numbers may go up to 1e300"
                    raise line.error(node, "a number too large", advice)
                return ast.Constant(value)
            case ast.Name():
                return self._name(line, node)
            case ast.UnaryOp(op=ast.UAdd(), operand=a):
                return self._tree(line, a)
            case ast.BinOp(op=sign) | ast.UnaryOp(op=sign) if type(sign) in SIGNS:
                given = args_of(node)
                args = [self._tree(line, arg) for arg in given]
                if isinstance(sign, ast.Pow) and not names_in(args[1]):
                    number: Any = getattr(args[1], "operand", args[1])
                    if getattr(number, "value", math.inf) > EXPONENT:
                        advice = (
                            f"a number there may go up to {EXPONENT}; otherwise give a constant "
                            "a name"
                        )
                        problem = "an exponent that is not understood"
                        raise line.error(given[1], problem, advice)
                return with_args(node, args)
            case ast.Call(func=ast.Name(), keywords=[]):
                return self._call(line, node)
        shown = ast.get_source_segment(line.right, node) or type(node).__name__
        raise line.error(node, f"not understood: {shown}", UNDERSTOOD)

    def _name(self, line: Line, node: ast.Name) -> ast.Name:
        """Return a name as an expression has it."""
        name, args = node.id, line.args
        if name in (*self.functions, *FUNCTIONS):
            raise line.error(node, f"{name} is a function", f"call it: {name}(...)")
        if args is not None and name in args:
            return ast.Name(f"_{name}")
        if name in self.constants:
            return ast.Name(name)
        if name == "x" or name in self.states:
            if args is None:
                above = name in ("x", *self.lines)
                return ast.Name(name if above else f"{name}_last")
        elif name in self.defaults:
            self.constants[name] = self.defaults[name]
            return ast.Name(name)
        if args is not None:
            advice = (
                f"give it as one, {line.name}({', '.join([*args, name])}) = ..., or a value to a "
                f"constant, as in {name} = 0.5"
            )
            raise line.error(node, f"{line.name} has no argument {name}", advice)
        known = ", ".join(("x", *self.states, *self.constants))
        problem = f"{name} has no value; known are {known}"
        advice = f"give it one, as in {name} = 0.5, or add a line for it"
        raise line.error(node, problem, advice)

    def _call(self, line: Line, node: ast.Call) -> ast.expr:
        """Return the call of a function."""
        func: Any = node.func
        name, many = func.id, len(node.args)
        own = self.functions.get(name)
        if not own and name not in FUNCTIONS:
            known = ", ".join((*FUNCTIONS, *self.functions))
            advice = (
                f"known are {known}; define another in a line above: {name}(o) = ..."
            )
            raise line.error(node, f"no function is called {name}", advice)
        takes = len(own.parameters) if own else len(OPERATIONS[name].slopes)
        if many != takes:
            arguments = "1 argument" if takes == 1 else f"{takes} arguments"
            advice = f"write {name}({', '.join('abcdefgh'[:takes])})"
            raise line.error(node, f"{name} takes {arguments}, got {many}", advice)
        args = [self._tree(line, arg) for arg in node.args]
        return own(*args) if own else call(name, *args)

    def _check_spike(self, line: Line, tree: ast.expr) -> None:
        """Check that a spike is the whole line of a state, and that it is the only one."""
        alone = line.args is None and spikes(tree)
        inside = args_of(tree) if alone else [tree]
        if any(spikes(node) for part in inside for node in nodes_in(part)):
            where = "an expression" if line.args is None else "a function"
            problem = f"spike inside {where}"
            advice = "put it on a line of its own: o = spike(u - v_th)"
        elif alone and any(map(spikes, self.lines.values())):
            problem = "a second spike"
            advice = "a neuron has one; make the other a smooth function"
        else:
            return
        raise line.error(line.text.find("spike", line.start), problem, advice)
