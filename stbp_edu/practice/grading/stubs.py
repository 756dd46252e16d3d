"""What is left of a stub: the dots that its reader has not filled in yet."""

import dis
import linecache

from stbp_edu.practice.tasks import AnswerFunction


def has_blank(function: AnswerFunction) -> bool:
    """Return whether the dots of a stub are left anywhere in a function."""
    code = getattr(function, "__code__", None)
    return "Ellipsis" in repr(getattr(code, "co_consts", ()))


def open_lines(function: AnswerFunction) -> list[str]:
    """Return the lines of a function in which dots of its stub are left, each with its number."""
    found = {}
    for step in dis.get_instructions(function):
        if step.argval is Ellipsis and step.positions and step.positions.lineno:
            number = step.positions.lineno
            line = linecache.getline(function.__code__.co_filename, number)
            text, _, _ = line.strip().partition("  #")
            found[number] = f"line {number}" + (f", `{text}`" if text else "")
    return list(found.values())


def does_nothing(function: AnswerFunction) -> bool:
    """Return whether a function that returns nothing is what a reader has not begun to fill in."""
    code = getattr(function, "__code__", None)
    is_empty = getattr(code, "co_code", b"") == (lambda: None).__code__.co_code
    is_refused = "NotImplementedError" in getattr(code, "co_names", ())
    return is_empty or is_refused or has_blank(function)
