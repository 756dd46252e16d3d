"""What the site offers to take away: links elsewhere, ``pip install``, notebooks that install.

Where the site and the repository are is given at build time: ``SITE_URL``, and ``REPO_URL``, such
as ``https://github.com/someone/stbp_edu``. What is not given makes no link.

PyTorch does not run in the browser, so its page offers its examples for Jupyter, as a notebook made
of the text of ``docs/pytorch.md``. They stand on the page alone: what it prints below an example is
the output of the notebook's cell, and ``tests/bridges/test_examples.py`` runs both.
"""

import doctest
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from stbp_edu import __version__
from tools import ROOT
from tools.notebooks.execution import METADATA
from tools.templates import filled

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
INSTALL = "install"  # the id of the cell
STEM = "which_rule"  # the notebook of the page on PyTorch
NAME = f"{STEM}.ipynb"
PAGE = ROOT / "docs" / "pytorch.md"
PART = re.compile(r"^## Ask your network$.*?(?=^## Parameters and files$)", flags=re.S | re.M)
EXAMPLES = re.compile(r"^```pycon\n(.*?)^```$", flags=re.S | re.M)
LINK = re.compile(r"\[([^]]+)\]\(([\w/-]+)\.(?:md|ipynb)(#[\w-]+)?\)")


@dataclass(frozen=True)
class Address:
    """Where things are.

    Attributes:
        site: the address of the site, with a slash at its end; empty where it is not known.
        repository: the address of the repository, without one; empty where there is none.
    """

    site: str = ""
    repository: str = ""

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


def address() -> Address:
    """Return what the environment says.

    Raises:
        ValueError: if an address is none.
    """
    given = {name: os.environ.get(name, "").strip() for name in ("SITE_URL", "REPO_URL")}
    for name, value in given.items():
        if value and not re.fullmatch(r"https?://[^\s\"'<>]+", value):
            raise ValueError(f"{name} must be an address that begins with http, got {value!r}")
    site, repository = given["SITE_URL"], given["REPO_URL"].rstrip("/").removesuffix(".git")
    return Address(site and site.rstrip("/") + "/", repository)


Needs = dict[str, Any]
"""The package's extras and the other packages that a notebook installs, and what it imports."""
COURSE: Needs = {
    "extras": "plot,verify",
    "packages": ["anywidget"],
    "modules": ["stbp_edu", "matplotlib", "autograd", "sympy", "anywidget"],
}
FRAMEWORKS = ["snntorch", "spikingjelly", "norse"]
NEEDS: Needs = {
    "extras": "torch", "packages": FRAMEWORKS, "modules": ["stbp_edu", "torch", *FRAMEWORKS],
}  # fmt: skip


def requirement(address: Address, extras: str = "") -> str:
    """Return what pip installs the site's wheel by.

    >>> requirement(Address(site="https://a.org/"), "plot").partition("stbp_edu-")[0]
    'stbp-edu[plot] @ https://a.org/downloads/'
    """
    name = f"stbp-edu[{extras}]" if extras else "stbp-edu"
    return f"{name} @ {address.site or ANYWHERE}{FOLDER}/{WHEEL}"


def install_cell(address: Address, needs: Needs = COURSE) -> str:
    """Return the code that installs what a notebook needs, where it is missing.

    Without the site's address it takes the wheel from the folder of the notebook.
    """
    given = requirement(address, needs["extras"]) if address.site else ""
    cell = filled("install_cell.py.txt", requirement=given, wheel=WHEEL, needs=needs)
    return cell.rstrip()


def with_install_cell(notebook: str, address: Address, needs: Needs = COURSE) -> str:
    """Return a notebook's text with that code as its first cell, after the text of its title."""
    read = nbformat.reads(notebook, as_version=4)
    cell = nbformat.v4.new_code_cell(install_cell(address, needs), id=INSTALL)
    cell.metadata["tags"] = [INSTALL]
    at = 1 if read.cells and read.cells[0].cell_type == "markdown" else 0
    read.cells.insert(at, cell)
    return nbformat.writes(read) + "\n"


def names(address: Address) -> dict[str, object]:
    """Return the names that every page of ``docs/`` may use: of what can be taken away."""
    return {
        "pip": lambda extras="": f'python -m pip install "{requirement(address, extras)}"',
        "link": lambda file: f"[`{file}`]({FOLDER}/{file})", "wheel": WHEEL, "archive": ARCHIVE,
        "repository": address.repository, "colab": address.runners(STEM).get("Colab"),
    }  # fmt: skip


def page_notebook(address: Address, page: Path = PAGE) -> str:
    """Return the notebook's text, made of that of the page.

    Raises:
        ValueError: if the page lacks a heading at which the notebook begins or ends.
    """
    if not (part := PART.search(page.read_text(encoding="utf-8"))):
        raise ValueError(f"{page.name} must have the headings of {PART.pattern!r}; change one side")
    cells: list[Any] = []
    for k, text in enumerate([filled(f"{STEM}.md"), "", *EXAMPLES.split(part[0])]):
        cells += code_cells(text) if k % 2 else [new_markdown_cell(absolute(text, address).strip())]
    for k, cell in enumerate(cells, start=1):
        cell.id = f"cell-{k:02d}"
    made = new_notebook(cells=cells, metadata=METADATA)
    return with_install_cell(nbformat.writes(made), address, NEEDS)


def code_cells(examples: str) -> list[Any]:
    r"""Return a cell for each example that shows something, which begins with those before it.

    A blank line follows a statement of several lines.

    >>> [cell.source for cell in code_cells(">>> a = 1\n>>> a\n1\n>>> a + 1\n2")]
    ['a = 1\na', 'a + 1']
    """
    cells, source = [], ""
    for example in doctest.DocTestParser().get_examples(examples):
        source += example.source + "\n" * (example.source.count("\n") > 1)
        if example.want:
            shown = new_output("execute_result", {"text/plain": example.want.rstrip()})
            cells.append(new_code_cell(source.rstrip(), outputs=[shown]))
            source = ""
    return [*cells, new_code_cell(source.rstrip())] if source else cells


def absolute(markdown: str, address: Address) -> str:
    """Return text with the links of a page at the top of the site as addresses.

    Where the site's address is not known the words of the link stay.

    >>> absolute("[a](api/engine.md#x)", Address(site="https://a.org/"))
    '[a](https://a.org/api/engine/#x)'
    >>> absolute("See [a](b.md).", Address())
    'See a.'
    """
    to = rf"[\1]({address.site}\2/\3)" if address.site else r"\1"
    return LINK.sub(to, markdown)
