"""The explorers in JupyterLab, in a real browser, with a network that only the kernel knows."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import nbformat
import pytest
from playwright.sync_api import expect

from stbp_edu.practice.explorers import EXPLORERS, data
from stbp_edu.practice.tasks import ForwardPass
from tests.browsing import launched
from tests.explorers import OBEYS, SHOWS, explorer_on, too_wide, violations
from tools.site.assets import npm

pytestmark = pytest.mark.slow  # nothing here skips: what is missing is an error

OWN = """import numpy as np
import stbp_edu
from stbp_edu.practice.explorers import explore

rng = np.random.default_rng(5)
neuron = stbp_edu.LIF(tau=0.6, v_th=0.7, surrogate=stbp_edu.Gaussian(a=1.5))
params = stbp_edu.init_params([2, 2, 1], rng)
trace = stbp_edu.forward(np.ones((3, 1, 2)), params, neuron)
network = trace, np.array([[1.0]]), params, neuron"""
OF_NETWORKS = [name for name, (_, example) in EXPLORERS.items() if example is not None]
QUIET = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
OPENED = "window.jupyterapp?.shell.currentWidget?.context?.isReady"
CONNECTED = """async () => {
  const { sessionContext } = jupyterapp.shell.currentWidget;
  await sessionContext.ready;
  await sessionContext.session.kernel.info;
}"""
COMMAND = "async ([name, options]) => { await jupyterapp.commands.execute(name, options); }"


@contextmanager
def jupyterlab(folder):
    """Run JupyterLab on a free port with settings of its own; yield its address."""
    own = {f"JUPYTER_{k}_DIR": str(folder / k.lower()) for k in ("CONFIG", "DATA", "RUNTIME")}
    (folder / "config" / "labconfig").mkdir(parents=True)
    (folder / "config" / "labconfig" / "page_config.json").write_text(json.dumps(QUIET))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    command += ["--ServerApp.ip=127.0.0.1", "--IdentityProvider.token="]
    command += [f"--ServerApp.root_dir={folder / 'notebooks'}"]
    command += ["--LabApp.expose_app_in_browser=True"]
    log = folder / "log.txt"
    with (
        log.open("w") as out,
        subprocess.Popen(command, env={**os.environ, **own}, stdout=out, stderr=out) as server,
    ):
        try:
            yield _address(server, folder / "runtime", log)
        finally:
            server.terminate()  # it shuts its kernel down first
            with suppress(subprocess.TimeoutExpired):
                server.wait(timeout=60)
            server.kill()


def _address(server, runtime, log):
    """Wait for the file in which the server says where it listens."""
    while server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with suppress(json.JSONDecodeError):  # it may be half written
                return json.loads(path.read_text())["url"]
        time.sleep(0.1)
    return pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def notebook():
    """Return a notebook whose cells show the explorers."""
    shows = [f'explore("{name}"{", *network" * (name in OF_NETWORKS)})' for name in EXPLORERS]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in (OWN, *shows)])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return book


def run(page, command, **options):
    """Run one of JupyterLab's commands to its end."""
    page.evaluate(COMMAND, [command, options])


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Yield JupyterLab's page with the notebook open and its kernel connected."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    (folder / "notebooks").mkdir()
    nbformat.write(notebook(), folder / "notebooks" / "explorers.ipynb")
    axe = npm.modules() / "axe-core" / "axe.min.js"
    with jupyterlab(folder) as address, launched() as browser:
        context = browser.new_context(reduced_motion="reduce")
        context.set_default_timeout(120_000)
        context.add_init_script(path=axe)
        page = context.new_page()
        page.goto(f"{address}lab/tree/explorers.ipynb")
        page.wait_for_function(OPENED)
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
    for theme, width in (("Light", 1280), ("Dark", 1280), ("Light", 360), ("Dark", 360)):
        run(page, "apputils:change-theme", theme=f"JupyterLab {theme}")
        page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']").wait_for(state="attached")
        expect(page.locator("#jupyterlab-splash")).to_have_count(0)  # it covers the change
        page.set_viewport_size({"width": width, "height": 900})
        for name in EXPLORERS:
            explorer = explorer_on(page, name)
            explorer.scroll_into_view_if_needed()
            assert violations(explorer) == []
            assert too_wide(explorer) == []


def test_explorers_obey_the_keyboard(page):
    for name in EXPLORERS:
        OBEYS[name](explorer_on(page, name))


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
