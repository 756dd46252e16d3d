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
from keyword import iskeyword
from typing import NamedTuple

from stbp_edu import checks
from stbp_edu.arrows.lines import hints
from stbp_edu.arrows.lines.expressions import (
    FUNCTIONS,
    ONE,
    ZERO,
    Call,
    Expression,
    Function,
    Name,
    names_in,
    ops_in,
    replaced,
    symbol,
    written_out,
)
from stbp_edu.arrows.lines.reading import Line, Reader
from stbp_edu.arrows.lines.slopes import derivative, tidy

MOST_LINES, MOST_STATES, LONGEST_TEXT = 20, 8, 20_000
LEFT = re.compile(r"\s*(\w+)\s*(?:\(([\w\s,]*)\))?\s*")
TAKEN = ("x", "h", "L", "signal", "minimum", "maximum", "at_least", *FUNCTIONS)
WEIGHTS = ("W", "b", "R")  # a layer's parameters beside the constants that it learns
MARKED = re.compile(r"_.*|[dg]_.*|.*_(next|last)")  # names of a program's own
LONGEST_NAME = 20
NOT_FREE = (
    f"it may have {LONGEST_NAME} letters; not free are {', '.join((*TAKEN, *WEIGHTS))}, words of "
    "Python, _..., d_..., g_..., ..._next and ..._last"
)
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
        """The state that the spike compares with a threshold; of a read-out, u or the last line's.

        It is the first that the spike reads in its step, that remembers something, and that the
        input enters in the same step; an adaptation is entered by the spike alone.
        """
        if not self.spike:
            return "u" if "u" in self.lines else [*self.lines][-1]
        read = self._followed(self._names(self.spike, ("now", "last")), but=self.spike)
        for wanted in (self._remembers_input, self._remembers, self.lines.__contains__):
            if found := [state for state in read if wanted(state)]:
                return found[0]
        return self.spike

    def _names(self, state: str, when: tuple[str, ...] = ("now",)) -> list[str]:
        """Return the states that a line reads, in the order in which it does."""
        names = (n.name for n in names_in(self.lines[state]) if n.when in when)
        return [name for name in dict.fromkeys(names) if name in self.lines]

    def _followed(self, states: list[str], but: str = "") -> list[str]:
        """Return states, and those that they read within the step."""
        for state in states:  # grows while it is read
            states += [one for one in self._names(state) if one not in states]
        return [state for state in states if state != but]

    def _remembers(self, state: str) -> bool:
        """Return whether a state reads its own last value, or the last spike."""
        names = {name.name for name in names_in(self.lines[state]) if name.when}
        return bool(names & {state, self.spike})

    def _remembers_input(self, state: str) -> bool:
        """Return whether it does, and x enters it in the same step."""
        entered = any(X in names_in(self.lines[one]) for one in self._followed([state]))
        return entered and self._remembers(state)

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

    @cached_property
    def roles(self) -> dict[str, str]:
        """By state, the letter of the course: o is what spikes, u the potential, by any name."""
        roles = {"i": "i", "a": "a", self.potential: "u"}
        return roles | ({self.spike: "o"} if self.spike else {})

    def kind(self, source: str, target: str) -> str:
        """Return what rules call an arrow; one that they do not know is called by its ends.

        The arrows of the spike are told apart by where they lead and not by a letter: into the
        potential, reset; into any other state s, adapt:s; and from one that is not the potential
        into the spike, threshold:s. A rule that names adapt means adapt:s, too.
        """
        ends = self.roles.get(source, ""), self.roles.get(target, "")
        if ends == ("u", "u") and not self.spike:
            return "integrate"
        if ends in KINDS:
            return KINDS[ends]
        if ends[0] == "o":
            return f"adapt:{target}"
        return f"threshold:{source}" if ends[1] == "o" else f"{source}>{target}"

    def adjoint(self, state: str) -> str:
        """Return the letter of a state's adjoint, in LaTeX."""
        letters = {"u": r"\varepsilon", "o": r"\delta", "i": r"\gamma", "a": r"\zeta"}
        return letters.get(self.roles.get(state, ""), rf"\bar{{{symbol(state)}}}")


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
        if not _is_free(name):
            raise ValueError(f"no constant can be called {name}; choose another name; {NOT_FREE}")
    constants = {name: checks.number(name, value) for name, value in constants.items()}
    rows = list(_split(text))
    states = [row.name for row in rows if row.args is None]
    if len(states) > MOST_STATES:
        raise ValueError(f"text must have at most {MOST_STATES} states, got {len(states)}")
    reading = _Reading(states, constants)
    for row in rows:
        reading.take(row)
    found = ForwardLines(text, reading.lines, constants)
    _check_connected(found, {row.name: row.line for row in rows})
    read = {name.name for one in found.lines.values() for name in names_in(one)}
    if unread := sorted(constants.keys() - read):
        raise ValueError(
            f"no line reads {', '.join(unread)}; leave {unread[0]}= out, or use it in a line"
        )
    return found


def _check_connected(found: ForwardLines, lines: Mapping[str, Line]) -> None:
    """Check that the input reaches every state, and every state the output."""
    reads = {s: {name.name for name in names_in(line)} for s, line in found.lines.items()}
    if not any("x" in names for names in reads.values()):
        advice = "x is what the weights bring; add it where input enters, as in u = tau * u + x"
        raise [*lines.values()][-1].error(0, "no line up to here reads x", advice)
    fed, heard = {"x"}, {found.output}
    for _ in reads:  # far enough for the longest way
        fed |= {state for state, names in reads.items() if names & fed}
        heard |= {name for state in heard & reads.keys() for name in reads[state]}
    for state in [s for s in reads if s not in fed]:
        advice = "let its line read x or a state that x reaches, or give a constant by its name"
        raise lines[state].error(0, f"no input reaches {state}", advice)
    for state in [s for s in reads if s not in heard]:
        advice = f"let a line on the way to {found.output} read it, or leave it out"
        raise lines[state].error(0, f"{found.output} does not depend on {state}", advice)


