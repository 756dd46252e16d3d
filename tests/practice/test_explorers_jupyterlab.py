"""The explorers in JupyterLab, in a real browser, with a network that only the kernel knows."""

import json
import os
import subprocess
import sys
import time

import nbformat
import pytest
from jupyter_server.serverapp import list_running_servers
from playwright.sync_api import expect

from stbp_edu.explorers import EXPLORERS, data
from stbp_edu.practice.tasks import ForwardPass
from tests.browsing import launched
from tests.explorers import SHOWS, explorer_on, too_wide, violations
from tools.site.assets import npm

pytestmark = pytest.mark.slow  # nothing here skips: what is missing is an error

OWN = """import numpy as np
import stbp_edu
from stbp_edu.explorers import explore

rng = np.random.default_rng(5)
neuron = stbp_edu.LIF(tau=0.6, v_th=0.7, surrogate=stbp_edu.Gaussian(a=1.5))
params = stbp_edu.init_params([2, 2, 1], rng)
trace = stbp_edu.forward(np.ones((3, 1, 2)), params, neuron)
network = trace, np.array([[1.0]]), params, neuron"""
OF_NETWORKS = [name for name, (_, example) in EXPLORERS.items() if example is not None]
NO_NEWS = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
CONNECTED = """async () => {
  const { sessionContext } = jupyterapp.shell.currentWidget;
  await sessionContext.ready;
  await sessionContext.session.kernel.info;
}"""


def run(page, command, **options):
    """Run one of JupyterLab's commands to its end."""
    page.evaluate(
        "async ([name, options]) => { await jupyterapp.commands.execute(name, options); }",
        [command, options],
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Yield where JupyterLab runs, with settings of its own and a notebook of all explorers."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    own = {
        f"JUPYTER_{k}_DIR": str(folder / k.lower())
        for k in ("CONFIG", "DATA", "RUNTIME")
    }
    (folder / "config" / "labconfig").mkdir(parents=True)
    (folder / "config" / "labconfig" / "page_config.json").write_text(
        json.dumps(NO_NEWS)
    )
    shows = [
        f'explore("{name}"{", *network" * (name in OF_NETWORKS)})' for name in EXPLORERS
    ]
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(c) for c in (OWN, *shows)]
    )
    book.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    nbformat.write(book, folder / "explorers.ipynb")
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--port=0",
    ]
    command += ["--ServerApp.ip=127.0.0.1", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"]
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(
            command, env={**os.environ, **own}, stdout=log, stderr=log
        )
        while not (found := [*list_running_servers(folder / "runtime")]):
            assert server.poll() is None, (folder / "log.txt").read_text()[-2000:]
            time.sleep(0.1)
        yield found[0]["url"]
        server.terminate()  # it shuts its kernel down first
        server.wait(timeout=60)


@pytest.fixture(scope="module")
def opened(address):
    """Yield the page with the notebook open and its kernel connected."""
    with launched() as browser:
        context = browser.new_context(reduced_motion="reduce")
        context.set_default_timeout(120_000)
        context.add_init_script(path=npm.modules() / "axe-core" / "axe.min.js")
        page = context.new_page()
        page.goto(f"{address}lab/tree/explorers.ipynb")
        page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.context?.isReady"
        )
        page.evaluate(CONNECTED)
        for side in ("left-area", "side-tabbar"):  # as a reader with a phone would
            run(page, f"application:toggle-{side}")
        yield page


@pytest.fixture
def page(opened):
    """Return the page as wide as a desk's, with fresh explorers in place of those before."""
    opened.set_viewport_size({"width": 1280, "height": 900})
    run(opened, "notebook:clear-all-cell-outputs")
    expect(opened.locator(".stbp-x")).to_have_count(0)
    run(opened, "notebook:run-all-cells")
    expect(opened.locator(".stbp-x")).to_have_count(len(EXPLORERS))
    return opened


def test_explorers_are_accessible_and_fit(page):
    for theme, width in (("Light", 1280), ("Dark", 360)):
        run(page, "apputils:change-theme", theme=f"JupyterLab {theme}")
        page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']").wait_for(
            state="attached"
        )
        expect(page.locator("#jupyterlab-splash")).to_have_count(
            0
        )  # it covers the change
        page.set_viewport_size({"width": width, "height": 900})
        for name in EXPLORERS:
            explorer = explorer_on(page, name)
            explorer.scroll_into_view_if_needed()
            assert violations(explorer) == []
            assert too_wide(explorer) == []


def test_explorers_of_networks_show_the_values_of_the_package_and_keep_their_keys(page):
    """Of a network of one's own; what takes none has the same module and values on the site."""
    names = {}
    exec(OWN, names)
    for name in OF_NETWORKS:
        SHOWS[name](explorer_on(page, name), data(name, ForwardPass(*names["network"])))
    cells = page.locator(".jp-Notebook .jp-Cell")
    before = cells.all_inner_texts()
    paths = explorer_on(page, "paths")
    paths.locator("g[aria-pressed=true]").focus()
    for key in ("b", "x", "d", "d", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    expect(paths.locator("g[aria-pressed=true]")).to_be_focused()
    active = page.locator(".jp-Notebook .jp-Cell.jp-mod-active").locator(".stbp-x")
    expect(active).to_have_attribute("aria-label", "Explorer: paths to the loss")
    assert cells.count() == len(before)
