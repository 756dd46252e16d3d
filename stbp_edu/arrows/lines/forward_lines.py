"""A neuron from its forward lines: one line for each state, as in the body of a loop over time.

    u = tau * exp(-o / tau) * u + x
    o = spike(u - v_th)

A name that a line above has assigned is this step's value, any other state that of the last step;
x is what the weights bring. An arrow leads from a to b wherever a stands in b's line; its factor is
the derivative of that line, and it takes a step if it reads the last step's value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from stbp_edu import checks
from stbp_edu.arrows.lines.expressions import (
    FUNCTIONS,
    ONE,
    ZERO,
    Call,
    Expression,
    Function,
    Name,
    names_in,
    replaced,
    symbol,
    written_out,
)
from stbp_edu.arrows.lines.reading import LineError, Reader
from stbp_edu.arrows.lines.slopes import derivative, tidy

MOST_LINES = 20
LEFT = re.compile(r"\s*(\w+)\s*(?:\(([\w\s,]*)\))?\s*")
TAKEN = ("x", "h", "L", "signal", "minimum", "maximum", "at_least", *FUNCTIONS)
MARKED = re.compile(r"_.*|[dg]_.*|.*_(next|last)")  # names of a program's own
NOT_FREE = f"not free are {', '.join(TAKEN)}, d_..., g_..., ..._next and ..._last"
X = Name("x", "now")
KINDS = {
    ("u", "u"): "carry",
    ("o", "u"): "reset",
    ("u", "o"): "spike",
    ("i", "i"): "decay",
    ("i", "u"): "charge",
    ("o", "a"): "adapt",
    ("a", "a"): "relax",
    ("a", "o"): "threshold",
}
"""What rules call the arrow from one state to another."""


class Slope(NamedTuple):
    """An arrow inside the neuron, its factor an expression: "now" is its head's step."""

    kind: str
    source: str
    target: str
    step: int
    factor: Expression


@dataclass(frozen=True)
class ForwardLines:
    """The lines of a neuron, read.

    Attributes:
        text: as the reader wrote it.
        lines: each state's update, in the order of the text.
        constants: the values of all other names.
    """

    text: str
    lines: Mapping[str, Expression]
    constants: Mapping[str, float]

    @cached_property
    def spike(self) -> str | None:
        """The state that spikes, if one does."""
        return next((s for s, e in self.lines.items() if _spikes(e)), None)

    @cached_property
    def potential(self) -> str:
        """The state called u; otherwise the first that the spike reads, or the last line's."""
        if "u" in self.lines or not self.spike:
            return "u" if "u" in self.lines else [*self.lines][-1]
        read = [name.name for name in names_in(self.lines[self.spike]) if name.when]
        return next((name for name in read if name in self.lines), self.spike)

    @property
    def output(self) -> str:
        """The state that other neurons read: the spike, or the potential of a read-out."""
        return self.spike or self.potential

    @cached_property
    def entered(self) -> dict[str, Expression]:
        """The states that x enters, with the derivatives of their lines by x."""
        slopes = {state: derivative(line, X) for state, line in self.lines.items()}
        return {state: factor for state, factor in slopes.items() if factor != ZERO}

    @cached_property
    def input(self) -> str:
        """The state that the weights enter: where x is added once, that one, else x itself."""
        return next(iter(self.entered)) if [*self.entered.values()] == [ONE] else "x"

    @cached_property
    def states(self) -> dict[str, Expression]:
        """Every state with its update, x among them where it is a node of its own."""
        return ({"x": X} if self.input == "x" else {}) | dict(self.lines)

    @cached_property
    def slopes(self) -> list[Slope]:
        """The arrows: where a state stands in a line, the derivative of that line."""
        found = [
            Slope(self.kind(source, target), source, target, step, factor)
            for source in self.lines
            for target, line in self.lines.items()
            for step, when in ((0, "now"), (1, "last"))
            if (factor := derivative(line, Name(source, when))) != ZERO
        ]
        first = {"spike": 0, "carry": 1, "reset": 2}
        found.sort(key=lambda slope: first.get(slope.kind, 3))
        if self.input != "x":
            return found
        return [Slope(f"x>{s}", "x", s, 0, factor) for s, factor in self.entered.items()] + found

    def enters(self, constant: str) -> Iterator[tuple[str, Expression]]:
        """Yield the states whose lines read a constant, with the derivatives by it."""
        slopes = {s: derivative(line, Name(constant)) for s, line in self.lines.items()}
        found = [(state, factor) for state, factor in slopes.items() if factor != ZERO]
        yield from found or [(self.potential, ZERO)]  # one that cancels has a gradient, too: 0

    def silent(self, tree: Expression) -> Expression:
        """Return a factor from step to step as if no neuron had spiked."""
        by: dict[Name, Expression] = {Name(self.spike, "last"): ZERO} if self.spike else {}
        return tidy(replaced(written_out(tree), by))

    def role(self, state: str) -> str:
        """Return the letter by which the course knows a state, or its own name."""
        if state in (self.spike, self.potential):
            return "o" if state == self.spike else "u"
        return f"{state} " if state in ("o", "u") else state

    def kind(self, source: str, target: str) -> str:
        """Return what rules call an arrow; one that they do not know is called by its ends."""
        ends = self.role(source), self.role(target)
        if ends == ("u", "u") and not self.spike:
            return "integrate"
        return KINDS.get(ends, f"{source}>{target}")

    def adjoint(self, state: str) -> str:
        """Return the letter of a state's adjoint, in LaTeX."""
        letters = {"u": r"\varepsilon", "o": r"\delta", "i": r"\gamma", "a": r"\zeta"}
        return letters.get(self.role(state), rf"\bar{{{symbol(state)}}}")


