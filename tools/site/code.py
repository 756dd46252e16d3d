"""Python in colour, where only tokens with a colour of their own get an element; long names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pygments import highlight
from pygments.filter import Filter
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.token import Name, Operator, Punctuation, Text, Whitespace

PLAIN = {Name, Operator, Punctuation, Text, Whitespace, Name.Variable, Name.Namespace}

LONG = re.compile(r"(?<!<pre>)<code>([\w./]{16,})</code>")


class _Plain(Filter):
    """Joins what is shown in the colour of the text into one token."""

    def filter(self, _lexer: Any, stream: Any) -> Iterator[tuple[Any, str]]:
        held = ""
        for kind, value in stream:
            if kind in PLAIN:
                held += value
                continue
            if held:
                yield Text, held
                held = ""
            yield kind, value
        if held:
            yield Text, held


LEXER = PythonLexer(stripnl=False, ensurenl=False)
LEXER.add_filter(_Plain())
BARE = HtmlFormatter(nowrap=True)


def python(source: str) -> str:
    """Return highlighted Python as HTML, without a wrapper."""
    html: str = highlight(source.rstrip("\n"), LEXER, BARE)
    return html.rstrip("\n")


def breakable(html: str) -> str:
    """Return HTML in which a long name within a sentence may break after its dots and slashes.

    >>> breakable("<code>stbp_edu.verify.paths</code>")
    '<code>stbp_edu.<wbr>verify.<wbr>paths</code>'
    """
    return LONG.sub(lambda m: f"<code>{re.sub(r'(?<=[./])', '<wbr>', m[1])}</code>", html)
