"""The pages and files that are made at build time, by the names they have in the site."""

from __future__ import annotations

from tools.equations import Places
from tools.site import ROOT, course, hero, social
from tools.site.generate import api, equations, results, source
from tools.site.links import rewrite
from tools.site.notebook import Notebook

TEXTS = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}


def files(
    notebooks: dict[str, Notebook], reference: dict[str, str], places: dict[str, Places]
) -> dict[str, str | bytes]:
    """Return what each file that no one wrote by hand holds."""
    titles = {stem: notebook.title for stem, notebook in notebooks.items()}
    code = {}
    for path in source.files(places):
        name = f"source/{path.relative_to(ROOT).with_suffix('.md').as_posix()}"
        code[name] = source.page(path, api.entry(path, reference))
    texts = {
        name: rewrite((ROOT / path).read_text(encoding="utf-8"), f"../{name}")
        for name, path in TEXTS.items()
    }
    return {
        "equations.md": equations.page(course.folder(), titles),
        "api/index.md": api.index(reference),
        "results.md": results.results(),
        "performance.md": results.speed(),
        "cite.md": results.cite(),
        "assets/social.png": social.image(),
        "assets/css/cases.css": hero.css(),
        **reference,
        **code,
        **texts,
    }
