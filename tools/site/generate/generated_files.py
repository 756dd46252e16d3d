"""The pages and files that are made at build time, by the names they have in the site."""

import griffe

from tools.pages import performance_page, results_page, time_page, trust_page
from tools.pages.records import read_records
from tools.site import ROOT
from tools.site.generate import (
    api_pages,
    citation_page,
    equations_page,
    front,
    social_card,
    source_pages,
    sweep_grid,
)
from tools.site.generate.equation_places import Places
from tools.site.render.links import rewrite

TEXTS = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
ABOUT = {
    "equations.md": (
        "Equations",
        "Every equation of the course with its id: the formula, where it is derived, the line of "
        "code that computes it, and the test that checks it.",
    ),
    "api/index.md": (
        "API", "The public names of stbp_edu and its modules, from their docstrings."
    ),
    "results.md": (
        "Results", "Numbers measured with this code, read from the files that the runs wrote."
    ),
    "performance.md": (
        "Performance",
        "How long a training step takes, beside its matrix products and other frameworks.",
    ),
    "trust.md": (
        "Trust",
        "Which oracle checks which equation and how close it comes, what a changed program meets, "
        "and the command for each.",
    ),
    "cite.md": (
        "How to cite", "How to cite stbp_edu, and the paper whose equations it teaches."
    ),
    "time.md": (
        "Where time decides",
        "Learning rules on tasks that need memory: accuracy, spikes and reach over the width of "
        "the surrogate, read from the files that the runs wrote.",
    ),
}  # fmt: skip


def generated_files(
    package: griffe.Module, places: dict[str, Places], titles: dict[str, str]
) -> dict[str, str | bytes]:
    """Return the content of each file; ``titles`` maps a notebook's stem to its title."""
    reference, records = api_pages.pages(package), read_records()
    bodies = {
        "equations.md": equations_page.page(places, titles),
        "api/index.md": api_pages.index(package),
        "results.md": results_page.page(records),
        "performance.md": performance_page.page(records),
        "cite.md": citation_page.page(),
        "trust.md": trust_page.page(trust_page.read_trust()),
        "time.md": time_page.page(records),
    }
    files: dict[str, str | bytes] = {
        name: front(*ABOUT[name], tags=["reference"], hide=["tags"]) + body
        for name, body in bodies.items()
    }
    files["assets/social.png"] = social_card.image()
    files["assets/css/cases.css"] = sweep_grid.css()
    files |= reference
    for path in source_pages.files(places):
        name = f"source/{path.relative_to(ROOT).with_suffix('.md').as_posix()}"
        files[name] = source_pages.page(path, api_pages.entry(path, reference))
    for name, text in TEXTS.items():
        files[name] = rewrite((ROOT / text).read_text(encoding="utf-8"), f"../{name}")
    return files
