"""One line of a text, apart at its equals sign, and the error on one that is not understood."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, replace

LONGEST_LINE = 200  # characters
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


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
    advice = (
        "write one state, or one function: u = tau * u + x, or f(o) = tau * (1 - o)"
    )
    raise line.error(0, "a line must assign one name", advice)


def parsed(text: str) -> ast.expr | Exception:
    """Return a text as Python parses it, or why it does not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return error
