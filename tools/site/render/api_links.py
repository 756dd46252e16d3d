"""Links below each heading of the API: to its source, and to the equations that it computes."""

import re

from tools.site.generate.equation_places import Place, Places
from tools.site.generate.package_source import Definition

HEADING = re.compile(r'<h(\d) id="(stbp_edu[\w.]*)" class="doc doc-heading">.*?</h\1>', re.S)


def linked(html: str, root: str, known: dict[str, Definition], places: dict[str, Places]) -> str:
    """Return an API page's HTML with the links; ``root`` leads to the site's top."""

    def links(match: re.Match[str]) -> str:
        definition = known.get(match[2])
        if definition is None:
            return match[0]
        module, _, name = match[2].rpartition(".")
        own = [definition, known.get(f"{module}._{name}")]  # recur does its work in _recur
        url = f"{root}source/{definition.path.removesuffix('.py')}/#L{definition.first}"
        parts = [f'<a href="{url}" aria-label="Source of {match[2]}">source</a>']
        parts += [
            f'<a class="equation-id" href="{root}equations/#{id_}">{id_}</a>'
            for id_, of_id in places.items()
            if any(_within(place, span) for place in of_id.code for span in own)
        ]
        return f'{match[0]}<p class="doc-links" data-search-exclude>{" ".join(parts)}</p>'

    return HEADING.sub(links, re.sub(r"</code>\s+\)", "</code>)", html))


def _within(place: Place, span: Definition | None) -> bool:
    """Return whether a place is in a definition."""
    return span is not None and place.path == span.path and span.first <= place.line <= span.last
