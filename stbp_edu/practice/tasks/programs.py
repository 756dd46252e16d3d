"""Answers as the text of programs, and the functions that these texts define."""

import textwrap
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from stbp_edu.practice.tasks import names

AnswerFunction = Callable[..., Any]
"""A reader's function, of whatever signature the exercise gives."""


def edited(solution: str, body: str) -> str:
    """Return ``body``, or the solution with the edits that ``body`` lists, a line each.

    >>> edited("return a * b", "a * b => a + b")
    'return a + b'
    """
    if " => " not in body:
        return body
    for line in body.splitlines():
        old, new = line.split(" => ")
        if old not in solution:
            raise ValueError(
                f"the edit {line!r} does not apply: {old!r} is not in the solution"
            )
        solution = solution.replace(old, new)
    return solution


def source_of(signature: str, body: str) -> str:
    """Return the source of a function whose body is a formula, or lines that return."""
    text = textwrap.dedent(body).strip()
    if "return " not in text:
        text = f"return {text}"
    return f"def {signature}:\n{textwrap.indent(text, '    ')}"


@lru_cache(maxsize=4096)
def define(source: str, *, table: bool = False) -> AnswerFunction:
    """Return the one function that ``source`` defines; of a table, with all names of tables."""
    plain = {"np": np, "exp": np.exp, "sqrt": np.sqrt}
    namespace: dict[str, Any] = dict(vars(names)) if table else plain
    # The source is this package's own table, never the reader's text.
    exec(source, namespace)
    name, _, _ = source.removeprefix("def ").partition("(")
    function: AnswerFunction = namespace[name]
    return function
