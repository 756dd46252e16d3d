"""Code cells as HTML: Python in colour, and committed outputs.

An element stands only where the colour changes; each figure becomes two files, for the light and
the dark theme.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape, unescape
from itertools import groupby
from typing import Any

from pygments import highlight
from pygments.filter import Filter
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.token import Name, Operator, Punctuation, Text, Whitespace

PLAIN = {Name, Operator, Punctuation, Text, Whitespace, Name.Variable, Name.Namespace}
DARK_INK = "#e6e8eb"
LIGHT_INK = "#24292f"
COLUMNS = re.compile(r"\S {2,}\S")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
EXPLORER = re.compile(r'<metadata data-explorer="(\w+)">(.*?)</metadata>', re.S)
VARIABLE = re.compile(r"var\(--stbp-(ink|ground)\s*(?:,\s*([^()]+?)\s*)?\)")


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


@dataclass
class Figures:
    """The figure files of one page, by name."""

    folder: str  # relative to the page's source, such as "../assets/figures/03_example"
    files: dict[str, bytes] = field(default_factory=dict)


def outputs_html(outputs: list[dict[str, Any]], cell: int, figures: Figures) -> str:
    """Return the HTML of one cell's outputs; the files of its figures are added to ``figures``."""
    parts = []
    for k, output in enumerate(outputs):
        if output["output_type"] == "stream":
            parts.append(text(output["text"], f"out-{output['name']}"))
        elif "text/html" in output["data"]:
            parts.append(f'<div class="out out-html">{output["data"]["text/html"]}</div>')
        elif "image/svg+xml" in output["data"]:
            parts.append(_svg(output["data"]["image/svg+xml"], f"{cell}-{k + 1}", figures))
        else:
            parts.append(text(output["data"]["text/plain"], "out-result"))
    return "".join(parts)


def text(content: str, kind: str) -> str:
    """Return plain text output; a table in it keeps its columns, and scrolls instead."""
    content = ANSI.sub("", content).rstrip()
    kind += " out-table" * (sum(map(bool, map(COLUMNS.search, content.splitlines()))) > 1)
    return f'<pre class="out {kind}">{escape(content, quote=False)}</pre>'


def _svg(svg: str, name: str, figures: Figures) -> str:
    """Write the light and the dark variant, and return the pair of images.

    Where the figure can be played, what the explorer needs becomes a file beside them.
    """
    live, played = EXPLORER.search(svg), ""
    if live:
        figures.files[f"{name}.json"] = unescape(live[2]).encode()
        played = f' data-explorer="{live[1]}" data-source="{figures.folder}/{name}.json"'
        svg = EXPLORER.sub("", svg)
    head = svg[: svg.index(">", svg.index("<svg")) + 1]
    alt = re.search(r'aria-label="([^"]*)"', head)
    words = unescape(alt[1]) if alt else "Figure drawn by this cell"
    html = ""
    for theme, ink in (("light", LIGHT_INK), ("dark", DARK_INK)):
        figures.files[f"{name}.{theme}.svg"] = recolour(svg, ink).encode()
        source = f'src="{figures.folder}/{name}.{theme}.svg" alt="{escape(words)}"'
        html += f'<img class="figure figure-{theme}" {source} loading="lazy"{size(head)}>'
    return f'<div class="out out-figure"{played}>{html}</div>'


def recolour(svg: str, ink: str) -> str:
    """Return the SVG as a file: ink in the theme's colour, on no ground."""
    svg = VARIABLE.sub(lambda m: ink if m[1] == "ink" else "transparent", svg)
    space = "" if "xmlns=" in svg else ' xmlns="http://www.w3.org/2000/svg"'
    return svg.replace("<svg", f"<svg{space}", 1)


def size(head: str) -> str:
    """Return width and height in CSS pixels, so that nothing moves when the picture arrives."""
    sides = re.findall(r'\s(width|height)="([\d.]+)(pt)?', head)
    pixels = [f' {side}="{round(float(n) * (4 / 3 if unit else 1))}"' for side, n, unit in sides]
    return "".join(pixels)
