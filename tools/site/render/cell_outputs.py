"""Committed outputs as HTML; each figure becomes two files, for the light and the dark theme."""

import base64
import re
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Any

ORDER = ("text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "text/plain")
DARK_INK = "#e6e8eb"
LIGHT_INK = "#24292f"
COLUMNS = re.compile(r"\S {2,}\S")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
EXPLORER = re.compile(r'<metadata data-explorer="(\w+)">(.*?)</metadata>', re.S)
VARIABLE = re.compile(r"var\(--stbp-(ink|ground)\s*(?:,\s*([^()]+?)\s*)?\)")


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
        elif output["output_type"] == "error":
            parts.append(text("\n".join(output["traceback"]), "out-error"))
        else:
            parts.append(_rich(output["data"], f"{cell}-{k + 1}", figures))
    return "".join(parts)


def text(content: str, kind: str) -> str:
    """Return plain text output; a table in it keeps its columns, and scrolls instead."""
    content = ANSI.sub("", content).rstrip()
    kind += " out-table" * (sum(map(bool, map(COLUMNS.search, content.splitlines()))) > 1)
    return f'<pre class="out {kind}">{escape(content, quote=False)}</pre>'


def _rich(data: dict[str, Any], name: str, figures: Figures) -> str:
    kind = next((mime for mime in ORDER if mime in data), None)
    content: str = data[kind] if kind else ""
    if kind == "text/html":
        return f'<div class="out out-html">{content}</div>'
    if kind in ("text/latex", "text/markdown"):
        return f'<div class="out out-latex">{escape(content, quote=False)}</div>'
    if kind == "image/svg+xml":
        return _svg(content, name, figures)
    if kind == "image/png":
        alt = data.get("text/plain", "Figure drawn by this cell")
        figures.files[f"{name}.png"] = base64.b64decode(content)
        return _image(f"{figures.folder}/{name}.png", alt, "figure-plain", None)
    return text(content, "out-result") if kind else ""


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
        source = f"{figures.folder}/{name}.{theme}.svg"
        html += _image(source, words, f"figure-{theme}", size(head))
    return f'<div class="out out-figure"{played}>{html}</div>'


def recolour(svg: str, ink: str) -> str:
    """Return the SVG as a file: ink in the theme's colour, on no ground."""
    svg = VARIABLE.sub(lambda m: ink if m[1] == "ink" else "transparent", svg)
    space = "" if "xmlns=" in svg else ' xmlns="http://www.w3.org/2000/svg"'
    return svg.replace("<svg", f"<svg{space}", 1)


def size(head: str) -> tuple[int, int] | None:
    """Return width and height in CSS pixels, so that nothing moves when the picture arrives."""
    pixels = {}
    for key in ("width", "height"):
        match = re.search(rf'\s{key}="([\d.]+)(pt|px)?"', head)
        if not match:
            return None
        pixels[key] = round(float(match[1]) * (4 / 3 if match[2] == "pt" else 1))
    return pixels["width"], pixels["height"]


def _image(source: str, alt: str, kind: str, box: tuple[int, int] | None) -> str:
    shape = f' width="{box[0]}" height="{box[1]}"' if box else ""
    return f'<img class="figure {kind}" src="{source}" alt="{escape(alt)}" loading="lazy"{shape}>'
