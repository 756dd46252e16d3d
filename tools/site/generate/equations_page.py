"""The equations page: every id with its formula, derivation, code and tests."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

from stbp_edu import equations as register
from tools.site.generate.equation_places import Place, Places
from tools.site.generate.front_matter import front

GROUPS = {
    "The neuron": register.NEURON,
    "Surrogates": register.SURROGATES,
    "The loss and the two signals": register.LOSS,
    "The five cases": register.CASES,
}
FORMS = {
    "index": "One neuron",
    "vector": "A whole layer",
    "classic-index": "The classic recursion, one neuron",
    "classic-vector": "The classic recursion, a whole layer",
}
ABOUT = (
    "Every equation of the course with its id: the formula, where it is derived, the line of code "
    "that computes it, and the test that checks it."
)


def page(places: dict[str, Places], titles: dict[str, str]) -> str:
    """Return the Markdown of the page; ``titles`` maps a notebook's stem to its title."""
    text = front("Equations", ABOUT, tags=["reference"], hide=["tags"])
    text += (
        "One equation, one id, four places: the derivation in a notebook, the line of code that "
        "computes it, the test that checks it, and this page, which links the three. It is made "
        "from the register `stbp_edu/equations.toml` and from the files themselves, so it cannot "
        f"drift from them. There are {len(register.EQUATIONS)} equations; the symbols are "
        "explained in the [notation](notation.md).\n\n"
    )
    for group, entries in GROUPS.items():
        text += f"## {group}\n\n"
        text += "".join(_equation(entry, places[id_], titles) for id_, entry in entries.items())
    return text


def _equation(entry: register.Equation, places: Places, titles: dict[str, str]) -> str:
    text = f"### {entry.title} {{#{entry.id}}}\n\n`{entry.id}`\n{{.equation-name}}\n\n"
    for form, tex in entry.forms.items():
        if len(entry.forms) > 1:
            text += f"{FORMS.get(form, form)}\n{{.equation-form}}\n\n"
        text += f"$$\n{tex}\n$$\n\n"

    def derivation(place: Place) -> str:
        stem = Path(place.path).stem
        url = f"../notebooks/{stem}/#eq-{entry.id}"
        return f'<a href="{url}">{escape(titles.get(stem, stem))}</a>'

    rows = [
        _row("derived in", places.notebooks, derivation),
        _row("computed in", places.code, source),
        _row("tested by", places.tests, source),
    ]
    return text + f'<dl class="equation-places">{"".join(rows)}</dl>\n\n' * any(rows)


def _row(word: str, places: list[Place], link: Callable[[Place], str]) -> str:
    links = dict.fromkeys(link(place) for place in places)
    return f"<dt>{word}</dt>{''.join(f'<dd>{one}</dd>' for one in links)}" if links else ""


def source(place: Place) -> str:
    """Return a link from a page one level deep to a line of a source file."""
    url = f"../source/{place.path.removesuffix('.py')}/#L{place.line}"
    name = place.name or f"line {place.line}"
    folder = Path(place.path).relative_to(Path(place.path).parts[0])
    words = escape(name).replace("_", "_<wbr>")  # the name of a test is a sentence
    return f'<a href="{url}"><code>{escape(str(folder))}</code> {words}</a>'
