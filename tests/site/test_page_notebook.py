"""The notebook that the page PyTorch offers; ``tests/bridges/test_examples.py`` runs it."""

from __future__ import annotations

import re

import nbformat

from tools.site.downloads import INSTALL, PAGE, Address, names, page_notebook

GIVEN = Address("https://a.org/stbp/", "https://github.com/a/b")


def cells(text: str, kind: str) -> list[str]:
    return [c.source for c in nbformat.reads(text, as_version=4).cells if c.cell_type == kind]


def test_it_is_made_of_the_page_and_installs_first() -> None:
    """Every line of its text but the first cell's, and of its code but the second's, is there."""
    made = nbformat.reads(page_notebook(Address()), as_version=4)
    nbformat.validate(made)
    assert made.cells[1].id == INSTALL
    assert made.cells[1].source.count("spikingjelly") == 2
    page = PAGE.read_text(encoding="utf-8")
    shown = re.sub(r"^(>>>|\.\.\.) ", "", re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", page), flags=re.M)
    lines = [line for cell in made.cells[2:] for line in cell.source.splitlines()]
    assert set(lines) <= {*shown.splitlines(), ""}
    for name in ("snntorch", "spikingjelly", "norse"):
        assert any(re.match(f"(import|from) {name}", line) for line in lines)


def test_its_links_are_addresses_or_words() -> None:
    """Relative links would lead nowhere from the reader's folder."""
    link = re.compile(r"\]\((?!#)([^)]+)\)")
    assert not link.findall("".join(cells(page_notebook(Address()), "markdown")))
    links = link.findall("".join(cells(page_notebook(GIVEN), "markdown")))
    assert any(re.fullmatch(r"https://a.org/stbp/notebooks/\d\d_case3/", link) for link in links)
    assert all(url.startswith("https://a.org/stbp/") for url in links)
    assert "https://a.org/stbp/downloads/" in cells(page_notebook(GIVEN), "code")[0]


def test_colab_is_linked_where_the_repository_is_on_github() -> None:
    colab = "https://colab.research.google.com/github/a/b/blob/notebooks/which_rule.ipynb"
    assert names(GIVEN)["colab"] == colab
    assert names(Address())["colab"] is None
