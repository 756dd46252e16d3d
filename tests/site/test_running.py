"""What running a cell on a notebook page does: loading, results, errors, the end of a loop."""

import re

from playwright.sync_api import expect

from tests.site.conftest import NARROW, READY
from tests.site.reader import bring, cell, run, violations, write


def test_nothing_loads_before_the_first_click_and_loading_is_shown(context, address):
    """A pointer that passes over the first page's cell fetches nothing; Run does, and says how far.

    The picture is there before, and follows what is changed. ``import stbp_edu`` needs no other
    word. NumPy and the package draw; matplotlib comes for a chart.
    """
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(READY, state="attached")
    arrows = cell(page).locator("svg.figure")
    expect(arrows.first).to_have_attribute("aria-label", re.compile("reset from o"))
    cell(page).hover()
    cell(page).get_by_role("button", name="Run code cell 1").focus()
    assert asked
    assert not [url for url in asked if "pyodide" in url or "live/worker" in url]
    page.evaluate("""() => {
        window.said = [];
        const status = document.querySelector(".live-status");
        const note = () => said.push(status.textContent);
        new MutationObserver(note).observe(status, { childList: true });
    }""")
    assert page.locator(".live-status").get_attribute("role") == "status"
    code = cell(page).get_by_role("textbox").input_value()
    assert len(code.splitlines()) == 7
    run(page, code.replace(" * (1 - o)", ""))
    expect(arrows).to_have_count(1)
    expect(arrows).not_to_have_attribute("aria-label", re.compile("reset"))
    assert [url for url in asked if "pyodide.asm.wasm" in url]
    said = page.evaluate("said")
    assert any("Loading Python" in words and "MB" in words for words in said), said
    assert said[-1].endswith("run.")
    assert not [url for url in asked if "matplotlib" in url]
    chart = "from stbp_edu import plotting\nfig, ax = plotting.figure()\n"
    chart += "plotting.show(fig, alt='A pair of axes without a line.')"
    expect(run(page, chart).locator("svg.figure")).to_have_count(1)
    assert [url for url in asked if "matplotlib" in url]
    assert not [url for url in asked if "sympy" in url]


def test_every_kind_of_result_is_shown(warm):
    """Text, display, HTML, SVG, PNG, LaTeX, a bundle, and figures that were left open."""
    output = run(
        warm,
        "print('printed')\n"
        "class Rich:\n"
        "    def __init__(self, kind, value): setattr(self, f'_repr_{kind}_', lambda **_: value)\n"
        "display(Rich('html', '<b>bold</b>'), Rich('latex', r'$\\frac{1}{2}$'))\n"
        "display(Rich('mimebundle', {'text/plain': 'p', 'text/html': '<i>bundle</i>'}))\n"
        'svg = \'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" aria-label="Dot">\'\n'
        "display(Rich('svg', svg + '<script>document.title = 1</script></svg>'))\n"
        "import matplotlib.pyplot as plt\n"
        "plt.plot([1, 2])\n"
        "{'last': [1, 2]}",
    )
    expect(output.locator(".out-stdout")).to_have_text("printed\n")
    expect(output.locator(".out-html b")).to_have_text("bold")
    expect(output.locator(".out-html i")).to_have_text("bundle")
    expect(output.locator(".out-latex mjx-container")).to_have_count(1)
    expect(output.locator("svg[role=img][aria-label=Dot]")).to_have_count(1)
    expect(output.locator("svg script")).to_have_count(0)
    expect(output.locator("img[src^='data:image/png']")).to_have_count(1)
    expect(output.locator(".out-result")).to_have_text("{'last': [1, 2]}")


def test_an_error_is_readable_and_the_page_goes_on(warm):
    """The traceback names the reader's own line, without the runner's, and the next run works."""
    output = run(warm, "def half(x):\n    return 1 / x\nhalf(0)", state="error")
    text = output.locator(".out-error").inner_text()
    assert text.startswith("ZeroDivisionError: division by zero")
    assert 'File "cell 1", line 2, in half' in text
    assert "return 1 / x" in text
    assert "page_runner" not in text
    expect(warm.locator(".live-status")).to_have_text(
        "Cell 1: ZeroDivisionError. division by zero"
    )
    output = run(warm, "if True\n    1", state="error")
    assert "SyntaxError: expected ':'" in output.inner_text()
    assert run(warm, "half(4)").inner_text().strip() == "0.25"


def test_a_cell_runs_after_those_above_it_that_have_not(warm):
    """As the first act of a reader; a second Run runs the cell alone."""
    write(warm, "count = 1", 1)
    write(warm, "count += 1", 2)
    assert run(warm, "count", 3).inner_text().strip() == "2"
    for number in (1, 2):
        expect(cell(warm, number)).to_have_attribute("data-state", "done")
    assert run(warm, "count += 1\ncount", 3).inner_text().strip() == "3"


def test_a_runaway_loop_can_be_stopped(warm):
    """Esc ends a loop, keeps what was written, says that variables are gone; Python goes on."""
    run(warm, "kept = 1")
    target = write(warm, "print('started')\nwhile True:\n    pass")
    target.get_by_role("button", name="Run code cell 1", exact=True).click()
    expect(target.locator(".cell-output")).to_contain_text("started")
    warm.keyboard.press("Escape")
    expect(target).to_have_attribute("data-state", "stopped")
    expect(warm.locator(".live-status")).to_contain_text("The variables are gone")
    expect(target.get_by_role("textbox")).to_have_value(
        "print('started')\nwhile True:\n    pass"
    )
    assert "NameError" in run(warm, "kept", state="error").inner_text()


def test_results_menu_and_search_are_open_to_everyone_and_obey_the_keyboard(warm, axe):
    """axe-core finds nothing in results, an error, a hint, the menu and the search."""
    bring(warm, axe)
    run(warm, "import sys\nprint('x\\n' * 99, file=sys.stderr)\nlist(range(99))")
    run(warm, "unknown", 2, state="error")
    assert violations(warm) == []
    warm.locator("[data-theme-button]").focus()
    warm.keyboard.press("Enter")
    expect(warm.locator("body[data-md-color-scheme=slate]")).to_have_count(1)
    assert violations(warm) == []
    warm.locator("[data-md-component=search-query]").focus()
    warm.keyboard.type("surrogate")  # the search listens to keys
    expect(warm.locator(".md-search-result__item").first).to_be_visible()
    assert violations(warm) == []
    warm.keyboard.press("Escape")
    warm.set_viewport_size(NARROW)
    warm.get_by_role("button", name="Menu").focus()
    warm.keyboard.press("Enter")
    expect(warm.locator("#__drawer")).to_be_checked()
    assert warm.evaluate(
        "document.activeElement.closest('.md-sidebar--primary') !== null"
    )
    assert violations(warm) == []
    warm.keyboard.press("Escape")
    expect(warm.locator("#__drawer")).not_to_be_checked()
