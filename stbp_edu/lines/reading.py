"""One expression from text, read node by node; nothing of it is run.

A text may have 20 lines of 200 characters and 8 states, a name 20 letters, and an expression 400
numbers, names and operations when the reader's functions are written out. So whatever comes is
read and derived in a second or two, drawn and proved in half a minute, and in 200 MB.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from stbp_edu.lines.expressions import SIGNS, Function, call, names_in, size
from stbp_edu.lines.operations import FUNCTIONS, OPERATIONS

LONGEST_LINE = 200  # characters
LARGEST = 400  # numbers, names and operations
EXPONENT = 100  # what a number in an exponent may be
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
UNDERSTOOD = (
    f"understood are numbers, names, + - * / **, brackets, {', '.join(FUNCTIONS)}, and "
    "functions that a line above defines"
)

# What is often written from habit, and what to write instead.
SPIKE = "a spike is o = spike(u - v_th), in a line of its own: 1 where its argument is >= 0, else 0"
STEPS = ": up to and in its own line it is the last step's value, below it this step's"
FLOW = "a line is one formula, computed at every step: use spike, min, max or abs for what changes"
GROWN = "write what {0} is after a step, as in {0} = {0} + dt * (x - {0}) / tau"
WRITTEN = {
    r"\bheaviside\b": SPIKE,
    r"\^": "write ** for a power",
    r"\b(np|numpy|math|torch|jnp|anp)\s*\.": "write functions by their names alone: exp(u)",
    r"\w\s*\[": f"write the name alone{STEPS}",
    r"\b(if|else|for|while|return|import|def|lambda|and|or|not)\b": FLOW,
    r"[-+*/]=": "write u = u + ..., with the name on both sides",
    r"[<>]|[=!]=": SPIKE,
    r";": "write a line for each state",
    r"^\s*d?\w*\s*/\s*dt\b|^\s*\w+'": GROWN.format("u"),
    r"[²³]": "write ** for a power",
    r"\b\d+\.?\d*[A-Za-z_]|[\w)]\s+[\w(]|\)\s*\(|\)\w": "write * between factors, as in 2 * u",
}
"""A pattern of what was written, and what to do; the first that fits."""
CALLED = {
    **dict.fromkeys(
        ("heaviside", "H", "step", "Theta", "theta", "spikes", "fire"), SPIKE
    ),
    "sigmoid": "define it in a line above: sigmoid(v) = 0.5 + 0.5 * tanh(0.5 * v)",
    "relu": "write max(v, 0)",
    "sign": "write spike for a spike, or tanh for a smooth sign",
    "ln": "write log",
    "pow": "write a ** b",
}
"""Functions of other names."""
OF_A_STEP = re.compile(r"(.+?)_?(t|n|k|prev|old|last|new|next|now|t_?1|tm1|tp1)")
WEIGHTED = "x is the whole input: weights, recurrent weights and bias are in it already"
INPUTS = ("I", "input", "inputs", "inp", "s_in", "current", "I_in", "X")


def advice_on(text: str) -> str:
    """Return the advice for a piece of text, or "" if there is none."""
    for form, advice in WRITTEN.items():
        if re.search(form, text):
            return advice
    return ""


def advice_on_name(name: str, states: Collection[str]) -> str:
    """Return the advice for a name that has no value, or ""."""
    at_a_step = OF_A_STEP.fullmatch(name)
    state = at_a_step[1] if at_a_step else ""
    if state == "x":
        return "write x: it is this step's input"
    if state in states:
        return f"write {state}{STEPS}"
    if f"d{name}" in states:
        return GROWN.format(name)
    if name in ("W", "R", "b", "w"):
        return WEIGHTED
    return "the input is called x" if name in INPUTS else ""


class LineError(ValueError):
    """A line that is not understood: it shows the line, the place, and what would be."""


@dataclass(frozen=True)
class Line:
    """One line of a text: its number, where its right side begins, and what it assigns.

    ``args`` are those of a function that it defines; of a state or a constant they are None.
    """

    text: str
    number: int = 1
    start: int = 0
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

    def error(self, place: int, problem: str, advice: str) -> LineError:
        """Return an error, with a mark below the place."""
        shown = "".join(sign if sign.isprintable() else "?" for sign in self.text)
        if len(shown) > LONGEST_LINE:
            shown = f"{shown[:60]} ..."
        mark = " " * min(place, len(shown) - 1) + "^"
        return LineError(
            f"line {self.number}: {problem}\n    {shown}\n    {mark}\n{advice}"
        )


@dataclass(frozen=True)
class Reader:
    """How to read the right side of a line: what names stand for, and which functions there are."""

    line: Line
    name: Callable[[str], str] = str
    functions: Mapping[str, Function] = field(default_factory=dict)

    def read(self) -> ast.expr:
        """Return the expression, or raise LineError if it is not one."""
        text = self.line.right
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                node = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            offset = getattr(error, "offset", 0) or 1
            at = min(max(offset - 1, 0), len(text))
            said = (
                getattr(error, "msg", str(error))
                or "too many brackets or signs in a row"
            )
            advice = advice_on(text) or UNDERSTOOD
            place = self.line.start + at
            raise self.line.error(place, f"not understood: {said}", advice) from None
        tree = self.tree(node)
        if size(tree) > LARGEST:
            raise self.error(
                node, "too long when written out", f"use at most {LARGEST} operations"
            )
        return tree

    def error(self, node: ast.AST, problem: str, advice: str) -> LineError:
        """Return an error at a node."""
        before = self.line.right.encode()[: getattr(node, "col_offset", 0)]
        place = self.line.start + len(before.decode(errors="ignore"))
        return self.line.error(place, problem, advice)

    def tree(self, node: ast.expr) -> ast.expr:
        """Return a node and what is below it, once all of it is understood."""
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(
                value, bool
            ):
                if not math.isfinite(value) or abs(value) > 1e300:
                    raise self.error(
                        node, "a number too large", "numbers may go up to 1e300"
                    )
                return ast.Constant(value)
            case ast.Name(id=name):
                if name in self.functions or name in FUNCTIONS:
                    raise self.error(
                        node, f"{name} is a function", f"call it: {name}(...)"
                    )
                try:
                    return ast.Name(self.name(name))
                except ValueError as error:
                    raise self.error(node, *error.args) from None
            case ast.UnaryOp(op=ast.UAdd(), operand=a):
                return self.tree(a)
            case ast.UnaryOp(op=ast.USub(), operand=a):
                return call("neg", self.tree(a))
            case ast.BinOp(left=a, op=op, right=b) if type(op) in SIGNS:
                pair = self.tree(a), self.tree(b)
                if isinstance(op, ast.Pow):
                    self._check_exponent(b, pair[1])
                return call(SIGNS[type(op)], *pair)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self._call(node, name, args)
        shown = ast.get_source_segment(self.line.right, node) or type(node).__name__
        raise self.error(
            node, f"not understood: {shown}", advice_on(shown) or UNDERSTOOD
        )

    def _check_exponent(self, node: ast.expr, exponent: ast.expr) -> None:
        """Check that numbers in an exponent are small."""
        number = getattr(exponent, "operand", exponent)  # of a negative one
        if isinstance(number, ast.Constant):
            value: Any = number.value
            if abs(value) <= EXPONENT:
                return
        if not names_in(exponent):
            advice = f"a number there may go up to {EXPONENT}; otherwise give a constant a name"
            raise self.error(node, "an exponent that is not understood", advice)

    def _call(self, node: ast.expr, name: str, args: list[ast.expr]) -> ast.expr:
        """Return the call of a function."""
        if name not in (*self.functions, *FUNCTIONS):
            known = ", ".join((*FUNCTIONS, *self.functions))
            define = (
                f"known are {known}; define another in a line above: {name}(o) = ..."
            )
            raise self.error(
                node, f"no function is called {name}", CALLED.get(name, define)
            )
        own = self.functions.get(name)
        many = len(own.parameters) if own else len(OPERATIONS[name].slopes)
        if len(args) != many:
            arguments = "1 argument" if many == 1 else f"{many} arguments"
            places = {1: "a", 2: "a, b"}.get(many, "...")
            advice = f"write {name}({places})"
            problem = f"{name} takes {arguments}, got {len(args)}"
            raise self.error(node, problem, advice)
        read = map(self.tree, args)
        return own(*read) if own else call(name, *read)
