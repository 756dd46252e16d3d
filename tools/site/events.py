"""The events of a build, in MkDocs' order: what is read, what is made of it, and what is written.

A notebook becomes a page in two places. The plugin mkdocs-jupyter makes a page of each ``.ipynb``:
MkDocs would otherwise copy the file and nothing else. The plugin also puts the file beside its
page, for download. Its renderer is set aside: it runs nbconvert, whose HTML has Jupyter's style
and would have to be taken apart again for the site's formulas, links, admonitions, search and
cells that can be run. Instead, ``on_page_markdown`` returns the notebook's text as Markdown, which
MkDocs renders and checks like that of any page, and ``on_page_content`` fills in the code cells.
"""

import json
import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

from stbp_edu import explorers
from stbp_edu._support.files import read_text, read_toml, write_text
from stbp_edu.plotting import palette
from stbp_edu.practice.tasks import course_table
from tools.pages import home_page
from tools.pages.page_names import names
from tools.site import PUBLIC, ROOT, downloads
from tools.site.assets import npm, pyodide
from tools.site.downloads import Address
from tools.site.generate import api_pages, pictures, source_code
from tools.site.render import links, maths, notebook_page, terms
from tools.site.render.notebook_page import Notebook, folder, plain
from tools.site.render.page_html import breakable, protect
from tools.teach import week_files
from tools.teach.weeks import weeks
from tools.templates import filled, filled_text

log = logging.getLogger("mkdocs.plugins.site")  # a warning here fails the strict build
CONTENT = (
    "content"  # the key of config.extra under which the events find the build's content
)
SEARCH = read_toml(Path(__file__).with_name("search.toml"))
SLOT = re.compile(r'<div data-slot="(\w+)"></div>')
EMPTY_HEADER = re.compile(r"<th(?: [^>]*)?></th>")  # it names nothing
PARTS = ("DERIVE", "TRAIN", "GENERAL", "GUIDE")
FOLLOWS = {"all_together": "TRAIN", "full_speed": "GENERAL"}
"""The part of the course that begins after a notebook, by its slug."""
GAP = re.compile(r"(?<=</code>)\s+(?=\))")  # which mkdocstrings leaves after a type


def sought(notebook: Notebook) -> dict[str, Any]:
    """Return what ``search.toml`` says of a notebook."""
    return SEARCH.get(notebook.stem.partition("_")[2], {})


@dataclass
class Content:
    """Everything that one build of the site knows; files by their names in the site."""

    python: dict[str, int] | None
    """What a first run fetches; None where no cell can be run."""
    address: Address  # of the site and the repository, as far as that is given
    notebooks: dict[str, Notebook]  # by stem, in the order of the course
    generated: dict[str, str | bytes]  # the pages and files made at build time
    figures: dict[str, bytes] = field(
        default_factory=dict
    )  # of notebooks; filled page by page


def collect() -> Content:
    """Fetch and read everything that the build needs.

    Raises:
        OSError, CalledProcessError: if fonts or MathJax could not be fetched.
        ValueError: if an address in the environment is none.
    """
    where = downloads.address()
    npm.ensure()
    python = pyodide.download() if pyodide.ensure() else None
    notebooks = notebook_page.read_notebooks()
    generated: dict[str, str | bytes] = {}
    generated |= api_pages.pages(api_pages.read_package())
    for path in source_code.source_files(source_code.scan(folder())):
        name, api = path.relative_to(ROOT).as_posix(), api_pages.entry(path)
        lines = notebook_page.highlighted(read_text(path)).split("\n")
        page = filled("source.md", name=name, api=api, lines=lines)
        generated[f"source/{name.removesuffix('.py')}.md"] = page
    for name, text in links.TEXTS.items():
        generated[name] = links.rewrite(read_text(ROOT / text), f"../{name}")
    for path in (pyodide.built("wheel"), pyodide.built("sdist")):
        generated[f"{downloads.FOLDER}/{path.name}"] = path.read_bytes()
    for path, name in links.ONE_PAGE.items():
        generated[name] = (ROOT / path).read_bytes()
    for week in weeks():
        generated |= week_files.files(week)
    generated["assets/css/cases.css"] = palette.css()
    generated["assets/site.json"] = json.dumps({"notebooks": list(notebooks)})
    return Content(python, where, notebooks, generated)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Collect the content, and fill the parts of the navigation that are made."""
    try:
        content = collect()
    except (OSError, CalledProcessError) as error:
        raise PluginError(
            f"fonts and MathJax come from npm, and not all came: {error}"
        ) from error
    except ValueError as error:
        raise PluginError(str(error)) from error
    if link := content.address.repository:
        config.copyright = f'{config.copyright} <a href="{link}">Source</a>'
    config.extra |= {CONTENT: content, "hero": pictures.hero()}
    if "MIKE_DOCS_VERSION" in os.environ:  # mike's: the site is one of several versions
        config.extra["version"] = {"provider": "mike"}
        config.site_url = f"{config.site_url.rstrip('/')}/"
    notebooks = [f"notebooks/{stem}.ipynb" for stem in content.notebooks]
    reference = [name for name in content.generated if name.startswith("api/")]
    made = {"API": reference, **_parts(notebooks)}
    config.nav = _filled(config.nav, made)
    return config


def _parts(notebooks: list[str]) -> dict[str, list[str]]:
    """Return the notebooks of each part of the course, and the guides beside it."""
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    part = "DERIVE"
    for path in notebooks:
        slug = Path(path).stem.partition("_")[2]
        is_guide = course_table()[slug].get("guide", False)
        parts["GUIDE" if is_guide else part].append(path)
        part = FOLLOWS.get(slug, part)
    return parts


def _filled(nav: Any, pages: dict[str, list[str]]) -> Any:
    """Return the navigation with a list of pages for each word that stands for one."""
    if isinstance(nav, str):
        return pages.get(nav, nav)
    if isinstance(nav, dict):
        return {title: _filled(item, pages) for title, item in nav.items()}
    items: list[Any] = []
    for item in nav:
        filled_in = _filled(item, pages)
        items += filled_in if isinstance(filled_in, list) else [filled_in]
    return items


@event_priority(100)
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that are copied, which were fetched, the notebooks, and what is made."""
    content = config.extra[CONTENT]
    fetched = (p for p in sorted(PUBLIC.rglob("*")) if p.is_file())
    copied = [(path.relative_to(PUBLIC).as_posix(), PUBLIC) for path in fetched]
    copied += [
        (f"notebooks/{stem}.ipynb", folder().parent) for stem in content.notebooks
    ]
    for name, above in copied:
        files.append(File(name, str(above), config.site_dir, config.use_directory_urls))
    for name, data in content.generated.items():
        source = name.startswith("source/")
        shown = InclusionLevel.NOT_IN_NAV if source else InclusionLevel.UNDEFINED
        files.append(File.generated(config, name, content=data, inclusion=shown))
    return files


