"""What the site offers to take away, and that it works in an environment of its own."""

import tarfile
import zipfile
from pathlib import Path

import nbformat

from tools.site import downloads
from tools.site.downloads import Address, install_cell, requirement
from tools.site.render.notebook_page import folder

NOTEBOOKS = sorted(folder().glob("*.ipynb"))
GIVEN = Address("https://a.org/stbp/", "https://github.com/a/b")


def _cells(path):
    return list(nbformat.read(path, as_version=4).cells)


def test_the_site_holds_the_wheel_and_the_source_archive(site):
    """The wheel has both licences; the archive has what the site and the tests are made from."""
    with zipfile.ZipFile(site / downloads.FOLDER / downloads.WHEEL) as wheel:
        licences = {
            Path(name).name for name in wheel.namelist() if "/licenses/" in name
        }
    assert {"LICENSE", "LICENSE-text.md", "CREDITS.md"} <= licences
    with tarfile.open(site / downloads.FOLDER / downloads.ARCHIVE) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    wanted = {"Makefile", "mkdocs.yml", "docs/start.md", "tests/conftest.py"}
    assert wanted <= names
    assert not [name for name in names if name.startswith((".cache", "site/"))]


def test_a_notebook_for_download_installs_first(site):
    """The second cell installs, which the committed notebook lacks; its links lead to the site."""
    for path in NOTEBOOKS:
        first, install, *rest = _cells(site / "notebooks" / path.stem / path.name)
        assert install.id == downloads.INSTALL
        assert [cell.id for cell in (first, *rest)] == [c.id for c in _cells(path)]
        assert "../docs/" not in "".join(cell.source for cell in (first, *rest))


def test_the_cell_takes_the_wheel_from_the_site_or_from_beside_the_notebook():
    """Where the address was given at build it names it, and asks nothing of the reader."""
    assert f'"{requirement(GIVEN, "plot,verify")}"' in install_cell(GIVEN)
    assert f'"./{downloads.WHEEL}[plot,verify]"' in install_cell(Address())
