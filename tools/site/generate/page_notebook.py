"""The notebook ``which_rule.ipynb``, made of the text and the examples of ``docs/pytorch.md``.

PyTorch does not run in the browser, so the page offers its examples for Jupyter. They stand on the
page alone: what it prints below an example is the committed output of the notebook's cell, and
``tests/bridges/test_examples.py`` runs both.
"""

import doctest
import re
from pathlib import Path
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes

from tools.notebooks.execution import normalise
from tools.site import ROOT
from tools.site.address import Address
from tools.site.generate.downloads import Needs, with_install_cell

STEM = "which_rule"
NAME = f"{STEM}.ipynb"
COLAB = "[[colab]]"
PAGE = ROOT / "docs" / "pytorch.md"
HEAD = Path(__file__).with_name("templates") / f"{STEM}.md"
PART = re.compile(r"^## Ask your network$.*?(?=^## Parameters and files$)", flags=re.S | re.M)
EXAMPLES = re.compile(r"^```pycon\n(.*?)^```$", flags=re.S | re.M)
LINK = re.compile(r"\[([^]]+)\]\(([\w/-]+)\.(?:md|ipynb)(#[\w-]+)?\)")
FRAMEWORKS = ("snntorch", "spikingjelly", "norse")
NEEDS = Needs("torch", FRAMEWORKS, ("stbp_edu", "torch", *FRAMEWORKS))


def fill(markdown: str, address: Address) -> str:
    """Return the page with the link to its notebook in Colab, where there is one."""
    url = address.runners(STEM).get("Colab")
    return markdown.replace(COLAB, f" [Open it in Colab]({url})." if url else "")


def page_notebook(address: Address, page: Path = PAGE) -> str:
    """Return the notebook's text, made of that of the page.

    Raises:
        ValueError: if the page lacks a heading at which the notebook begins or ends.
    """
    if not (part := PART.search(page.read_text(encoding="utf-8"))):
        raise ValueError(f"{page.name} must have the headings of {PART.pattern!r}; change one side")
    cells: list[Any] = [
        new_markdown_cell(absolute(HEAD.read_text(encoding="utf-8"), address).strip())
    ]
    for k, text in enumerate(EXAMPLES.split(part[0])):
        cells += code_cells(text) if k % 2 else [new_markdown_cell(absolute(text, address).strip())]
    return with_install_cell(writes(normalise(new_notebook(cells=cells))), address, NEEDS)


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
            data = {"text/plain": example.want.rstrip()}
            outputs = [new_output("execute_result", data)]
            cells.append(new_code_cell(source.rstrip(), outputs=outputs))
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
