"""What an output may not put on the page: it is cleaned by an allow-list before it is shown."""

from playwright.sync_api import expect

from tests.site.reader import run

SVG = '<svg xmlns="http://www.w3.org/2000/svg" {more}>{inside}<rect width="9" height="9"/></svg>'
XHTML = 'xmlns:h="http://www.w3.org/1999/xhtml"'
HIDES = "body { display: none } @media all { p, div { display: none } }"
HOSTILE_HTML = (
    '<iframe srcdoc="<p>in</p>"></iframe>',
    '<meta http-equiv="refresh" content="0; url=/away">',
    f"<style>{HIDES}</style>",
    '<form action="/away"><button>Run all</button></form>',
    "<script>document.title=1</script><b onclick='1'>b</b>",
    '<base href="/away/">',
    '<div data-explorer="board"></div>',
    '<div class="cover" style="position: fixed; inset: 0; background: red">x</div>',
)
HOSTILE_SVG = (  # attributes of the picture, and what is in it
    (XHTML, '<h:meta http-equiv="refresh" content="0; url=/away"/>'),
    (XHTML, '<h:iframe srcdoc="&lt;p&gt;in&lt;/p&gt;"/>'),
    ('onload="document.title=1"', "<script>1</script>"),
    ("", "<foreignObject><form><input/></form></foreignObject>"),
    ("", '<use href="/assets/logo.svg#a"/>'),
    ("", f"<style>{HIDES} svg {{ :is(body):has(&amp;) {{ display: none }} }}</style>"),
)
REFUSED = (
    "iframe, meta, script, foreignObject, form, base, link, object, embed, div > style, "
    "[onload], [onclick], [srcdoc], [data-explorer], use[href^='/'], [http-equiv]"
)
NAMES = "box => [...box.querySelectorAll('*')].map((one) => one.nodeName)"


def show(page, *shown):
    """Run a cell that shows markup, each of a kind; return its output."""
    lines = [f"display({kind}({markup!r}))" for kind, markup in shown]
    return run(page, "\n".join(["from IPython.display import HTML, SVG", *lines]))


def test_what_is_not_allowed_is_left_out(warm):
    """The rest is shown and lies over no button, and the page stays where it is and as it is."""
    before, title = warm.url, warm.title()
    html = [("HTML", f"{one}<p>shown</p>") for one in HOSTILE_HTML]
    svg = [("SVG", SVG.format(more=m, inside=i)) for m, i in HOSTILE_SVG]
    output = show(warm, *html, *svg)
    expect(output.get_by_text("shown", exact=True)).to_have_count(len(html))
    expect(output.locator("svg:visible")).to_have_count(len(svg))
    expect(output.locator(REFUSED)).to_have_count(0)
    assert not [name for name in output.evaluate(NAMES) if ":" in name]
    box = output.locator(".cover").bounding_box()
    assert box
    assert box["height"] < 200
    assert (warm.url, warm.title()) == (before, title)
    assert run(warm, "1 + 1", 2).inner_text().strip() == "2"
