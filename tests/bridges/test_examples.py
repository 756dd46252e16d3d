"""The examples of the bridges' docstrings, of docs/pytorch.md and of its notebook are run."""

import doctest
import importlib
import pkgutil
import re
import warnings
from copy import deepcopy
from importlib import metadata

import nbformat
import pytest
from nbclient import NotebookClient

import stbp_edu.torch
from tools.site.downloads import PAGE, Address, page_notebook

PATIENCE = 300  # seconds for a cell
TORCH = [m.name for m in pkgutil.iter_modules(stbp_edu.torch.__path__, "stbp_edu.torch.")]


@pytest.mark.parametrize("name", [*TORCH, "stbp_edu.nir"])
def test_examples_of_module(name):
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.failed == 0


def test_examples_of_page():
    blocks = re.findall(r"^```pycon\n(.*?)^```", PAGE.read_text("utf-8"), flags=re.S | re.M)
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, PAGE.name, str(PAGE), 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the frameworks' own
        result = doctest.DocTestRunner().run(example)
    assert result.attempted > 40
    assert result.failed == 0


def shown(notebook):
    """Return what each code cell shows, but for the frameworks' own warnings."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [[o for o in cell.outputs if o.get("name") != "stderr"] for cell in cells]
    return [[(o.output_type, o.get("data"), o.get("text")) for o in found] for found in outputs]


def test_the_notebook_shows_in_jupyter_what_it_came_with():
    """From top to bottom, with the cell that installs, on a fresh kernel."""
    given = nbformat.reads(page_notebook(Address()), as_version=4)
    ran = NotebookClient(deepcopy(given), timeout=PATIENCE, kernel_name="python3").execute()
    assert shown(ran) == shown(given)
    assert sum(map(bool, shown(given))) > 10


def test_the_releases_that_the_page_names_are_those_that_were_tried():
    text = PAGE.read_text("utf-8")
    for name in ("Norse", "snnTorch", "SpikingJelly"):
        assert f"{name} {metadata.version(name.lower())}" in text
