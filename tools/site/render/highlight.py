"""Python as coloured HTML, with an element only where the colour changes; breaks in long names."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pygments import highlight
from pygments.filter import Filter
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.token import Name, Operator, Punctuation, Text, Whitespace

PLAIN = {Name, Operator, Punctuation, Text, Whitespace, Name.Variable, Name.Namespace}

WITHIN = re.compile(r"(?<!<pre>)<code>([^<\n]+)</code>")
ENTITY = re.compile(r"&\w+;")
LONG = 18  # characters
FLAG = re.compile(r"(?<=<wbr>)--?\w[\w-]*")  # which a browser would break after its dashes
BREAK = re.compile(r"(?<= )|(?<=[^\W\d_][./_\[(])(?=\w)")


class _JoinPlain(Filter):
    """Joins neighbouring tokens that have the colour of the text."""

    def filter(self, _lexer: Any, stream: Any) -> Iterator[tuple[Any, str]]:
        for plain, tokens in groupby(stream, lambda token: token[0] in PLAIN):
            if plain:
                yield Text, "".join(value for _, value in tokens)
            else:
                yield from tokens


LEXER = PythonLexer(stripnl=False, ensurenl=False)
LEXER.add_filter(_JoinPlain())
BARE = HtmlFormatter(nowrap=True)


def python(source: str) -> str:
    """Return highlighted Python as HTML, without a wrapper."""
    html: str = highlight(source.rstrip("\n"), LEXER, BARE)
    return html.rstrip("\n")


def breakable(html: str) -> str:
    """Return HTML in which a long name in a sentence may break between its parts, a short one not.

    >>> breakable("<code>stbp_edu.verify.paths</code> and <code>c3-delta</code>")
    '<code>stbp_<wbr>edu.<wbr>verify.<wbr>paths</code> and <code class="short">c3-delta</code>'
    """
    return WITHIN.sub(_breakable, html)


def _breakable(match: re.Match[str]) -> str:
    code = match[1]
    if len(ENTITY.sub("x", code)) < LONG:
        return f'<code class="short">{code}</code>'
    code = FLAG.sub(r'<span class="short">\g<0></span>', BREAK.sub("<wbr>", code))
    return f"<code>{code}</code>"