def _spikes(line: Expression) -> bool:
    """Return whether a line is a spike."""
    return isinstance(line, Call) and line.op == "spike"


def read_lines(text: str, constants: Mapping[str, float]) -> ForwardLines:
    r"""Return the lines of a neuron.

    Args:
        text: a line for each state, and for each function of the reader's own.
        constants: the values of all other names.

    Raises:
        LineError: if a line is not understood; it shows the line and the place.
        TypeError, ValueError: if it is no text, or a constant is no number or not read.

    >>> found = read_lines("u = tau * u + x\no = spike(u - 1)", {"tau": 0.5})
    >>> [(arrow.kind, arrow.step) for arrow in found.slopes]
    [('spike', 0), ('carry', 1)]
    """
    for name in constants:
        if name in TAKEN or MARKED.fullmatch(name):
            raise ValueError(f"no constant can be called {name}; choose another name; {NOT_FREE}")
    constants = {name: checks.number(name, value) for name, value in constants.items()}
    rows = list(_split(text))
    reading = _Reading([row.name for row in rows if row.args is None], constants)
    for row in rows:
        reading.take(row.name, row.args, Reader(row.line, row.number, row.start))
    found = ForwardLines(text, reading.lines, constants)
    if not any(X in names_in(one) for one in found.lines.values()):
        advice = "x is what the weights bring; add it where input enters, as in u = tau * u + x"
        raise LineError(rows[-1].line, 0, "no line up to here reads x", advice, rows[-1].number)
    read = {name.name for one in found.lines.values() for name in names_in(one)}
    if unread := sorted(constants.keys() - read):
        raise ValueError(
            f"no line reads {', '.join(unread)}; leave {unread[0]}= out, or use it in a line"
        )
    return found


def _split(text: str) -> Iterator[Row]:
    """Yield the lines of a text, each apart at its first equals sign."""
    checks.instance("text", text, str)
    rows = [(k, row.split("#")[0].rstrip()) for k, row in enumerate(text.split("\n"), 1)]
    rows = [(k, row) for k, row in rows if row]
    if not 1 <= len(rows) <= MOST_LINES:
        raise ValueError(
            f"text must have 1 to {MOST_LINES} lines, got {len(rows)}; write one line for each "
            "state, such as u = tau * u + x"
        )
    seen: dict[str, int] = {}
    for number, line in rows:
        row = _row(line, number)
        if row.name in TAKEN or MARKED.fullmatch(row.name):
            advice = f"choose another name; {NOT_FREE}"
            raise LineError(line, row.at, f"{row.name} cannot be assigned", advice, number)
        if row.name in seen:
            advice = "put all that changes it into one line, or give the second another name"
            problem = f"{row.name} has a line already, line {seen[row.name]}"
            raise LineError(line, row.at, problem, advice, number)
        seen[row.name] = number
        yield row


