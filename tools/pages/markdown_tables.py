"""Markdown tables, and the templates of the pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import indent

from jinja2 import Environment, FileSystemLoader, StrictUndefined

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


def filled(template: str, **names: object) -> str:
    """Return a template of this folder with its expressions evaluated."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False,
        comment_start_string="{##", comment_end_string="##}",  # {#id} is a heading's anchor
    )  # fmt: skip
    return environment.get_template(template).render(**names)
