"""What an output may not put on the page: it is cleaned by an allow-list before it is shown."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.site.reader import run

SHOW = "from IPython.display import HTML, SVG\n{kind}({markup!r})"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" {more}>{inside}<rect width="9" height="9"/></svg>'
XHTML = 'xmlns:h="http://www.w3.org/1999/xhtml"'
HOSTILE = {
    "a frame with a document": (
        "HTML",
        '<iframe srcdoc="<p>in</p>"></iframe><p>shown</p>',
    ),
    "a refresh": (
        "HTML",
        '<meta http-equiv="refresh" content="0; url=/away"><p>shown</p>',
    ),
    "a refresh in XHTML": (
        "SVG",
        SVG.format(
            more=XHTML, inside='<h:meta http-equiv="refresh" content="0; url=/away"/>'
        ),
    ),
    "a frame in XHTML": (
        "SVG",
        SVG.format(more=XHTML, inside='<h:iframe srcdoc="&lt;p&gt;in&lt;/p&gt;"/>'),
    ),
    "a script in a figure": (
        "SVG",
        SVG.format(more='onload="document.title=1"', inside="<script>1</script>"),
    ),
    "HTML in a figure": (
        "SVG",
        SVG.format(
            more="", inside="<foreignObject><form><input/></form></foreignObject>"
        ),
    ),
    "a part of another file": (
        "SVG",
        SVG.format(more="", inside='<use href="/assets/logo.svg#a"/>'),
    ),
    "a style for the page": (
        "HTML",
        "<style>body { display: none }</style><p>shown</p>",
    ),
    "a figure's style for the page": (
        "SVG",
        SVG.format(
            more="",
            inside="<style>body { display: none } @media all { p, div { display: none } }"
            "svg { :is(body):has(&amp;) { display: none } }</style>",
        ),
    ),
    "a form": (
        "HTML",
        '<form action="/away"><button>Run all</button></form><p>shown</p>',
    ),
    "a script": ("HTML", '<script>document.title=1</script><p onclick="1">shown</p>'),
    "a base": ("HTML", '<base href="/away/"><p>shown</p>'),
    "a fake explorer": ("HTML", '<div data-explorer="board"></div><p>shown</p>'),
}
REFUSED = (
    "iframe, meta, script, foreignObject, form, base, link, object, embed, div > style, "
    "[onload], [onclick], [srcdoc], [data-explorer], use[href^='/'], [http-equiv]"
)


def show(page: Page, kind: str, markup: str) -> Locator:
    """Run a cell that shows some markup; return its output."""
    return run(page, SHOW.format(kind=kind, markup=markup))


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_allowed_is_left_out(warm: Page, name: str) -> None:
    """The rest is shown, and the page stays where it is and as it is."""
    before = warm.url
    output = show(warm, *HOSTILE[name])
    expect(output.locator("p, svg").first).to_be_visible()
    assert (
        output.evaluate(
            "(box, refused) => box.querySelectorAll(refused).length", REFUSED
        )
        == 0
    )
    named = output.evaluate(
        "box => [...box.querySelectorAll('*')].map((one) => one.nodeName)"
    )
    assert not [one for one in named if ":" in one]
    assert warm.url == before
    assert run(warm, "1 + 1", 2).inner_text().strip() == "2"


def test_an_id_in_an_output_is_no_id_of_the_page(warm: Page) -> None:
    """It gets a name of its own; what refers to it inside the output still does."""
    svg = SVG.format(
        more="",
        inside='<defs><clipPath id="cell-2"><rect width="5" height="5"/></clipPath>'
        '<path id="m" d="M0 0L5 5"/></defs><use href="#m"/><g clip-path="url(#cell-2)"/>',
    )
    output = show(warm, "SVG", svg)
    clip = output.locator("clipPath").get_attribute("id")
    assert clip != "cell-2"
    expect(output.locator("g")).to_have_attribute("clip-path", f"url(#{clip})")
    line = output.locator("path").get_attribute("id")
    expect(output.locator("use")).to_have_attribute("href", f"#{line}")
    form = '<label for="checksum">c</label><input id="checksum" name="cell-2">'
    output = show(warm, "HTML", form)
    box = output.locator("input")
    assert box.get_attribute("id") != "checksum"
    assert box.get_attribute("name") is None
    expect(output.get_by_label("c")).to_have_count(1)
    assert warm.locator("#cell-2.cell").count() == 1


def test_an_output_stays_in_its_place(warm: Page) -> None:
    """It cannot lie over the buttons of the page."""
    cover = (
        '<div class="cover" style="position: fixed; inset: 0; background: red">x</div>'
    )
    box = show(warm, "HTML", f"<p>shown</p>{cover}").locator(".cover").bounding_box()
    assert box
    assert box["height"] < 200


def test_figures_of_matplotlib_and_of_the_package_are_whole(warm: Page) -> None:
    """Their markers, their clips and their words are allowed."""
    code = """import io
import matplotlib.pyplot as plt
from IPython.display import SVG
fig, ax = plt.subplots()
ax.plot([1, 2, 3], "o-")
file = io.StringIO()
fig.savefig(file, format="svg")
plt.close(fig)
SVG(file.getvalue())"""
    drawn = run(warm, code).locator("svg.figure")
    markers = drawn.evaluate("""svg => [...svg.querySelectorAll("use")].map((one) => {
        const { width, height } = one.getBoundingClientRect();
        return width + height;
    })""")
    assert len(markers) >= 3
    assert all(markers)
    joined = "svg => getComputedStyle(svg.querySelector('path')).strokeLinejoin"
    assert drawn.evaluate(joined) == "round"
    shown = "from stbp_edu import plotting\n"
    shown += "plotting.show(plotting.grid(3, 2), alt='A grid of three steps and two layers.')"
    figure = run(warm, shown).locator("svg.figure")
    expect(figure.locator("text").first).to_be_visible()
    expect(figure).to_have_attribute(
        "aria-label", "A grid of three steps and two layers."
    )


def test_what_a_prediction_asks_is_kept_even_where_it_reads_like_an_address(
    warm: Page,
) -> None:
    asked = "The weights end in a current. Which change form: δ?"
    output = show(warm, "HTML", f'<p data-question="{asked}">shown</p>')
    expect(output.locator("p[data-question]")).to_have_attribute("data-question", asked)
