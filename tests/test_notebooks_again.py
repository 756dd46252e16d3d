"""Each notebook run, then its cells once more: no verdict, measurement or answer changes."""

import random
import re

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tests.notebook_rules import code_cells
from tools.notebooks.numbering import files

LAST = 8  # notebooks up to this one derive; later ones train, and take long
JUDGES = re.compile(
    r"^(?:check|predict|answer|with answer|learn)\w*\(|^ *print\(", re.M
)
"""Cells that say something of the reader's answer, or a number."""
FIGURE = re.compile(r"<img [^>]*>|<svg.*?</svg>", re.S)


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("STBP_EDU_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    return InteractiveShell()


def shown(shell, source):
    """Return what a cell shows without figures, or the error that it raises."""
    with capture_output() as captured:
        result = shell.run_cell(source, store_history=False)
    if not result.success:
        return repr(result.error_before_exec or result.error_in_exec)
    html = [o.data.get("text/html", o.data.get("text/plain")) for o in captured.outputs]
    return FIGURE.sub("", "\n".join([captured.stdout, *html]))


def changed(shell, cells, order):
    """Run cells in order, then once more in another; yield those that judge and change."""
    first = [shown(shell, source) for source in cells]
    for k in order:
        again = shown(shell, cells[k])
        if JUDGES.search(cells[k]) and again != first[k]:
            yield cells[k], first[k], again


@pytest.mark.slow
@pytest.mark.parametrize("path", [*files().values()][: LAST + 1], ids=lambda p: p.stem)
def test_cells_that_run_again_show_the_same(shell, path):
    cells = [cell.source for cell in code_cells(nbformat.read(path, 4))]
    shuffled = [*range(len(cells))]
    random.Random(57).shuffle(shuffled)
    assert list(changed(shell, cells, [*range(len(cells)), *shuffled])) == []