def _split(text: str) -> Iterator[Row]:
    """Yield the lines of a text, each apart at its first equals sign."""
    if len(checks.instance("text", text, str)) > LONGEST_TEXT:
        raise ValueError(
            f"text must have at most {LONGEST_TEXT} characters, got {len(text)}; comments count"
        )
    lines = [(k, line.split("#")[0].rstrip()) for k, line in enumerate(text.split("\n"), 1)]
    lines = [(k, line) for k, line in lines if line]
    if not 1 <= len(lines) <= MOST_LINES:
        raise ValueError(
            f"text must have 1 to {MOST_LINES} lines, got {len(lines)}; write one line for each "
            "state, such as u = tau * u + x"
        )
    seen: dict[str, int] = {}
    for number, line in lines:
        row = _row(line, number)
        problem = ""
        if not _is_free(row.name):
            problem, advice = "cannot be assigned", f"choose another name; {NOT_FREE}"
        elif row.name in seen:
            problem = f"has a line already, line {seen[row.name]}"
            advice = "put all that changes it into one line, or give the second another name"
        if problem:
            raise row.line.error(row.at, f"{row.name} {problem}", advice)
        seen[row.name] = number
        yield row


def _is_free(name: str) -> bool:
    """Return whether a state, a constant or a function may have a name."""
    taken = name in (*TAKEN, *WEIGHTS) or iskeyword(name) or MARKED.fullmatch(name)
    return len(name) <= LONGEST_NAME and not taken


class Row(NamedTuple):
    """A line apart at its equals sign: what is assigned and where, and a function's arguments."""

    line: Line
    name: str
    at: int
    args: list[str] | None


def _row(text: str, number: int) -> Row:
    """Return a line apart at its first equals sign."""
    left, sign, right = text.partition("=")
    line = Line(text, number, len(text) - len(right.lstrip()))
    line.check_length()
    found = LEFT.fullmatch(left)
    name = unicodedata.normalize("NFKC", found[1]) if found else ""
    at = len(left) - len(left.lstrip())
    if not found or not sign or not name.isidentifier():
        write = "write one state, or one function: u = tau * u + x, or f(o) = tau * (1 - o)"
        raise line.error(at, "a line must assign one name", hints.of_text(text) or write)
    args = None if found[2] is None else [arg.strip() for arg in found[2].split(",")]
    return Row(line, name, at, args)


class _Reading:
    """What has been read so far."""

    def __init__(self, states: list[str], constants: Mapping[str, float]) -> None:
        """Begin with no line."""
        self.states, self.constants = states, constants
        self.lines: dict[str, Expression] = {}
        self.functions: dict[str, Function] = {}

    def take(self, row: Row) -> None:
        """Read one line more."""
        if row.name in self.constants:
            advice = f"leave {row.name}= out, or give the line another name"
            raise row.line.error(0, f"{row.name} is a constant, too", advice)
        self._check_arguments(row)
        tree = Reader(row.line, lambda name: self.name(name, row), self.functions).read()
        self._check_spike(row, tree)
        if row.args is None:
            self.lines[row.name] = tree
        else:
            parameters = tuple(Name(arg, "argument") for arg in row.args)
            self.functions[row.name] = Function(symbol(row.name), parameters, tree)

    def name(self, name: str, row: Row) -> Name:
        """Return what a name on the right side of a line stands for."""
        f, args = row.name, row.args
        if args is not None and name in args:
            return Name(name, "argument")
        if name in self.constants:
            return Name(name)
        if name == "x" or name in self.states:
            if args is not None:
                advice = f"give it as one: {f}({', '.join([*args, name])}) = ..."
                raise ValueError(f"{name} is no argument of {f}", advice)
            return X if name == "x" else Name(name, "now" if name in self.lines else "last")
        give = f"give it one, derive(..., {name}=0.5)"
        if args is not None:
            raise ValueError(f"{name} is no argument of {f}, and has no value", give)
        known = ", ".join(("x", *self.states, *self.constants))
        advice = hints.of_name(name, self.states) or f"{give}, or a line of its own"
        raise ValueError(f"{name} has no value; known are {known}", advice)

    def _check_arguments(self, row: Row) -> None:
        """Check what stands in the brackets on the left of a function."""
        for arg in row.args or ():
            free = arg in WEIGHTS or _is_free(arg)
            if not (arg.isidentifier() and free) or (row.args or []).count(arg) > 1:
                advice = f"write {row.name}(o) = ..., with a name of its own for each argument"
                raise row.line.error(row.line.text.find("(") + 1, f"{arg!r} is no argument", advice)

    def _check_spike(self, row: Row, tree: Expression) -> None:
        """Check that a spike stands alone in the line of a state, and that it is the only one."""
        alone = row.args is None and _spikes(tree)
        inside = tree.args if alone and isinstance(tree, Call) else (tree,)
        if "spike" in ops_in(*inside):
            problem = f"spike inside {'an expression' if row.args is None else 'a function'}"
            advice = "let it stand alone in a line of its own: o = spike(u - v_th)"
        elif alone and any(map(_spikes, self.lines.values())):
            problem, advice = "a second spike", "a neuron has one; make the other a smooth function"
        else:
            return
        raise row.line.error(row.line.text.find("spike", row.line.start), problem, advice)
