"""Docstrings as they are meant, before mkdocstrings reads them as Markdown.

``U[n][t]`` is an index of an array and not a link; ``>>>`` starts an example and not a quotation;
a name that a package hands on from its modules is described once, where it is defined.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^( *)>>> .*(?:\n\1(?=\S).*)*", re.M)
RULE = r"=+  ?=+ *"
TABLE = re.compile(rf"^( *)(=+)  ?=+ *\n(.*\n)\1{RULE}\n((?:.*\n)+?)\1{RULE}$", re.M)
ROLE = re.compile(r":(?:func|class|mod|meth|data|attr):`~?([^`]+)`")
CODE = re.compile(r"(```.*?```|``.*?``|`[^`]*`)", re.S)


class AsMeant(griffe.Extension):
    """Prepares docstrings, and leaves out what packages only hand on."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Prepare one docstring."""
        if obj.docstring:
            obj.docstring.value = prepare(obj.docstring.value)

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Drop the names that a package below the top imports from its own modules."""
        for module in list(pkg.modules.values()):
            if not module.is_alias and module.is_init_module:
                for name, member in list(module.members.items()):
                    if member.is_alias:
                        del module.members[name]


def prepare(text: str) -> str:
    r"""Return the docstring with its examples fenced, and indices escaped outside code.

    >>> prepare("U[n][t] and `O[n][t]`")
    'U[n]\\[t] and `O[n][t]`'
    """
    text = ROLE.sub(r"`\1`", TABLE.sub(_table, text))
    text = EXAMPLE.sub(r"\1```pycon\n\g<0>\n\1```", text)
    parts = CODE.split(text)
    return "".join(p if k % 2 else p.replace("][", r"]\[") for k, p in enumerate(parts))


def _table(match: re.Match[str]) -> str:
    """Return a table of two columns, ruled with equal signs, as Markdown writes it."""
    pad, width = match[1], len(match[2])
    rows = [line.removeprefix(pad) for line in (match[3] + match[4]).splitlines()]
    cells = [(row[:width].strip(), row[width:].strip()) for row in rows]
    lines = [f"{pad}| {a} | {b} |" for a, b in cells]
    return "\n".join(["", lines[0], f"{pad}|---|---|", *lines[1:]])
