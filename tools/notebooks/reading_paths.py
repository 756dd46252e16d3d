"""What a notebook says it needs, and the paths through the course that a page offers."""

import re
from dataclasses import dataclass, field

LINK = re.compile(r"\[([^\]]*)\]\(([\w./-]*/)?(?:\d\d_)?(\w+)\.ipynb(#[\w-]+)?\)")
"""A link to a notebook: its words, folder, slug and anchor."""
CLAUSE = re.compile(r"(?<=[.;])\s+")
OPTIONAL = re.compile(r"\bnew to you\b|\bhelps?\b")


@dataclass(frozen=True)
class Links:
    """The notebooks that a text links, by slug, in order, each once.

    Attributes:
        steps: those that are to be read.
        optional: those in a clause that says *new to you* or *helps*.
        entries: steps whose link leads to a section; what comes before it may be skipped.
    """

    steps: list[str] = field(default_factory=list)
    optional: set[str] = field(default_factory=set)
    entries: set[str] = field(default_factory=set)


def paths(page: str) -> dict[str, Links]:
    r"""Return the paths of a page: each section with a numbered list or a table of notebooks.

    A link outside the list or the table counts only as optional, where its clause says so.

    >>> page = "## One evening\n\n1. [A](notebooks/00_a.ipynb)\n2. [D](03_d.ipynb#x)\n\n"
    >>> page += "If it is new to you: [B](notebooks/01_b.ipynb)."
    >>> paths(page)["One evening"].steps
    ['a', 'd']
    >>> paths(page)["One evening"].optional, paths(page)["One evening"].entries
    ({'b'}, {'d'})
    """
    found = {}
    parts = re.split(r"^## (.+)$", page, flags=re.M)
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        listed = "\n".join(re.findall(r"^(?:\d+\. |\| ).*$", text, flags=re.M))
        path = links(listed)
        if path.steps:
            path.optional.update(links(text).optional)
            found[title] = path
    return found


def links(text: str) -> Links:
    """Return the notebooks that a text links.

    >>> links("[A](00_a.ipynb); if new to you, [B](01_b.ipynb)").optional
    {'b'}
    """
    result = Links()
    for line in text.splitlines():
        hidden = LINK.sub(lambda m: m[0].replace(".", "\0"), line)
        for clause in CLAUSE.split(hidden):
            for _, _, slug, anchor in LINK.findall(clause.replace("\0", ".")):
                if OPTIONAL.search(clause):
                    result.optional.add(slug)
                elif slug not in result.steps:
                    result.steps.append(slug)
                    result.entries.update([slug] if anchor else [])
    return result
