"""What the site offers to take away: the ``pip install`` line, and notebooks that install."""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from stbp_edu import __version__
from tools.site.address import ANYWHERE, Address
from tools.templates import filled

WHEEL = f"stbp_edu-{__version__}-py3-none-any.whl"
ARCHIVE = f"stbp_edu-{__version__}.tar.gz"
FOLDER = "downloads"  # of the site
CELL = Path(__file__).with_name("templates") / "install_cell.py.txt"
INSTALL = "install"  # the id of the cell
PIP = re.compile(r"\[\[pip(?: ([\w,]+))?\]\]")  # with the extras that a page needs


@dataclass(frozen=True)
class Needs:
    """What a notebook imports, and how it is installed.

    Attributes:
        extras: of the package.
        packages: other packages that pip installs.
        modules: those without which the notebook does not run.
    """

    extras: str
    packages: tuple[str, ...]
    modules: tuple[str, ...]


COURSE = Needs(
    "plot,verify", ("anywidget",), ("stbp_edu", "matplotlib", "autograd", "sympy", "anywidget")
)


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
    given = requirement(address, needs.extras) if address.site else ""
    return filled(CELL, requirement=given, wheel=WHEEL, needs=needs).rstrip()


def with_install_cell(notebook: str, address: Address, needs: Needs = COURSE) -> str:
    """Return a notebook's text with that code as its first cell, after the text of its title."""
    read = nbformat.reads(notebook, as_version=4)
    cell = nbformat.v4.new_code_cell(install_cell(address, needs), id=INSTALL)
    cell.metadata["tags"] = [INSTALL]
    at = 1 if read.cells and read.cells[0].cell_type == "markdown" else 0
    read.cells.insert(at, cell)
    return nbformat.writes(read) + "\n"


def filled_in(markdown: str, address: Address) -> str:
    """Return a page's Markdown with the names of what can be taken away, and the source's link.

    >>> filled_in("[[pip nir]]", Address(site="https://a.org/")).partition(" @")[0]
    'python -m pip install "stbp-edu[nir]'
    """
    repository = f" The source is kept at <{address.repository}>." if address.repository else ""
    words = {
        "[[wheel]]": WHEEL,
        "[[wheel link]]": f"[`{WHEEL}`]({FOLDER}/{WHEEL})",
        "[[archive link]]": f"[`{ARCHIVE}`]({FOLDER}/{ARCHIVE})",
        "[[archive]]": ARCHIVE,
        "[[repository]]": repository,
    }
    for word, text in words.items():
        markdown = markdown.replace(word, text)
    return PIP.sub(
        lambda found: f'python -m pip install "{requirement(address, found[1] or "")}"', markdown
    )
