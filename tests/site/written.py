"""What a page says about itself as it is written: what inspect.js reads, without a browser."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

VOID = "area base br col embed hr img input link meta source track wbr".split()  # noqa: SIM905
CODE = ("code", "pre", "script", "style", "textarea", "kbd", "mjx-container")
TEX = re.compile(r"\\\(|\\\[|\$\$|\\(?:frac|sum|tag|delta)\b")

FROM_CODE = ("source/stbp_edu/", "source/tests/", "api/")  # pages that are made of code


class Written(HTMLParser):
    """Reads one page.

    ``facts`` are those of inspect.js; of formulas, which the browser sets, they say nothing.
    ``ids`` has every id as often as it stands on the page.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        words = dict.fromkeys(("title", "lang", "description", "canonical", "image", "first"), "")
        lists: dict[str, Any] = {"headings": [], "raw": [], "unset": []}
        self.facts = lists | words | dict.fromkeys(("failed", "unspoken", "unnamed"), 0)
        self.ids: list[str] = []
        self._inside: Counter[str] = Counter()
        self._heads = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element says in its attributes."""
        found = {name: value or "" for name, value in attrs}
        self.ids += [found[name] for name in found if name == "id"]
        self.facts["unnamed"] += (
            tag == "img" and self._inside["main"] > 0 and not found.get("alt", "").strip()
        )
        if tag == "html":
            self.facts["lang"] = found.get("lang", "")
        if self._inside["head"]:
            self._head(tag, found)
        if re.fullmatch("h[1-6]", tag):
            self.facts["headings"].append([int(tag[1]), ""])
        self._inside[tag] += tag not in VOID

    def _head(self, tag: str, found: dict[str, str]) -> None:
        """Note what an element of the head says about the page."""
        self._heads += 1
        if self._heads == 2:
            self.facts["first"] = found.get("http-equiv", "")
        if tag == "link" and found.get("rel") == "canonical":
            self.facts["canonical"] = found["href"]
        names = {"description": "description", "og:image": "image"}
        said = names.get(found.get("name") or found.get("property", "")) if tag == "meta" else None
        if said:
            self.facts[said] = found.get("content", "")

    def handle_endtag(self, tag: str) -> None:
        """Leave the element."""
        self._inside[tag] -= 1

    def handle_data(self, data: str) -> None:
        """Note the text of titles and headings, and maths that stands in the prose."""
        if self._inside["title"] and self._inside["head"]:
            self.facts["title"] += data
        if any(self._inside[f"h{level}"] for level in range(1, 7)):
            self.facts["headings"][-1][1] += data
        if TEX.search(data) and not any(self._inside[tag] for tag in CODE):
            self.facts["raw"].append(data.strip()[:80])

    def repeated(self) -> list[str]:
        """Return the ids that stand on the page more than once."""
        return [name for name, times in Counter(self.ids).items() if times > 1]


def page_names(site: Path) -> list[str]:
    """Return the addresses of all pages."""
    files = (path.relative_to(site).as_posix() for path in site.rglob("index.html"))
    return sorted(file.removesuffix("index.html") for file in files)


def faults(facts: dict[str, Any], name: str) -> list[str]:
    """Return what is wrong with a page that says this about itself."""
    found = [f"maths not typeset: {f}" for f in facts["unset"]]
    found += [f"raw maths: {text}" for text in facts["raw"]]
    found += [f"{facts['failed']} formulas failed"] * bool(facts["failed"])
    found += [f"{facts['unspoken']} formulas without words"] * bool(facts["unspoken"])
    found += [f"{facts['unnamed']} images without words"] * bool(facts["unnamed"])
    found += ["no title"] * (not facts["title"]) + ["no language"] * (facts["lang"] != "en")
    found += ["the policy is not first"] * (facts["first"] != "Content-Security-Policy")
    if not name.startswith("no/"):
        found += ["description too short or long"] * (not 20 <= len(facts["description"]) <= 330)
        found += ["no canonical address"] * (not facts["canonical"].startswith("http"))
        found += ["no preview picture"] * (not facts["image"].endswith("assets/social.png"))
    levels = [level for level, _ in facts["headings"]]
    found += [f"{levels.count(1)} headings of level 1"] * (levels.count(1) != 1)
    for (before, _), (level, text) in zip(facts["headings"], facts["headings"][1:], strict=False):
        found += [f"heading jumps from {before} to {level}: {text}"] * (level > before + 1)
    return found