class Row(NamedTuple):
    """One line, apart at its equals sign: what is assigned, a function's arguments, the places."""

    name: str
    args: list[str] | None
    at: int
    start: int
    line: str
    number: int


def _row(line: str, number: int) -> Row:
    """Return a line apart at its first equals sign."""
    left, sign, right = line.partition("=")
    found = LEFT.fullmatch(left)
    name = unicodedata.normalize("NFKC", found[1]) if found else ""
    at = len(left) - len(left.lstrip())
    if not found or not sign or not name.isidentifier():
        advice = "write one state, or one function: u = tau * u + x, or f(o) = tau * (1 - o)"
        problem = "a line must assign one name"
        raise LineError(line, at, problem, advice, number)
    args = None if found[2] is None else [arg.strip() for arg in found[2].split(",")]
    return Row(name, args, at, len(line) - len(right.lstrip()), line, number)


class _Reading:
    """What has been read so far."""

    def __init__(self, states: list[str], constants: Mapping[str, float]) -> None:
        """Begin with no line."""
        self.states, self.constants = states, constants
        self.lines: dict[str, Expression] = {}
        self.functions: dict[str, Function] = {}

    def take(self, left: str, args: list[str] | None, reader: Reader) -> None:
        """Read one line more."""
        if left in self.constants:
            advice = f"leave {left}= out, or give the line another name"
            raise LineError(reader.line, 0, f"{left} is a constant, too", advice, reader.number)
        if args is not None:
            self._define(left, args, reader)
            return
        if left in self.functions:
            raise LineError(reader.line, 0, f"{left} is a function", "choose another name")
        reader = Reader(reader.line, reader.number, reader.start, self.name, self.functions)
        line = reader.read()
        inside = line.args if isinstance(line, Call) and _spikes(line) else (line,)
        problem = None
        if any("spike" in ops_in(one) for one in inside):
            problem, advice = (
                "spike inside an expression",
                "let it stand alone: o = spike(u - v_th)",
            )
        elif _spikes(line) and any(map(_spikes, self.lines.values())):
            problem, advice = "a second spike", "a neuron has one; make the other a smooth function"
        if problem:
            at = reader.line.find("spike", reader.start)
            raise LineError(reader.line, at, problem, advice, reader.number)
        self.lines[left] = line

    def name(self, name: str) -> Name:
        """Return what a name in a state's line stands for."""
        if name == "x":
            return X
        if name in self.states:
            return Name(name, "now" if name in self.lines else "last")
        if name in self.constants:
            return Name(name)
        known = ", ".join(("x", *self.states, *self.constants))
        raise ValueError(
            f"{name} has no value; known are {known}",
            f"give it one, derive(..., {name}=0.5), or a line of its own",
        )

    def _define(self, left: str, args: list[str], reader: Reader) -> None:
        """Read the definition of a function."""
        for arg in args:
            if not arg.isidentifier() or arg in TAKEN or args.count(arg) > 1:
                advice = f"write {left}(o) = ..., with a name of its own for each argument"
                at = reader.line.find("(") + 1
                raise LineError(reader.line, at, f"{arg!r} is no argument", advice, reader.number)

        def name(one: str) -> Name:
            """Return what a name in the body stands for."""
            if one in args or one in self.constants:
                return Name(one, "argument" if one in args else "")
            problem = f"{one} is no argument of {left}"
            if one in self.states or one == "x":
                raise ValueError(
                    problem, f"give it as one: {left}({', '.join([*args, one])}) = ..."
                )
            raise ValueError(f"{problem}, and has no value", f"give it one: derive(..., {one}=0.5)")

        body = Reader(reader.line, reader.number, reader.start, name, self.functions).read()
        if "spike" in ops_in(body):
            at = reader.line.find("spike", reader.start)
            advice = "let spike stand alone in a line of its own: o = spike(u - v_th)"
            raise LineError(reader.line, at, "spike inside a function", advice, reader.number)
        parameters = tuple(Name(arg, "argument") for arg in args)
        self.functions[left] = Function(symbol(left), parameters, body)


def ops_in(tree: Expression) -> set[str]:
    """Return the operations in an expression that are not the reader's own."""
    if not isinstance(tree, Call):
        return set()
    own = {tree.op} if isinstance(tree.op, str) else set()
    return own.union(*map(ops_in, tree.args))
