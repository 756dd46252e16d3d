"""A text of forward lines, read: which names are new, which are old, and which are constants."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from keyword import iskeyword

import numpy as np

from stbp_edu._support import checks
from stbp_edu.lines.expressions import (
    ONE,
    Function,
    args_of,
    call,
    evaluate,
    names_in,
    nodes_in,
    op_of,
    ops_in,
    python,
    written_out,
)
from stbp_edu.lines.forward_lines import ForwardLines, reachable, spikes
from stbp_edu.lines.latex import symbol
from stbp_edu.lines.operations import FUNCTIONS
from stbp_edu.lines.reading import (
    LONGEST_LINE,
    Line,
    Reader,
    advice_on,
    advice_on_name,
)

MOST_LINES = 20
MOST_STATES = 8
LONGEST_TEXT = 20_000
LEFT = re.compile(r"\s*(\w+)\s*(?:\(([\w\s,]*)\))?\s*")
SPIKES = ("o", "s", "z", "S", "spk", "out")
"""What the state that spikes is often called."""
CALLED = ("minimum", "maximum", "at_least", "norm", *FUNCTIONS)
TAKEN = ("x", "h", "L", "signal", *CALLED)
WEIGHTS = {"W": "matrix of weights", "b": "bias", "R": "matrix of recurrent weights"}
"""A layer's parameters beside the constants that it learns."""
MARKED = re.compile(r"_.*|[dg]_.*|.*_(next|last)")  # names of a program's own
LONGEST_NAME = 20
NOT_FREE = (
    f"it may have {LONGEST_NAME} letters; not free are {', '.join((*TAKEN, *WEIGHTS))}, words of "
    "Python, _..., d_..., g_..., ..._next and ..._last"
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
            raise ValueError(
                f"no constant can be called {name}; choose another name; {NOT_FREE}"
            )
    constants = {name: checks.number(name, value) for name, value in constants.items()}
    every = list(_split(text))
    lines = [line for line in every if not line.is_number]
    if not 1 <= len(lines) <= MOST_LINES:
        raise ValueError(
            f"text must have 1 to {MOST_LINES} lines, got {len(lines)}; write one line for each "
            "state, such as u = tau * u + x"
        )
    states = [line.name for line in lines if line.args is None]
    if len(states) > MOST_STATES:
        raise ValueError(
            f"text must have at most {MOST_STATES} states, got {len(states)}"
        )
    fires = any("spike" in line.right for line in lines)
    reading = _Reading(states, constants, defaults or {}, fires)
    for line in sorted(every, key=lambda line: not line.is_number):
        reading.take(line)
    written = "\n".join(line.text for line in lines)
    found = ForwardLines(written, reading.lines, constants)
    _check_connected(found, {line.name: line for line in lines})
    unread = sorted(constants.keys() - {*names_in(*found.lines.values())})
    if unread:
        raise ValueError(
            f"no line reads {', '.join(unread)}; leave it out, or use it in a line"
        )
    return found


def _check_connected(found: ForwardLines, lines: Mapping[str, Line]) -> None:
    """Check that the input reaches every state, and every state the output."""
    reads = {}
    for state, tree in found.lines.items():
        reads[state] = {name.removesuffix("_last") for name in names_in(tree)}
    if not any("x" in names for names in reads.values()):
        advice = (
            "x is the weighted input; add it where input enters, as in u = tau * u + x"
        )
        raise [*lines.values()][-1].error(0, "no line up to here reads x", advice)

    def readers(name: str) -> list[str]:
        """Return the states whose lines read a name."""
        return [state for state in reads if name in reads[state]]

    reached = reachable(["x"], readers)
    for state in reads:
        if state not in reached:
            advice = "let its line read x or a state that x reaches, or give a constant by its name"
            raise lines[state].error(0, f"no input reaches {state}", advice)
    output = found.output
    needed = reachable([output], lambda state: reads.get(state, ()))
    for state in reads:
        if state not in needed:
            advice = f"let a line on the way to {output} read it, or leave it out"
            problem = f"{output} does not depend on {state}"
            raise lines[state].error(0, problem, advice)

    def heads(state: str) -> list[str]:
        """Return where the arrows from a state lead: where a line has a slope by it."""
        return [slope.target for slope in found.slopes if slope.source == state]

    if output not in reachable([found.input], heads):
        problem = (
            f"{output} does not change with the input, since what it reads cancels"
        )
        raise lines[output].error(0, problem, "leave out what cancels, such as v - v")


def _split(text: str) -> Iterator[Line]:
    """Yield the lines of a text, each apart at its first equals sign."""
    if len(checks.instance("text", text, str)) > LONGEST_TEXT:
        raise ValueError(
            f"text must have at most {LONGEST_TEXT} characters, got {len(text)}; comments count"
        )
    seen: dict[str, int] = {}
    for number, whole in enumerate(text.split("\n"), 1):
        code, _, _ = whole.partition("#")
        for part in filter(str.strip, code.split(";")):
            line = _apart(part.strip(), number)
            if not _is_free(line.name):
                advice = f"choose another name; {NOT_FREE}"
                if line.name in WEIGHTS:
                    advice = (
                        f"{line.name} is the layer's {WEIGHTS[line.name]}; {advice}"
                    )
                raise line.error(0, f"{line.name} cannot be assigned", advice)
            if line.name in seen:
                problem = f"{line.name} has a line already, line {seen[line.name]}"
                advice = "put all that changes it into one line, or give the second another name"
                raise line.error(0, problem, advice)
            seen[line.name] = number
            yield line


def _is_free(name: str) -> bool:
    """Return whether a state, a constant or a function may have a name."""
    taken = (*TAKEN, *WEIGHTS)
    if name in taken or iskeyword(name) or MARKED.fullmatch(name):
        return False
    return len(name) <= LONGEST_NAME


def _apart(text: str, number: int) -> Line:
    """Return a line apart at its first equals sign."""
    left, sign, right = text.partition("=")
    start = len(text) - len(right.lstrip())
    found = LEFT.fullmatch(left)
    line = Line(text, number, start)
    if len(text) > LONGEST_LINE:
        advice = f"a line may have {LONGEST_LINE} characters; define a function in its own line"
        raise line.error(0, f"it has {len(text)} characters", advice)
    name = unicodedata.normalize("NFKC", found[1]) if found else ""
    if not found or not sign or not name.isidentifier():
        write = (
            "write one state, or one function: u = tau * u + x, or f(o) = tau * (1 - o)"
        )
        raise line.error(0, "a line must assign one name", advice_on(text) or write)
    if found[2] is None:
        return Line(text, number, start, name)
    args = [arg.strip() for arg in found[2].split(",")]
    return Line(text, number, start, name, args)


@dataclass(frozen=True)
class _Reading:
    """What has been read so far: the values of constants, the lines of states, and functions.

    ``fires`` says whether any line is to be a spike.
    """

    states: list[str]
    constants: dict[str, float]
    defaults: Mapping[str, float]
    fires: bool
    lines: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)

    def take(self, line: Line) -> None:
        """Read one line more."""
        name = line.name
        args = line.args or []
        if name in self.constants:
            advice = f"leave {name}= out, or give the line another name"
            raise line.error(0, f"{name} is a constant, too", advice)
        if line.is_number:
            self.constants[name] = checks.number(name, float(line.right))
            return
        for arg in args:
            free = arg in WEIGHTS or _is_free(arg)
            twice = args.count(arg) > 1
            if twice or not free or not arg.isidentifier():
                advice = (
                    f"write {name}(o) = ..., with a name of its own for each argument"
                )
                place = line.text.find("(") + 1
                raise line.error(place, f"{arg!r} is not an argument", advice)
        reader = Reader(line, lambda read: self.name(read, line), self.functions)
        tree = reader.read()
        self._check_spike(line, tree)
        if line.args is None:
            self._check_numbers(line, tree)
            self.lines[name] = tree
        else:
            parameters = tuple(f"_{arg}" for arg in args)
            self.functions[name] = Function(symbol(name), parameters, tree)

    def name(self, name: str, line: Line) -> str:
        """Return what a name on the right side of a line is called in an expression."""
        f = line.name
        args = line.args
        if args is not None and name in args:
            return f"_{name}"
        if name in self.constants:
            return name
        if name == "x" or name in self.states:
            if args is not None:
                advice = f"give it as one: {f}({', '.join([*args, name])}) = ..."
                raise ValueError(f"{f} has no argument {name}", advice)
            return name if name in ("x", *self.lines) else f"{name}_last"
        if name in self.defaults:
            self.constants[name] = self.defaults[name]
            return name
        give = f"give it one, as in {name} = 0.5"
        if args is not None:
            raise ValueError(f"{f} has no argument {name}, and it has no value", give)
        known = ", ".join(("x", *self.states, *self.constants))
        if name in SPIKES and not self.fires:
            problem = f"{name} has no value, and no line is a spike; known are {known}"
            raise ValueError(problem, f"add the line {name} = spike(u - v_th)")
        advice = (
            advice_on_name(name, self.states) or f"{give}, or a line that changes it"
        )
        raise ValueError(f"{name} has no value; known are {known}", advice)

    def _check_numbers(self, line: Line, tree: ast.expr) -> None:
        """Check that each part that reads only constants is finite, and 1 over each divisor."""
        parts = [node for node in nodes_in(written_out(tree)) if op_of(node)]
        divisors = [args_of(node)[1] for node in parts if op_of(node) == "/"]
        parts += [call("/", ONE, divisor) for divisor in divisors]
        known = {name: np.float64(value) for name, value in self.constants.items()}
        for part in reversed(parts):  # the innermost first
            if not {*names_in(part)} <= self.constants.keys():
                continue
            with np.errstate(all="ignore"):
                value = evaluate(part, known)
            if not np.isfinite(value):
                advice = (
                    "a part without a state must be finite; change a constant in it"
                )
                problem = f"{python(part)} is {value}"
                raise line.error(line.start, problem, advice)

    def _check_spike(self, line: Line, tree: ast.expr) -> None:
        """Check that a spike is the whole line of a state, and that it is the only one."""
        of_a_state = line.args is None
        alone = of_a_state and spikes(tree)
        inside = args_of(tree) if alone else [tree]
        if "spike" in ops_in(*inside):
            where = "an expression" if of_a_state else "a function"
            problem = f"spike inside {where}"
            advice = "put it on a line of its own: o = spike(u - v_th)"
        elif alone and any(map(spikes, self.lines.values())):
            problem = "a second spike"
            advice = "a neuron has one; make the other a smooth function"
        else:
            return
        raise line.error(line.text.find("spike", line.start), problem, advice)
