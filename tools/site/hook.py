"""Translates MkDocs' events into calls of ``site_content``, which knows nothing of MkDocs.

A notebook becomes a page in two places. The plugin mkdocs-jupyter makes a page of each ``.ipynb``:
MkDocs would otherwise copy the file and nothing else. The plugin also puts the file beside its
page, for download. Its renderer is set aside: it runs nbconvert, whose HTML has Jupyter's style
and would have to be taken apart again for the site's formulas, links, admonitions, search and
cells that can be run. Instead, ``on_page_markdown`` returns the notebook's text as Markdown, which
MkDocs renders and checks like that of any page, and ``on_page_content`` fills in the code cells.
"""

import logging
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

from tools.site import site_content
from tools.site.generate import pictures
from tools.site.render.notebook_page import plain
from tools.site.render.page_html import breakable, protect

log = logging.getLogger("mkdocs.plugins.site")  # a warning here fails the strict build
CONTENT = "content"  # the key of config.extra under which the events find the build's content


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Collect the content, and fill the parts of the navigation that are made."""
    try:
        content = site_content.collect()
    except (OSError, CalledProcessError) as error:
        words = "fonts and MathJax come from npm, the build backend from PyPI, and not all came"
        raise PluginError(f"{words}: {error}") from error
    except ValueError as error:
        raise PluginError(str(error)) from error
    if link := content.address.repository:
        config.copyright = f'{config.copyright} <a href="{link}">Source</a>'
    config.extra[CONTENT] = content
    config.extra["hero"] = pictures.hero()
    if first := next(iter(content.notebooks.values()), None):
        config.extra["first"] = f"notebooks/{first.stem}/"
        config.extra["first_minutes"] = first.minutes
    config.nav = _filled(config.nav, content.navigation)
    return config


def _filled(nav: Any, pages: dict[str, list[str]]) -> Any:
    """Return the navigation with a list of pages for each word that stands for one."""
    if isinstance(nav, list):
        filled = [_filled(item, pages) for item in nav]
        return [x for item in filled for x in (item if isinstance(item, list) else [item])]
    if isinstance(nav, dict):
        return {title: _filled(item, pages) for title, item in nav.items()}
    return list(pages[nav]) if nav in pages else nav


@event_priority(100)
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that are copied, and those that are made."""
    content = config.extra[CONTENT]
    for name, folder in site_content.copied_files(content):
        files.append(File(name, str(folder), config.site_dir, config.use_directory_urls))
    for name, data in content.generated.items():
        source = name.startswith("source/")
        shown = InclusionLevel.NOT_IN_NAV if source else InclusionLevel.UNDEFINED
        files.append(File.generated(config, name, content=data, inclusion=shown))
    return files


@event_priority(100)
def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Give a page the site's links, and a notebook's page its Markdown."""
    name = page.file.src_uri
    markdown, meta = site_content.page_markdown(config.extra[CONTENT], name, markdown)
    page.meta.update(meta)
    vars(page).pop("render", None)  # mkdocs-jupyter's renderer; MkDocs' own takes its place
    return markdown


@event_priority(-50)
def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Fill in what the Markdown left out, and reduce the titles in the contents to plain text."""
    _plain_titles(page.toc)
    root = "../" * page.url.count("/")
    return site_content.page_html(config.extra[CONTENT], page.file.src_uri, html, root)


def _plain_titles(toc: Any) -> None:
    for item in toc:
        item.title = plain(item.title)
        _plain_titles(item.children)


@event_priority(-100)
def on_post_page(output: str, **_: Any) -> str:
    """Let long names break at their dots, and give the page its Content-Security-Policy."""
    return protect(breakable(output))


def on_post_template(output_content: str, template_name: str, **_: Any) -> str:
    """Give the page of last resort its policy too."""
    return protect(output_content) if template_name == "404.html" else output_content


@event_priority(-100)
def on_post_build(config: MkDocsConfig) -> None:
    """Write the remaining files, and warn of every formula and link that is wrong."""
    for problem in site_content.finish(config.extra[CONTENT], Path(config.site_dir)):
        log.warning(problem)
