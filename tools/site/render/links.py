"""Links as they are written in the repository, turned into links of the site.

In a notebook or a Markdown file a link is relative to the repository, so that it works in Jupyter
and in a checkout. The site keeps notebooks, pages and source files elsewhere; MkDocs then checks
what comes out of here, and a link to nothing fails the strict build.
"""

import posixpath
import re

CODE = re.compile(r"(```.*?```|~~~.*?~~~|`[^`\n]+`)", re.S)
LINK = re.compile(r"(\]\()([^()\s]+)((?:\s+\"[^\"]*\")?\))")
SPECIAL = {
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "cite.md",
    "CONTRIBUTING.md": "contributing.md",
}


def site_source(path: str) -> str | None:
    """Return where a file of the repository stands in the site's sources, or None.

    >>> site_source("notebooks/03_example.ipynb"), site_source("docs/notation.md")
    ('notebooks/03_example.ipynb', 'notation.md')
    >>> site_source("stbp_edu/cases/vector.py")
    'source/stbp_edu/cases/vector.md'
    """
    if path in SPECIAL:
        return SPECIAL[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if re.fullmatch(r"notebooks/[^/]+\.ipynb", path):
        return path
    if re.match(r"(stbp_edu|tests|benchmarks)/.*\.py$", path):
        return f"source/{path.removesuffix('.py')}.md"
    return None


def repository_path(source: str) -> str:
    """Return where a page of the site stands in the repository."""
    return source if source.startswith("notebooks/") else f"docs/{source}"


def rewrite(markdown: str, source: str) -> str:
    """Return a page's Markdown with its links as the site has them; ``../x.md`` is at the top.

    >>> rewrite("[n](../docs/notation.md#t) [c](03_x.ipynb)", "notebooks/03_example.ipynb")
    '[n](../notation.md#t) [c](03_x.ipynb)'
    """
    here = posixpath.dirname(repository_path(source))

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
        url = posixpath.relpath(page, posixpath.dirname(source).removeprefix("..") or ".")
        return f"{match[1]}{url}{'#' if fragment else ''}{_fragment(fragment)}{match[3]}"

    parts = CODE.split(markdown)
    return "".join(p if k % 2 else LINK.sub(link, p) for k, p in enumerate(parts))


def _join(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(folder, target))


def _fragment(fragment: str) -> str:
    """Return a heading's anchor as the site writes it: without Jupyter's capitals."""
    return fragment if fragment.startswith(("L", "stbp_edu")) else fragment.lower()
