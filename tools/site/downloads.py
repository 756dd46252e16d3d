"""What the site offers to take away: links elsewhere, ``pip install``, notebooks that install.

Where the site and the repository are is given at build time: ``SITE_URL``, and ``REPO_URL``, such
as ``https://github.com/someone/stbp_edu``. What is not given makes no link.
"""

import os
import re
from dataclasses import dataclass

import nbformat

from stbp_edu import __version__

ANYWHERE = "https://this-site/"
"""Stands for the site's address in commands where ``SITE_URL`` is not given; a script on the page
puts the address there from which the page was loaded."""

BRANCH, COPIES = "main", "notebooks"
"""The branch of the site's sources, and that with the notebooks as the site offers them for
download, which ``.github/workflows/pages.yml`` writes."""
GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)")
WHEEL = f"stbp_edu-{__version__}-py3-none-any.whl"
ARCHIVE = f"stbp_edu-{__version__}.tar.gz"
FOLDER = "downloads"  # of the site
OFFLINE = "stbp_edu-site.zip"  # the whole site, made when it is built
INSTALL = "install"  # the id of the cell
PAGE = re.compile(r"\[([^\]]*)\]\(\.\./docs/([\w-]+)\.md(#[^)\s]*)?\)")
"""A link of a notebook to a page of the site: its words, its name and its place on the page."""


@dataclass(frozen=True)
class Address:
    """Where things are; empty where that is not known."""

    site: str = ""  # with a slash at its end
    repository: str = ""  # without one

    def runners(self, stem: str) -> dict[str, str]:
        """Return where a notebook can be run elsewhere, by name: on GitHub, Colab and Binder.

        Colab opens the copy that installs what it needs, Binder the whole project.

        >>> Address().runners("03_example")
        {}
        >>> list(Address(repository="https://github.com/a/b").runners("03_example").values())
        ['https://colab.research.google.com/github/a/b/blob/notebooks/03_example.ipynb',
         'https://mybinder.org/v2/gh/a/b/main?labpath=notebooks/03_example.ipynb']
        """
        if not (found := GITHUB.fullmatch(self.repository)):
            return {}
        colab = "https://colab.research.google.com/github"
        binder = "https://mybinder.org/v2/gh"
        return {
            "Colab": f"{colab}/{found[1]}/blob/{COPIES}/{stem}.ipynb",
            "Binder": f"{binder}/{found[1]}/{BRANCH}?labpath=notebooks/{stem}.ipynb",
        }

    def page(self, source: str) -> dict[str, str]:
        """Return where a page, by its name in ``docs/``, can be edited and asked about.

        >>> Address().page("start.md")
        {}
        >>> list(Address(repository="https://github.com/a/b").page("start.md").values())
        ['https://github.com/a/b/edit/main/docs/start.md',
         'https://github.com/a/b/issues/new?title=start.md%3A+']
        """
        if not GITHUB.fullmatch(self.repository):
            return {}
        folder = "" if source.startswith("notebooks/") else "docs/"
        return {
            "Edit this page": f"{self.repository}/edit/{BRANCH}/{folder}{source}",
            "Ask about this page": f"{self.repository}/issues/new?title={source}%3A+",
        }


def address() -> Address:
    """Return what the environment says; mike puts each version into a folder of the site.

    Raises:
        ValueError: if an address is none.
    """
    given = {
        name: os.environ.get(name, "").strip() for name in ("SITE_URL", "REPO_URL")
    }
    for name, value in given.items():
        if value and not re.fullmatch(r"https?://[^\s\"'<>]+", value):
            raise ValueError(
                f"{name} must be an address that begins with http, got {value!r}"
            )
    version = os.environ.get("MIKE_DOCS_VERSION", "")
    site = given["SITE_URL"] and f"{given['SITE_URL'].rstrip('/')}/{version}"
    repository = given["REPO_URL"].rstrip("/").removesuffix(".git")
    return Address(site and site.rstrip("/") + "/", repository)


def requirement(address: Address, extras: str = "") -> str:
    """Return what pip installs the site's wheel by.

    >>> requirement(Address(site="https://a.org/"), "plot").partition("stbp_edu-")[0]
    'stbp-edu[plot] @ https://a.org/downloads/'
    """
    name = f"stbp-edu[{extras}]" if extras else "stbp-edu"
    return f"{name} @ {address.site or ANYWHERE}{FOLDER}/{WHEEL}"


def install_cell(address: Address) -> str:
    """Return the line that installs what a notebook needs.

    Without the site's address it takes the wheel from the folder of the notebook.

    >>> install_cell(Address()) == f'%pip install --quiet "./{WHEEL}[plot,verify]"'
    True
    """
    given = requirement(address, "plot,verify")
    if not address.site:
        given = f"./{WHEEL}[plot,verify]"
    return f'%pip install --quiet "{given}"'


def with_install_cell(notebook: str, address: Address) -> str:
    """Return a notebook's text with that line as its first cell, after the text of its title.

    Its links to pages lead to the site; where its address is not known, only their words are left.
    """
    read = nbformat.reads(notebook, as_version=4)
    for cell in read.cells:
        if cell.cell_type == "markdown":
            cell.source = with_addresses(cell.source, address)
    cell = nbformat.v4.new_code_cell(install_cell(address), id=INSTALL)
    cell.metadata["tags"] = [INSTALL]
    read.cells.insert(1, cell)
    return nbformat.writes(read) + "\n"


def with_addresses(markdown: str, address: Address) -> str:
    """Return Markdown whose links to pages of the site work away from it.

    >>> text = "[how](../docs/start.md#install) and [3](03_example.ipynb)"
    >>> with_addresses(text, Address("https://a.org/"))
    '[how](https://a.org/start/#install) and [3](03_example.ipynb)'
    >>> with_addresses(text, Address())
    'how and [3](03_example.ipynb)'
    """
    if not address.site:
        return PAGE.sub(r"\1", markdown)
    return PAGE.sub(rf"[\1]({address.site}\2/\3)", markdown)


def names(address: Address) -> dict[str, object]:
    """Return the names that every page of ``docs/`` may use: of what can be taken away."""
    return {
        "pip": lambda extras="": f'python -m pip install "{requirement(address, extras)}"',
        "link": lambda file: f"[`{file}`]({FOLDER}/{file})", "wheel": WHEEL, "archive": ARCHIVE,
        "repository": address.repository, "offline": OFFLINE,
    }  # fmt: skip
