"""Under each heading of the API: a link to its source, and to the equations that it computes."""

from __future__ import annotations

import re

from tools.equations import Places
from tools.site.generate.source import Definition

HEADING = re.compile(r'<h(\d) id="(stbp_edu[\w.]*)" class="doc doc-heading">.*?</h\1>', re.S)


def add(html: str, root: str, known: dict[str, Definition], places: dict[str, Places]) -> str:
    """Return an API page's HTML with the links; ``root`` leads to the site's top."""

    def links(match: re.Match[str]) -> str:
        definition = known.get(match[2])
        if definition is None:
            return match[0]
        path, first, last = definition
        url = f"{root}source/{path.removesuffix('.py')}/#L{first}"
        parts = [f'<a href="{url}" aria-label="Source of {match[2]}">source</a>']
        parts += [
            f'<a class="equation-id" href="{root}equations/#{id_}">{id_}</a>'
            for id_, found in places.items()
            if any(p.path == path and first <= p.line <= last for p in found.code)
        ]
        return f'{match[0]}<p class="doc-links" data-search-exclude>{" ".join(parts)}</p>'

    return HEADING.sub(links, html)
