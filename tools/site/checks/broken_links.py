"""Find links of the built site that lead to no file, and fragments that lead to no id."""

import posixpath
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """Collects the ids and the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.ids.add(value)
            elif name in ("href", "src") and value and tag != "base":
                self.links.add(value)


def broken(site: Path) -> Iterator[str]:
    """Yield one line for each link of the site that leads nowhere."""
    pages = {p.relative_to(site).as_posix(): _read(p) for p in sorted(site.rglob("*.html"))}
    for name, page in pages.items():
        for link in sorted(page.links) if name != "404.html" else ():
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = _target(name, unquote(parts.path))
            fragment = unquote(parts.fragment)
            if not (site / target).is_file():
                yield f"{name}: {link} leads to no file"
            elif (
                fragment
                and not fragment.startswith("__")
                and target in pages
                and fragment not in pages[target].ids
            ):
                yield f"{name}: {link} leads to no place on that page"


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _target(name: str, path: str) -> str:
    """Return the file that a relative link means."""
    if not path:
        return name
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    if path.endswith(("/", ".", "..")) or joined == ".":
        return posixpath.normpath(posixpath.join(joined, "index.html"))
    return joined
