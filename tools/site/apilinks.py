"""Under each heading of the API: a link to its source, and to the equations that it computes."""

from __future__ import annotations

import re

from tools.equations import Place, Places
from tools.site.generate.source import Definition

HEADING = re.compile(r'<h(\d) id="(stbp_edu[\w.]*)" class="doc doc-heading">.*?</h\1>', re.S)


def add(html: str, root: str, known: dict[str, Definition], places: dict[str, Places]) -> str:
    """Return an API page's HTML with the links; ``root`` leads to the site's top."""

    def links(match: re.Match[str]) -> str:
        definition = known.get(match[2])
        if definition is None:
            return match[0]
        path, first, _ = definition
        module, _, name = match[2].rpartition(".")
        own = [definition, known.get(f"{module}._{name}")]  # recur does its work in _recur
        url = f"{root}source/{path.removesuffix('.py')}/#L{first}"
        parts = [f'<a href="{url}" aria-label="Source of {match[2]}">source</a>']
        parts += [
            f'<a class="equation-id" href="{root}equations/#{id_}">{id_}</a>'
            for id_, found in places.items()
            if any(_within(place, span) for place in found.code for span in own)
        ]
        return f'{match[0]}<p class="doc-links" data-search-exclude>{" ".join(parts)}</p>'

    return HEADING.sub(links, re.sub(r"</code>\s+\)", "</code>)", html))


def _within(place: Place, span: Definition | None) -> bool:
    """Return whether a place is in a definition."""
    return span is not None and place.path == span[0] and span[1] <= place.line <= span[2]
