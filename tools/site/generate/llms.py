"""llms.txt: the site in one plain file, for programs that read."""

import re
from html import unescape
from pathlib import Path

TITLE = re.compile(r"<title>(.*?)</title>", re.S)
ABOUT = re.compile(r'<meta name="description" content="([^"]*)"')
GROUPS = {"notebooks/": "Course", "api/": "API", "": "Pages"}


def llms(site: Path, name: str, about: str) -> str:
    """Return the site's name, and its pages with their descriptions; source files are left out."""
    text = f"# {name}\n\n> {about}\n"
    pages = [p.relative_to(site).as_posix() for p in sorted(site.rglob("index.html"))]
    pages = [p for p in pages if not p.startswith("source/")]
    for prefix, heading in GROUPS.items():
        group = [p for p in pages if p.startswith(prefix)]
        pages = [p for p in pages if p not in group]
        if group:
            text += f"\n## {heading}\n\n" + "".join(_line(site, page) for page in group)
    return text


def _line(site: Path, page: str) -> str:
    html = (site / page).read_text(encoding="utf-8")
    title, about = TITLE.search(html), ABOUT.search(html)
    name = unescape(title[1]).rsplit(" - ", 1)[0] if title else page
    words = unescape(about[1]) if about else ""
    return f"- [{name}]({page.removesuffix('index.html') or './'}): {words}\n"
