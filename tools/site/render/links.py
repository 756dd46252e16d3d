"""Links as they are written in the repository, turned into links of the site.

In a notebook or a Markdown file a link is relative to the repository, so that it works in Jupyter
and in a checkout. The site keeps notebooks, pages and source files elsewhere; MkDocs then checks
what comes out of here, and a link to nothing fails the strict build. What it does not read,
links in HTML and the anchors that scripts and plugins make, is checked in the built site.
"""

import posixpath
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stbp_edu._support.files import read_text
from tools.site.downloads import OFFLINE

CODE = re.compile(r"(```.*?```|~~~.*?~~~|`[^`\n]+`)", re.S)
LINK = re.compile(r"(\]\()([^()\s]+)((?:\s+\"[^\"]*\")?\))")
TEXTS = {
    "changelog.md": "CHANGELOG.md",
    "conduct.md": "CODE_OF_CONDUCT.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
}
"""Pages that stand at the top of the repository."""
ONE_PAGE = {"stbp.py": "stbp.py", "stbp_edu/training/data/digits.npz": "digits.npz"}
"""The program on one page, and what it reads, which a reader saves side by side."""
SPECIAL = {
    "CITATION.cff": "reuse.md",
    **{file: page for page, file in TEXTS.items()},
    **ONE_PAGE,
}
ELEMENT = re.compile(r"<\w[^<>]*>")
ATTRIBUTE = re.compile(r'\s(id|name|href|src)="([^"]+)"')
PLACES = ("id", "name")  # the attributes to which a link leads


def site_source(path: str) -> str | None:
    """Return where a file of the repository stands in the site's sources, or None.

    >>> site_source("notebooks/03_example.ipynb"), site_source("docs/notation.md")
    ('notebooks/03_example.ipynb', 'notation.md')
    >>> site_source("stbp_edu/cases/vector.py")
    'source/stbp_edu/cases/vector.md'
    """
    if path.startswith("docs/") or re.fullmatch(r"notebooks/[^/]+\.ipynb", path):
        return path.removeprefix("docs/")
    if re.match(r"(stbp_edu|tests|benchmarks)/.*\.py$", path):
        return f"source/{path.removesuffix('.py')}.md"
    return SPECIAL.get(path)


def rewrite(markdown: str, source: str) -> str:
    """Return a page's Markdown with its links as the site has them; ``../x.md`` is at the top.

    >>> rewrite("[n](../docs/notation.md#t) [c](03_x.ipynb)", "notebooks/03_example.ipynb")
    '[n](../notation.md#t) [c](03_x.ipynb)'
    """
    here = posixpath.dirname(
        source if source.startswith("notebooks/") else f"docs/{source}"
    )

    def link(match: re.Match[str]) -> str:
        target, _, fragment = match[2].partition("#")
        if not target or re.match(r"[a-z]+:|/", target):
            return match[0] if target else f"{match[1]}#{_fragment(fragment)}{match[3]}"
        page = site_source(_join(here, target))
        below = _join(posixpath.dirname(source), target)  # as the site lays it out
        if page is None and below.startswith("notebooks/"):
            page = site_source(below)
        if page is None:
            return match[0]
        url = posixpath.relpath(
            page, posixpath.dirname(source).removeprefix("..") or "."
        )
        return (
            f"{match[1]}{url}{'#' if fragment else ''}{_fragment(fragment)}{match[3]}"
        )

    parts = CODE.split(markdown)
    return "".join(p if k % 2 else LINK.sub(link, p) for k, p in enumerate(parts))


def _join(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(folder, target))


def _fragment(fragment: str) -> str:
    """Return a heading's anchor as the site writes it, from that of JupyterLab.

    >>> _fragment("What-is-wrong-here?")
    'what-is-wrong-here'
    """
    if re.match(r"L\d|stbp_edu", fragment):
        return fragment
    return re.sub(r"[^\w-]", "", fragment.lower())


def broken(site: Path) -> Iterator[str]:
    """Yield one line for each link of the site that leads nowhere."""
    files = {
        path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()
    }
    files.add(OFFLINE)  # it is packed when all pages are written
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(site.rglob("*.html")):
        elements = " ".join(ELEMENT.findall(read_text(path)))
        found[path.relative_to(site).as_posix()] = ATTRIBUTE.findall(elements)
    places = {
        name: {v for kind, v in each if kind in PLACES} for name, each in found.items()
    }
    for name in sorted(found.keys() - {"404.html"}):
        for link in sorted(
            {unescape(v) for kind, v in found[name] if kind not in PLACES}
        ):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            path, fragment = unquote(parts.path), unquote(parts.fragment)
            target = _join(posixpath.dirname(name), path) if path else name
            if target not in files:
                target = _join(target, "index.html")
            if target not in files:
                yield f"{name}: {link} leads to no file"
            elif fragment[:2] not in ("", "__") and fragment not in places.get(
                target, {fragment}
            ):
                yield f"{name}: {link} leads to no place on that page"
