"""The pages and files of one build of the site; MkDocs' events are in ``hook``."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stbp_edu.equations import EQUATIONS
from stbp_edu.practice import explorers
from tools.pages import frameworks_page
from tools.site import PUBLIC, ROOT
from tools.site.address import Address, address
from tools.site.assets import own_wheel, pyodide, vendor
from tools.site.checks.broken_links import broken
from tools.site.generate import architecture_page, downloads, page_notebook, symptom_table
from tools.site.generate.equation_places import Places, scan
from tools.site.generate.generated_files import generated_files
from tools.site.generate.llms import llms
from tools.site.generate.package_source import Definition, definitions, read_package
from tools.site.render import api_links, maths
from tools.site.render.cell_outputs import Figures
from tools.site.render.links import rewrite
from tools.site.render.notebook_html import cell_html, head_html
from tools.site.render.notebook_reader import Notebook, folder, read_notebooks

SLOT = re.compile(r'<div data-slot="(\w+)"></div>')
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
    where = address()
    vendor.ensure()
    live = pyodide.ensure() is not None
    notebooks, package = read_notebooks(), read_package()
    places = scan(EQUATIONS, ROOT, folder())
    titles = {stem: notebook.title for stem, notebook in notebooks.items()}
    generated = generated_files(package, places, titles)
    for path in (own_wheel.own_wheel(), own_wheel.own_archive()):
        generated[f"{downloads.FOLDER}/{path.name}"] = path.read_bytes()
    generated[f"{downloads.FOLDER}/{page_notebook.NAME}"] = page_notebook.page_notebook(where)
    return Content(live, notebooks, generated, places, definitions(package), address=where)


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
    if name == "architecture.md":
        markdown = architecture_page.fill(markdown)
    if name == "frameworks.md":
        markdown = frameworks_page.fill(markdown)
    if name == "bug-hunt.md":
        markdown = symptom_table.fill(markdown)
    if name == "pytorch.md":
        markdown = page_notebook.fill(markdown, content.address)
    markdown = downloads.filled_in(markdown, content.address)
    if not name.endswith(".ipynb"):
        return rewrite(markdown, name), {}
    notebook = content.notebooks[Path(name).stem]
    return rewrite(notebook.markdown, name), notebook.meta


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
        html = api_links.linked(html, root, content.definitions, content.places)
    html = EMPTY_HEADER.sub("<td></td>", html)
    return maths.transform(html, content.speaker, name, f"{root}equations/", set(EQUATIONS))


def _fill_slots(content: Content, stem: str, html: str) -> str:
    """Put the line under the title and the code cells into the slots of the Markdown."""
    notebook = content.notebooks[stem]
    figures = Figures(f"../../assets/figures/{stem}")

    def fill(slot: re.Match[str]) -> str:
        if slot[1] == "head":
            return head_html(notebook, content.live, content.address)
        return cell_html(notebook.cells[int(slot[1]) - 1], figures)

    html = SLOT.sub(fill, html)
    for name, data in figures.files.items():
        content.figures[f"assets/figures/{stem}/{name}"] = data
    return html


def finish(content: Content, site: Path, title: str, about: str) -> list[str]:
    """Write what is left, and return what is wrong with formulas and links.

    These are figures, explorers, llms.txt, and the notebooks for download.
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
    (site / "llms.txt").write_text(llms(site, title, about), encoding="utf-8")
    facts = {"live": content.live, "notebooks": list(content.notebooks)}
    (site / "assets" / "site.json").write_text(json.dumps(facts), encoding="utf-8")
    return [*content.speaker.problems, *broken(site)]
