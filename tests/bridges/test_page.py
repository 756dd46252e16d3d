"""The examples of docs/pytorch.md and its notebook are run, by the releases that the page names."""

import doctest
import re
import warnings
from copy import deepcopy
from importlib import metadata

import nbformat
from nbclient import NotebookClient

from tools.site.downloads import PAGE, Address, page_notebook

PATIENCE = 300  # seconds for a cell


def test_examples():
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
    for package, name in (("norse", "Norse"), ("snntorch", "snnTorch")):
        assert f"{name} {metadata.version(package)}" in text
    assert f"SpikingJelly {metadata.version('spikingjelly')}" in text
