"""The site's own logic in MkDocs' events; each event calls small functions beside this file."""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # MkDocs loads hooks by their path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

from stbp_edu.equations import EQUATIONS
from stbp_edu.practice import explorers
from tools.equations import scan
from tools.site import (
    PUBLIC,
    ROOT,
    apilinks,
    check,
    code,
    course,
    head,
    hero,
    maths,
    pyodide,
    vendor,
)
from tools.site.cells import cell_html
from tools.site.cells import head as notebook_head
from tools.site.generate import api, pages, source
from tools.site.links import rewrite
from tools.site.llms import llms
from tools.site.notebook import meta as notebook_meta
from tools.site.notebook import plain
from tools.site.outputs import Figures

log = logging.getLogger("mkdocs.plugins.site")
SLOT = re.compile(r'<div data-slot="(\w+)"></div>')


class State:
    """What one build knows."""

    def __init__(self) -> None:
        try:
            vendor.ensure()
        except (OSError, CalledProcessError) as error:
            words = "fonts and MathJax come from npm, which could not be reached"
            raise PluginError(f"{words}: {error}") from error
        self.live = pyodide.ensure() is not None
        self.notebooks = course.notebooks()
        self.api = api.pages()
        self.speaker = maths.Speaker()
        self.places = scan(EQUATIONS, ROOT, course.folder())
        self.definitions = source.definitions()
        self.figures: dict[str, bytes] = {}


state: State


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fetch and read what the build needs, and fill the parts of the navigation that are made."""
    global state
    state = State()
    made = {
        "NOTEBOOKS": [f"notebooks/{stem}.ipynb" for stem in state.notebooks],
        "API": ["api/index.md", *state.api],
    }
    config.nav = _filled(config.nav, made)
    config.extra["live"] = state.live
    config.extra["hero"] = hero.svg()
    config.extra["first"] = f"notebooks/{next(iter(state.notebooks), '')}/"
    return config


def _filled(nav: Any, made: dict[str, list[str]]) -> Any:
    if isinstance(nav, list):
        filled = [_filled(item, made) for item in nav]
        return [x for item in filled for x in (item if isinstance(item, list) else [item])]
    if isinstance(nav, dict):
        return {title: _filled(item, made) for title, item in nav.items()}
    return list(made[nav]) if nav in made else nav


@event_priority(100)
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add fetched files, notebooks, and the pages that are made."""
    for path in sorted(p for p in PUBLIC.rglob("*") if p.is_file()):
        name = path.relative_to(PUBLIC).as_posix()
        files.append(File(name, str(PUBLIC), config.site_dir, config.use_directory_urls))
    for stem in state.notebooks:
        path = course.folder() / f"{stem}.ipynb"
        name, folder = f"notebooks/{stem}.ipynb", str(path.parent.parent)
        files.append(File(name, folder, config.site_dir, config.use_directory_urls))
    for name, content in pages.files(state.notebooks, state.api, state.places).items():
        shown = (
            InclusionLevel.NOT_IN_NAV if name.startswith("source/") else InclusionLevel.UNDEFINED
        )
        files.append(File.generated(config, name, content=content, inclusion=shown))
    return files


@event_priority(100)
def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Give a notebook's page its Markdown; turn links of the repository into links of the site."""
    name = page.file.src_uri
    if name.endswith(".ipynb"):
        notebook = state.notebooks[Path(name).stem]
        page.meta.update(notebook_meta(notebook, course.topics(notebook)))
        markdown = notebook.markdown
        # mkdocs-jupyter would now render the notebook itself, in Jupyter's style and without this
        # site's maths, links and cells; MkDocs renders the Markdown as that of any page instead.
        vars(page).pop("render", None)
    return rewrite(markdown, name)


@event_priority(-50)
def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Fill the notebook's slots, link the API, and name the formulas."""
    name = page.file.src_uri
    root = "../" * page.url.count("/")
    stem = Path(name).stem
    if name.startswith("notebooks/"):
        html = _slots(html, stem, config)
    if name.startswith("api/"):
        html = apilinks.add(html, root, state.definitions, state.places)
    html = re.sub(r"<th(?: [^>]*)?></th>", "<td></td>", html)  # an empty header names nothing
    _plain_titles(page.toc)
    return maths.transform(html, state.speaker, name, f"{root}equations/", set(EQUATIONS))


def _slots(html: str, stem: str, config: MkDocsConfig) -> str:
    """Put the line under the title and the code cells where the Markdown left room for them."""
    notebook = state.notebooks[stem]
    figures = Figures(f"../../assets/figures/{stem}")

    def fill(match: re.Match[str]) -> str:
        if match[1] == "head":
            return notebook_head(notebook, f"{stem}.ipynb", state.live)
        return cell_html(notebook.cells[int(match[1]) - 1], figures)

    html = SLOT.sub(fill, html)
    for name, content in figures.files.items():
        state.figures[f"assets/figures/{stem}/{name}"] = content
    return html


def _plain_titles(toc: Any) -> None:
    for item in toc:
        item.title = plain(item.title)
        _plain_titles(item.children)


@event_priority(-100)
def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Let long names break at their dots, and give the page its Content-Security-Policy."""
    return head.protect(code.breakable(output))


def on_post_template(output_content: str, template_name: str, **_: Any) -> str:
    """Give the page of last resort its policy too."""
    return head.protect(output_content) if template_name == "404.html" else output_content


@event_priority(-100)
def on_post_build(config: MkDocsConfig) -> None:
    """Write figures, explorers and llms.txt, and complain about every link that leads nowhere."""
    state.speaker.close()
    site = Path(config.site_dir)
    for name, content in state.figures.items():
        target = site / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    explorers.export(site / "assets" / "explorers")
    (site / "llms.txt").write_text(llms(config, site), encoding="utf-8")
    for line in check.broken(site):
        log.warning(line)
    about = {"live": state.live, "notebooks": list(state.notebooks)}
    (site / "assets" / "site.json").write_text(json.dumps(about), encoding="utf-8")
