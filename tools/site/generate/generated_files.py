"""The pages and files that are made at build time, by the names they have in the site."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import griffe

from tools.pages import performance_page, results_page
from tools.pages.published_records import read_records
from tools.site import ROOT
from tools.site.generate import (
    api_pages,
    citation_page,
    equations_page,
    social_card,
    source_pages,
    sweep_grid,
)
from tools.site.generate.equation_places import Places
from tools.site.generate.front_matter import front
from tools.site.render.links import rewrite

TEXTS = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
RESULTS = "Numbers measured with this code, read from the files that the runs wrote."
PERFORMANCE = "How long a training step takes, beside its matrix products and other frameworks."


def generated_files(
    package: griffe.Module, places: dict[str, Places], titles: Mapping[str, str]
) -> dict[str, str | bytes]:
    """Return the content of each file; ``titles`` maps a notebook's stem to its title."""
    reference, records = api_pages.pages(package), read_records()
    about = {"tags": ["reference"], "hide": ["tags"]}
    return {
        "equations.md": equations_page.page(places, dict(titles)),
        "api/index.md": api_pages.index(package),
        "results.md": front("Results", RESULTS, **about) + results_page.page(records),
        "performance.md": front("Performance", PERFORMANCE, **about)
        + performance_page.page(records),
        "cite.md": citation_page.page(),
        "assets/social.png": social_card.image(),
        "assets/css/cases.css": sweep_grid.css(),
        **reference,
        **{_source(path): source_pages.page(path, api_pages.entry(path, reference))
           for path in source_pages.files(places)},
        **{name: rewrite((ROOT / path).read_text(encoding="utf-8"), f"../{name}")
           for name, path in TEXTS.items()},
    }  # fmt: skip


def _source(path: Path) -> str:
    """Return the name of the page of a source file."""
    return f"source/{path.relative_to(ROOT).with_suffix('.md').as_posix()}"
