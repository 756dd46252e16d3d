"""The pages and files of one build of the site; MkDocs' events are in ``hook``."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stbp_edu.equations import EQUATIONS
from stbp_edu.plotting import palette
from stbp_edu.practice import explorers
from tools.pages.names import names
from tools.site import PUBLIC, ROOT, downloads
from tools.site.assets import npm, pyodide
from tools.site.downloads import Address
from tools.site.generate import api_pages, pictures, source_code
from tools.site.generate.source_code import Definition, Places
from tools.site.render import links, maths, notebook_page
from tools.site.render.notebook_page import Notebook, folder
from tools.templates import filled_text

SLOT = re.compile(r'<div data-slot="(\w+)"></div>')
TEXTS = {
    "changelog.md": "CHANGELOG.md",
    "conduct.md": "CODE_OF_CONDUCT.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
}
EMPTY_HEADER = re.compile(r"<th(?: [^>]*)?></th>")  # it names nothing


@dataclass
class Content:
    """Everything that one build of the site knows.

    Attributes:
        live: whether cells can be run, which takes the Python runtime.
        notebooks: by stem, in the order of the course.
        generated: the pages and files made at build time, by their names in the site.
        places: where each equation is derived, computed and tested.
        definitions: the lines of each definition of the package, by its full name.
        speaker: turns formulas into words.
        figures: the figures of the notebooks, by their names in the site; filled page by page.
        address: where the site and the repository are, as far as that is given.
    """

    live: bool
    notebooks: dict[str, Notebook]
    generated: dict[str, str | bytes]
    places: dict[str, Places]
    definitions: dict[str, Definition]
    speaker: maths.Speaker = field(default_factory=maths.Speaker)
    figures: dict[str, bytes] = field(default_factory=dict)
    address: Address = field(default_factory=Address)

    @property
    def navigation(self) -> dict[str, list[str]]:
        """The pages for each word that the navigation in mkdocs.yml leaves to be filled."""
        reference = [name for name in self.generated if re.match(r"api/(?!index)", name)]
        return {
            "NOTEBOOKS": [f"notebooks/{stem}.ipynb" for stem in self.notebooks],
            "API": ["api/index.md", *reference],
        }


def collect() -> Content:
    """Fetch and read everything that the build needs.

    Raises:
        OSError, CalledProcessError: if fonts, MathJax or the build backend could not be fetched.
        ValueError: if an address in the environment is none.
    """
    where = downloads.address()
    npm.ensure()
    live = pyodide.ensure() is not None
    notebooks, package = notebook_page.read_notebooks(), source_code.read_package()
    places = source_code.scan(EQUATIONS, ROOT, folder())
    reference = api_pages.pages(package)
    generated: dict[str, str | bytes] = {**reference}
    for path in source_code.source_files(places):
        name = f"source/{path.relative_to(ROOT).with_suffix('.md').as_posix()}"
        generated[name] = source_code.source_page(path, api_pages.entry(path, reference))
    for name, text in TEXTS.items():
        generated[name] = links.rewrite((ROOT / text).read_text(encoding="utf-8"), f"../{name}")
    for path in (pyodide.built("wheel"), pyodide.built("sdist")):
        generated[f"{downloads.FOLDER}/{path.name}"] = path.read_bytes()
    generated[f"{downloads.FOLDER}/{downloads.NAME}"] = downloads.page_notebook(where)
    generated["assets/social.png"] = pictures.social_card()
    generated["assets/css/cases.css"] = palette.css()
    defined = source_code.definitions(package)
    return Content(live, notebooks, generated, places, defined, address=where)


def copied_files(content: Content) -> Iterator[tuple[str, Path]]:
    """Yield the name in the site, and the folder below which it stands, of each file to be copied.

    These are the fetched files and the notebooks.
    """
    for path in sorted(p for p in PUBLIC.rglob("*") if p.is_file()):
        yield path.relative_to(PUBLIC).as_posix(), PUBLIC
    for stem in content.notebooks:
        yield f"notebooks/{stem}.ipynb", folder().parent


def page_markdown(content: Content, name: str, markdown: str) -> tuple[str, dict[str, Any]]:
    """Return a page's Markdown with the site's links, and its metadata if it is a notebook."""
    if name.endswith(".ipynb"):
        notebook = content.notebooks[Path(name).stem]
        return links.rewrite(notebook.markdown, name), notebook.meta
    if name not in content.generated:
        known = {**downloads.names(content.address), **names(name)}
        if name == "equations.md":
            titles = {stem: notebook.title for stem, notebook in content.notebooks.items()}
            known |= source_code.equation_names(content.places, titles)
        markdown = filled_text(markdown, **known)
    return links.rewrite(markdown, name), {}


def page_html(content: Content, name: str, html: str, root: str) -> str:
    """Return a page's HTML with its cells, links to source lines, and formulas in words.

    Args:
        content: of this build.
        name: the page's source, such as ``notebooks/03_example.ipynb``.
        html: made from the page's Markdown.
        root: the path from the page to the top of the site, such as ``../../``.
    """
    if name.startswith("notebooks/"):
        html = _fill_slots(content, Path(name).stem, html)
    if name.startswith("api/"):
        html = api_pages.linked(html, root, content.definitions, content.places)
    html = EMPTY_HEADER.sub("<td></td>", html)
    return maths.transform(html, content.speaker, name, f"{root}equations/", set(EQUATIONS))


def _fill_slots(content: Content, stem: str, html: str) -> str:
    """Put the line under the title and the code cells into the slots of the Markdown."""
    notebook = content.notebooks[stem]
    figures = notebook_page.Figures(f"../../assets/figures/{stem}")

    def fill(slot: re.Match[str]) -> str:
        if slot[1] == "head":
            return notebook_page.head_html(notebook, content.live, content.address)
        return notebook_page.cell_html(notebook.cells[int(slot[1]) - 1], figures)

    html = SLOT.sub(fill, html)
    for name, data in figures.files.items():
        content.figures[f"assets/figures/{stem}/{name}"] = data
    return html


def finish(content: Content, site: Path) -> list[str]:
    """Write what is left, and return what is wrong with formulas and links.

    These are figures, explorers, and the notebooks for download.
    """
    content.speaker.close()
    for stem in content.notebooks:
        copy = site / "notebooks" / stem / f"{stem}.ipynb"
        text = (folder() / copy.name).read_text(encoding="utf-8")
        copy.write_text(downloads.with_install_cell(text, content.address), encoding="utf-8")
    for name, data in content.figures.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(data)
    explorers.export(site / "assets" / "explorers")
    facts = {"live": content.live, "notebooks": list(content.notebooks)}
    (site / "assets" / "site.json").write_text(json.dumps(facts), encoding="utf-8")
    return [*content.speaker.problems, *links.broken(site)]