@event_priority(100)
def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Fill in a page's template, take a notebook's text, and give both the site's links."""
    content, name = config.extra[CONTENT], page.file.src_uri
    if name not in content.generated:
        page.meta["elsewhere"] = content.address.page(name)
    if name.endswith(".ipynb"):
        notebook = content.notebooks[Path(name).stem]
        markdown = notebook.markdown
        page.meta |= {
            "title": notebook.title, "long_title": notebook.course["title"],
            "description": notebook.course["description"],
            "tags": notebook.course["topics"], "hide": ["tags"],
            "search": {"boost": sought(notebook).get("boost", 4)},
        }  # fmt: skip
        vars(page).pop(
            "render", None
        )  # mkdocs-jupyter's renderer; MkDocs' own takes its place
    elif name not in content.generated:
        markdown = filled_text(
            markdown,
            **downloads.names(content.address),
            python=content.python,
            **names(name),
        )
    return links.rewrite(markdown, name)


@event_priority(-50)
def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Fill in a notebook's cells, and reduce the titles in the contents to plain text."""
    content, headings = config.extra[CONTENT], [*page.toc]
    for heading in headings:
        heading.title = plain(heading.title)
        headings += heading.children
    name = page.file.src_uri
    if name not in content.generated and name not in {"index.md", "glossary.md"}:
        html = terms.linked(html, f"{'../' * page.url.count('/')}glossary/")
    notebook = content.notebooks.get(Path(name).stem)
    if name == "index.md":
        notebook = home_page.notebook()

    def fill(slot: re.Match[str]) -> str:
        if slot[1] == "head":
            is_live = content.python is not None
            return notebook_page.head_html(notebook, is_live, content.address)
        return notebook_page.cell_html(
            notebook, int(slot[1]), content.figures, content.python
        )

    html = SLOT.sub(fill, html)
    if notebook is not None and (words := sought(notebook).get("words")):
        html += f"<p hidden>{words}</p>"  # the search reads what is hidden
    return EMPTY_HEADER.sub("<td></td>", GAP.sub("", html))


@event_priority(-50)
def on_env(env: Any, files: Files, **_: Any) -> Any:
    """Name every formula by its words, and link the tagged equations to all their places."""
    pages = [file.page for file in files.documentation_pages() if file.page]
    words, rejected = maths.spoken(
        {tex for p in pages for tex in maths.formulas(p.content or "")}
    )
    for page in pages:
        for tex in rejected.keys() & {*maths.formulas(page.content or "")}:
            log.warning(f"{page.file.src_uri}: TeX rejects {tex}: {rejected[tex]}")
        page.content = maths.transform(page.content or "", words, page.url.count("/"))
    return env


@event_priority(-100)
def on_post_page(output: str, **_: Any) -> str:
    """Let long names break at their dots, and give the page its Content-Security-Policy."""
    return protect(breakable(output))


def on_post_template(output_content: str, template_name: str, **_: Any) -> str:
    """Give the page of last resort its policy too."""
    return protect(output_content) if template_name == "404.html" else output_content


@event_priority(-100)
def on_post_build(config: MkDocsConfig) -> None:
    """Write figures, explorers and the notebooks for download, and warn of each broken link."""
    content, site = config.extra[CONTENT], Path(config.site_dir)
    for stem in content.notebooks:
        copy = site / "notebooks" / stem / f"{stem}.ipynb"
        text = read_text(folder() / copy.name)
        write_text(copy, downloads.with_install_cell(text, content.address))
    for name, data in content.figures.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(data)
    explorers.export(site / "assets" / "explorers")
    for problem in links.broken(site):
        log.warning(problem)
