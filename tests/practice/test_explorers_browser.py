"""The explorers in a real browser: values, keyboard, both themes, phone width, axe."""

import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="browser tests need the extra [test]")

from stbp_edu.practice import check, exercises
from stbp_edu.practice.explorers import NAMES, data, source

ROOT = Path(__file__).parents[2]
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explorers</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="assets/favicon.svg"><link rel="stylesheet" href="assets/css/site.css">
<style>body {{ background: var(--ground); color: var(--ink); margin: 8px; }}</style></head>
<body data-md-color-scheme="{scheme}"><main><h1>Explorers</h1>{places}
<script type="module" src="assets/live/explorers.js"></script>
<script type="module" src="assets/explorers/progress.js"></script></main></body></html>"""


@pytest.fixture(scope="module")
def browser():
    from tools.site.browser import chromium, launched

    if chromium() is None:
        pytest.skip("no Chromium found; install one or set CHROMIUM")
    with launched() as running:
        yield running


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "docs" / "assets", folder / "assets")
    for scheme in ("default", "slate"):
        for name in ("sweep", "paths", "lab"):
            place = f'<div data-explorer="{name}"></div>'
            text = PAGE.format(scheme=scheme, places=place)
            (folder / f"{name}-{scheme}.html").write_text(text, encoding="utf-8")
        text = PAGE.format(scheme=scheme, places='<div data-progress></div><div id="cell"></div>')
        (folder / f"progress-{scheme}.html").write_text(text, encoding="utf-8")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_page(browser, address):
    contexts = []

    def open_(name, scheme="default", width=1100):
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda m: m.type == "error" and page.problems.append(m.text))
        page.goto(f"{address}/{name}-{scheme}.html")
        page.wait_for_selector(".stbp-x, [data-progress] table")
        return page

    yield open_
    problems = [p for c in contexts for page in c.pages for p in page.problems]
    for context in contexts:
        context.close()
    assert not problems


def value(text):
    """Read a number as the page writes it."""
    return float(text.replace("−", "-"))


def written(x):
    """Write a number as the page does: four significant digits."""
    return float(f"{x:.4g}")


def test_the_sweep_shows_the_package_values_at_every_cell_and_rule(open_page):
    page = open_page("sweep")
    shown = data("sweep")["rules"]
    for rule, label in (("exact", "ε (exact)"), ("classic", "δ · h (classic)")):
        page.get_by_label(label).check()
        page.get_by_role("button", name="First").click(force=True)
        for k, cell in enumerate(shown[rule]):
            status = page.get_by_role("status")
            assert f"Case {cell['case']} at t = {cell['t']}, n = {cell['n']}" in (
                status.text_content()
            )
            for x in cell["neurons"]:
                for name in ("delta", "epsilon"):
                    place = f"[data-value={name}][data-neuron='{x['i']}'] strong"
                    got = value(page.locator(place).text_content())
                    assert got == written(x[f"{name}Value"])
            current = page.locator(".stbp-sweep [aria-current=step]")
            assert current.count() == 1
            assert f"t = {cell['t']}, n = {cell['n']}" in current.get_attribute("aria-label")
            if k + 1 < len(shown[rule]):
                page.get_by_role("button", name="Next").click()


def test_the_sweep_by_keyboard_alone(open_page):
    page = open_page("sweep")
    page.get_by_label("ε (exact)").focus()
    page.keyboard.press("ArrowRight")  # radio group: classic
    assert page.get_by_label("δ · h (classic)").is_checked()
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert "Case 3 at t = 2, n = 2" in page.get_by_role("status").text_content()
    page.locator(".stbp-sweep [tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert "Case 4 at t = 1, n = 1" in page.get_by_role("status").text_content()


def test_the_paths_show_the_package_values_for_every_node_and_switch(open_page):
    page = open_page("paths")
    shown = data("paths")
    words = {
        n["id"]: f"{n['kind']}{n['i']}: {'spike' if n['kind'] == 'o' else 'potential'} {n['i']} "
        f"at t = {n['t']}, n = {n['n']}"
        for n in shown["nodes"]
    }
    for rule in ("exact", "classic"):
        page.get_by_label(rule, exact=True).check()
        for id_, start in shown["starts"].items():
            page.get_by_role("button", name=words[id_], exact=True).click()
            got = value(page.locator("[data-value=adjoint]").text_content())
            assert got == written(start["adjoint"])
            total = value(page.locator("[data-value=total]").text_content())
            assert total == written(start["totals"][rule])
            dropped = [p for p in start["paths"] if rule not in p["kept"]]
            assert page.locator("li.is-dropped").count() == len(dropped)
            assert page.locator(".stbp-paths li").count() == len(start["paths"])
            if dropped:
                share = page.locator("[data-value=share]").text_content()
                assert float(share.rstrip(" %")) == pytest.approx(
                    100 * sum(p["share"] for p in dropped), abs=0.051
                )
    page.get_by_label("reset path").uncheck()
    page.get_by_label("leak").uncheck()
    page.get_by_role("button", name=words["u-1-1-1"], exact=True).click()
    total = value(page.locator("[data-value=total]").text_content())
    assert total == written(shown["starts"]["u-1-1-1"]["totals"]["classic no-reset no-leak"])


def test_the_paths_by_keyboard_alone(open_page):
    page = open_page("paths")
    page.locator("g[role=button][tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    pressed = page.locator("g[role=button][aria-pressed=true]")
    assert pressed.count() == 1
    label = pressed.get_attribute("aria-label")
    assert "potential" in label
    assert "t = 2" in label
    page.locator(".stbp-paths li button").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".edge.chosen").count() > 0
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


def test_the_lab_shows_the_package_values(open_page):
    page = open_page("lab")
    shown = data("lab")
    moves = {"taus": "End", "thresholds": "Home", "currents": "End"}
    for name, press in moves.items():
        page.locator(f"[data-slider={name}]").focus()
        page.keyboard.press(press)
    page.get_by_label("linear").check()
    run = shown["runs"][
        ((1 * len(shown["taus"]) + len(shown["taus"]) - 1) * len(shown["thresholds"]))
        * len(shown["currents"])
        + len(shown["currents"])
        - 1
    ]
    assert page.locator("circle.dot").count() == shown["steps"]
    assert page.locator("line.spike").count() == run["o"].count("1")
    page.get_by_text("The values as a table").click()
    cells = [value(x) for x in page.locator("td[data-value=u]").all_text_contents()]
    assert cells == [written(u) for u in run["u"]]
    assert f"{run['o'].count('1')} of {shown['steps']} steps" in page.content()
    for name, curves in shown["curves"].items():
        page.get_by_label(name).check()
        page.locator("[data-slider=widths]").focus()
        page.keyboard.press("Home")
        for k, curve in enumerate(curves):
            got = value(page.locator("[data-value=peak]").text_content())
            assert got == written(max(curve["h"])), (name, k)
            page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("scheme", ["default", "slate"])
@pytest.mark.parametrize("name", ["sweep", "paths", "lab", "progress"])
@pytest.mark.parametrize("width", [1100, 360])
def test_axe_and_phone_width(open_page, name, scheme, width):
    from tools.site import vendor

    axe = vendor.modules() / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip("axe-core is fetched when the site is built")
    page = open_page(name, scheme, width)
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    page.add_script_tag(path=axe)
    found = page.evaluate(
        "axe.run(document).then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))"
    )
    assert found == []


@pytest.mark.parametrize("name", NAMES)
def test_the_module_in_one_piece_renders_what_the_model_holds(open_page, name):
    """As anywidget loads it: from a blob, with live values in the model."""
    page = open_page("progress")
    page.evaluate(
        """async ([text, data]) => {
          const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
          const { default: widget } = await import(url);
          const model = { get: () => data, on() {}, set() {}, save_changes() {} };
          await widget.render({ model, el: document.getElementById("cell") });
        }""",
        [source(name), data(name)],
    )
    assert page.locator("#cell .stbp-x").count() == 1


def test_progress_keeps_what_a_check_answers(open_page, address):
    page = open_page("progress")
    every = json.loads((ROOT / "docs/assets/explorers/exercises.json").read_text())
    total = sum(exercise["course"] for exercise in every)
    assert f"0 of {total} done" in page.get_by_role("status").text_content()
    exercise = exercises()["c3-delta"]
    wrong = check("c3-delta", exercise.function(exercise.mistakes[0].body))
    right = check("c3-delta", exercise.function())

    def answer(feedback):
        page.evaluate(
            "(html) => { document.getElementById('cell').innerHTML = html; }",
            feedback._repr_html_(),
        )

    row = page.locator("tr", has_text="Case 3: δ before").first
    answer(wrong)
    row.get_by_text("tried").wait_for()
    answer(right)
    row.get_by_text("done").wait_for()
    answer(wrong)  # what was right stays done
    page.reload()
    page.wait_for_selector("[data-progress] table")
    assert f"1 of {total} done" in page.locator("[data-progress] [role=status]").text_content()
    assert row.get_by_text("done").count() == 1
    page.get_by_role("button", name="Forget my progress").click()
    assert f"0 of {total} done" in page.locator("[data-progress] [role=status]").text_content()
