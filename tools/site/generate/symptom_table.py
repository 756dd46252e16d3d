"""The tables of ``docs/bug-hunt.md``: which bugs show in which way, computed from the bugs."""

from collections import Counter
from collections.abc import Iterable

from stbp_edu.practice.bug_hunt.bugs import Bug, bugs
from stbp_edu.practice.bug_hunt.symptoms import SYMPTOMS, evidence

TABLE, LISTS, COUNT = "[[symptoms]]", "[[bugs]]", "[[count]]"


def fill(markdown: str) -> str:
    """Return the page with its tables, and the number of bugs."""
    found = rows()
    markdown = markdown.replace(TABLE, _table(found)).replace(LISTS, _lists(found))
    return markdown.replace(COUNT, str(len(bugs())))


def rows() -> dict[tuple[str, ...], list[Bug]]:
    """Return the bugs by all symptoms that they show, in the order in which these are listed."""
    found: dict[tuple[str, ...], list[Bug]] = {}
    for bug in sorted(bugs(), key=lambda bug: (bug.case, bug.line, bug.source)):
        found.setdefault(evidence(bug).symptoms, []).append(bug)
    order = list(SYMPTOMS)
    return dict(sorted(found.items(), key=lambda row: [order.index(name) for name in row[0]]))


def words(symptoms: Iterable[str]) -> str:
    """Return symptoms in words.

    >>> words(["T>1", "W"])
    'wrong only where T > 1; wrong only in W'
    """
    return "; ".join(SYMPTOMS[name] for name in symptoms)


def _place(case: int, term: str) -> str:
    return f"case {case}, `{term}`" if case else "the loops"


def _table(found: dict[tuple[str, ...], list[Bug]]) -> str:
    lines = ["| what you see | where to look, and how many of the bugs are there |", "|---|---|"]
    for symptoms, same in found.items():
        places = Counter(_place(bug.case, bug.term) for bug in same)
        where = "; ".join(f"{place} ({count})" for place, count in places.items())
        lines.append(f"| {words(symptoms)} | {where} |")
    return "\n".join(lines)


def _lists(found: dict[tuple[str, ...], list[Bug]]) -> str:
    parts = []
    for symptoms, same in found.items():
        items = "\n".join(f"    - {_place(b.case, b.term)}: {b.what}" for b in same)
        parts.append(f'??? note "{words(symptoms)}"\n\n{items}\n')
    return "\n".join(parts)
