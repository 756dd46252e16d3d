"""One line of a text, and the advice on one that is not understood."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass, replace

LONGEST_LINE = 200  # characters
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")

# What is often written from habit, and what to write instead.
SPIKE = "a spike is o = spike(u - v_th), in a line of its own: 1 where its argument is >= 0, else 0"
STEPS = ": up to and in its own line it is the last step's value, below it this step's"
FLOW = "a line is one formula, computed at every step: use spike, min, max or abs for what changes"
GROWN = "write what {0} is after a step, as in {0} = {0} + dt * (x - {0}) / tau"
POWER = "write ** for a power"
WRITTEN = {
    r"\bheaviside\b": SPIKE,
    r"[\^²³]": POWER,
    r"\b(np|numpy|math|torch|jnp|anp)\s*\.": "write functions by their names alone: exp(u)",
    r"\w\s*\[": f"write the name alone{STEPS}",
    r"\b(if|else|for|while|return|import|def|lambda|and|or|not)\b": FLOW,
    r"[-+*/]=": "write u = u + ..., with the name on both sides",
    r"[<>]|[=!]=": SPIKE,
    r"^\s*d?\w*\s*/\s*dt\b|^\s*\w+'": GROWN.format("u"),
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
INPUTS = ("I", "input", "inputs", "inp", "s_in", "current", "I_in", "X")
FIRES = ("o", "s", "z", "S", "spk", "out")
"""What the state that spikes is often called."""


def advice_on(text: str) -> str:
    """Return the advice for a piece of text, or "" if there is none."""
    for form, advice in WRITTEN.items():
        if re.search(form, text):
            return advice
    return ""


def advice_on_name(name: str, states: Collection[str]) -> str:
    """Return the advice for a name that has no value."""
    at_a_step = OF_A_STEP.fullmatch(name)
    state = at_a_step[1] if at_a_step else ""
    if state == "x":
        return "write x: it is this step's input"
    if state in states:
        return f"write {state}{STEPS}"
    if f"d{name}" in states:
        return GROWN.format(name)
    if name in ("W", "R", "b", "w"):
        return "x is the whole input: weights, recurrent weights and bias are in it already"
    if name in INPUTS:
        return "the input is called x"
    line = f"the line {name} = spike(u - v_th)" if name in FIRES else "a line for it"
    return f"give it one, as in {name} = 0.5, or add {line}"


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
    write = "write one state, or one function: u = tau * u + x, or f(o) = tau * (1 - o)"
    raise line.error(0, "a line must assign one name", advice_on(text) or write)


def parsed(text: str) -> ast.expr | Exception:
    """Return a text as Python parses it, or why it does not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return error
