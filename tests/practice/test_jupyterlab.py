"""The explorers in JupyterLab, in a real browser: live values, from the keyboard."""

import contextlib
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

pytest.importorskip("jupyterlab", reason="needs the extra [test]")
pytest.importorskip("anywidget", reason="needs the extra [test]")
pytest.importorskip("playwright", reason="needs the extra [test]")

import nbformat
from playwright.sync_api import TimeoutError, expect

import stbp_edu
from stbp_edu.practice.explorers.pencil import smooth

CELL = """from stbp_edu.practice.explorers import explore
from stbp_edu.practice.explorers.pencil import smooth
e = smooth()
explore("{name}", e.trace, e.targets, e.params, e.neuron)"""
LABELS = {
    "sweep": "Explorer: the backward sweep",
    "paths": "Explorer: paths to the loss",
    "lab": "Explorer: the neuron lab",
}
NAMES = tuple(LABELS)
SECONDS = 1000


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Run JupyterLab without a browser of its own; yield its address."""
    folder = tmp_path_factory.mktemp("lab")
    cells = [nbformat.v4.new_code_cell(CELL.format(name=name)) for name in NAMES]
    book = nbformat.v4.new_notebook(cells=cells)
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    book.metadata.kernelspec = kernel
    nbformat.write(book, folder / "explorers.ipynb")
    own = {k: str(folder / k) for k in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    command += ["--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=", "--ServerApp.password="]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None"]
    command += ["--LabApp.expose_app_in_browser=True"]
    environment = {**os.environ, **own, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield _address(folder / "log.txt")
    finally:
        server.terminate()
        server.wait(timeout=20)


def _address(log):
    """Wait until the server says where it listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", log.read_text())
        if found:
            try:
                urllib.request.urlopen(f"{found[0]}api", timeout=5).close()
                return found[0]
            except urllib.error.URLError:
                pass
        time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def browser():
    from tools.site.browser import chromium, launched

    if chromium() is None:
        pytest.skip("no Chromium found; install one or set CHROMIUM")
    with launched() as running:
        yield running


@pytest.fixture(scope="module")
def page(browser, lab):
    """Open the notebook in JupyterLab, run its cells, and wait for three explorers."""
    page = browser.new_page(viewport={"width": 1200, "height": 1400})
    page.goto(f"{lab}lab/tree/explorers.ipynb?reset")
    page.locator("[data-status=idle]").first.wait_for(timeout=60 * SECONDS)
    select = page.get_by_role("button", name="Select", exact=True)
    last = page.get_by_role("region", name=LABELS[NAMES[-1]])
    for _ in range(8):  # what is asked for before the kernel is ready may get lost
        if select.is_visible():
            select.click()
        page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        with contextlib.suppress(TimeoutError):
            last.wait_for(timeout=8 * SECONDS)
            break
    for name in NAMES:
        page.get_by_role("region", name=LABELS[name]).wait_for(timeout=SECONDS)
    page.wait_for_timeout(2 * SECONDS)  # JupyterLab moves the focus once all cells have run
    return page


def value(text):
    """Read a number as the explorers write it."""
    return float(text.replace("−", "-"))


@pytest.mark.slow
def test_the_sweep_shows_live_values(page):
    explorer = page.get_by_role("region", name=LABELS["sweep"])
    e = smooth()
    sweep = stbp_edu.cases.sweep(e.trace, e.targets, e.params, e.neuron)
    explorer.get_by_role("button", name="Last").click()
    expect(explorer.get_by_role("status")).to_contain_text("Case 4 at t = 1, n = 1")
    for i in (1, 2):
        for name, exact in (("delta", sweep.delta), ("epsilon", sweep.epsilon)):
            place = explorer.locator(f"[data-value={name}][data-neuron='{i}'] strong")
            assert value(place.text_content()) == float(f"{exact[1][0, 0, i - 1]:.4g}")


@pytest.mark.slow
def test_the_paths_show_live_values(page):
    explorer = page.get_by_role("region", name=LABELS["paths"])
    e = smooth()
    exact = stbp_edu.cases.sweep(e.trace, e.targets, e.params, e.neuron).delta[1][0, 0, 0]
    adjoint = explorer.locator("[data-value=adjoint]")
    assert value(adjoint.text_content()) == float(f"{exact:.4g}")


@pytest.mark.slow
def test_the_lab_obeys_the_keyboard(page):
    explorer = page.get_by_role("region", name=LABELS["lab"])
    explorer.locator("[data-slider=currents]").focus()
    page.keyboard.press("Home")
    expect(explorer.locator("p[role=status]").first).to_contain_text("The neuron spikes never")
