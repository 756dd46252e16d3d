"""Markdown tables, and text that is folded away."""

import re
from collections.abc import Iterable, Sequence
from textwrap import indent

# The content of a column of numbers: 12.3, **12.3**, 11 to 12, 98.7 ± 0.1, 10 min 02 s.
NUMBER = re.compile(r"\**\d[\d.\s]*((±|to|h|min|s|ms|MB)[\d.\s]*)*\**|–|not \w+|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, with columns of numbers aligned at the right."""
    rows = list(rows)
    columns = zip(*rows, strict=True) if rows else [()] * len(head)
    rules = ["---:" if all(map(NUMBER.fullmatch, column)) else "---" for column in columns]
    lines = [head, rules, *rows]
    return "".join(f"| {' | '.join(x.replace('|', '/') for x in line)} |\n" for line in lines)


def folded(title: str, body: str) -> str:
    """Return Markdown that hides its body until the reader opens it."""
    return f'??? note "{title}"\n\n{indent(body, "    ")}'
