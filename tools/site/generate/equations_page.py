"""The equations page: every id with its formula, derivation, code and tests."""

from html import escape
from pathlib import Path

from stbp_edu import equations as register
from tools.site.generate.equation_places import Place, Places
from tools.templates import filled

TEMPLATE = Path(__file__).with_name("templates") / "equations.md"
GROUPS = {
    "The neuron": register.GROUPS["neuron"],
    "Surrogates": register.GROUPS["surrogates"],
    "The loss and the two signals": register.GROUPS["loss"],
    "The five cases": register.GROUPS["cases"],
    "Part II: arrows and losses": register.GROUPS["arrows"],
    "Part II: states and maps": register.GROUPS["states"],
    "Part II: rules": register.GROUPS["rules"],
    "Part II: several machines": register.GROUPS["machines"],
}
FORMS = {"index": "One neuron", "vector": "A whole layer"}


def page(places: dict[str, Places], titles: dict[str, str]) -> str:
    """Return the Markdown of the page, below its title.

    Args:
        places: of each equation, by its id.
        titles: of the notebooks, by their stems.
    """

    def derivation(id_: str, place: Place) -> str:
        stem = Path(place.path).stem
        return f'<a href="../notebooks/{stem}/#eq-{id_}">{escape(titles.get(stem, stem))}</a>'

    def links(id_: str) -> dict[str, dict[str, None]]:
        at = places[id_]
        return {
            "derived in": dict.fromkeys(derivation(id_, place) for place in at.notebooks),
            "computed in": dict.fromkeys(map(source, at.code)),
            "tested by": dict.fromkeys(map(source, at.tests)),
        }

    count = len(register.EQUATIONS)
    return filled(TEMPLATE, count=count, groups=GROUPS, names=FORMS, links=links)


def source(place: Place) -> str:
    """Return a link from a page one level deep to a line of a source file."""
    url = f"../source/{place.path.removesuffix('.py')}/#L{place.line}"
    name = place.name or f"line {place.line}"
    folder = Path(place.path).relative_to(Path(place.path).parts[0])
    words = escape(name).replace("_", "_<wbr>")  # the name of a test is a sentence
    return f'<a href="{url}"><code>{escape(str(folder))}</code> {words}</a>'
