"""A cell cannot reach another host: nothing leaves, and the reader is told."""

import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.site.reader import run

TOLD = "asks nothing of other hosts"

# What a worker can ask with, each with a word from the host that answers or from what refused.
WAYS = {
    "fetch": "js.fetch(url).then(said, said)",
    "a request without an answer": "js.fetch(url, mode='no-cors').then(said, said)",
    "XMLHttpRequest": "x = js.XMLHttpRequest.new(); x.onload = x.onerror = said\n"
    "x.open('GET', url); x.send()",
    "EventSource": "s = js.EventSource.new(url); s.onopen = s.onerror = said",
    "WebSocket": "s = js.WebSocket.new(url.replace('http', 'ws')); s.onopen = s.onerror = said",
    "a worker of the worker": 'code = f\'fetch("{url}", {{mode: "no-cors"}})\'\n'
    "code += '.then(() => postMessage(1), () => postMessage(0))'\n"
    "w = js.Worker.new(js.URL.createObjectURL(js.Blob.new(to_js([code]))))\n"
    "w.onmessage = said",
    "a module": "code = js.Blob.new(to_js([f'import \"{url}\"']), type='text/javascript')\n"
    "w = js.Worker.new(js.URL.createObjectURL(code), type='module')\n"
    "w.onmessage = w.onerror = said",
}
ASK = """import js
from pyodide.ffi import to_js
url = {url!r}
heard = []
said = lambda *_: heard.append(1)
{way}"""
PATIENCE = 200  # runs until what was tried has ended, one way or the other

# What HTML loads of its own accord, or obeys.
MARKUP = """<img src="{url}/1.png" alt=""> <iframe src="{url}/2"></iframe>
<object data="{url}/3"></object> <video src="{url}/4"></video> <audio src="{url}/5"></audio>
<link rel="stylesheet" href="{url}/6"> <link rel="prefetch" href="{url}/7">
<link rel="preconnect" href="{url}"> <meta http-equiv="refresh" content="0; url={url}/8">
<style>@import url({url}/9); .far {{ background: url({url}/10) }}</style> <p class="far">shown</p>
<svg><image href="{url}/11" /></svg> <img src="no" alt="" onerror="fetch('{url}/12')">"""


class Host(ThreadingHTTPServer):
    """Another host, as far as a browser is concerned, that counts whoever knocks."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), SimpleHTTPRequestHandler)
        self.knocks = 0
        self.url = f"http://127.0.0.1:{self.server_port}"

    def get_request(self):
        """Count the connection."""
        self.knocks += 1
        return super().get_request()


@pytest.fixture
def host():
    """Yield another host, running."""
    with Host() as running:
        running.RequestHandlerClass.log_message = lambda *_: None
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_the_count_can_fail(warm, host):
    """Without the policy, what the tests below try does reach the other host."""
    free = warm.context.new_page()
    free.set_content(MARKUP.format(url=host.url))
    free.wait_for_load_state("networkidle")
    free.close()
    assert host.knocks


def test_no_cell_reaches_another_host(warm, host):
    """Python works under the page's policy: each way out is refused."""
    for name, way in WAYS.items():
        output = run(warm, ASK.format(url=host.url, way=way))
        if "Worker" not in way:  # that one's requests are refused where nobody listens
            expect(output.locator(".cell-note"), name).to_contain_text(TOLD)
        ended = (run(warm, "heard", 2).inner_text() for _ in range(PATIENCE))
        assert any(answer.strip() != "[]" for answer in ended), name
        assert not host.knocks, name


def test_no_result_reaches_another_host(warm, host):
    """Pictures, frames, styles, and hints to a browser in a cell's HTML load nothing."""
    html = MARKUP.format(url=host.url)
    output = run(warm, f"from IPython.display import HTML\nHTML({html!r})")
    expect(output.locator("p.far")).to_have_text("shown")
    expect(output.locator(".cell-note")).to_contain_text(TOLD)
    warm.wait_for_load_state("networkidle")
    assert run(warm, "1 + 1", 2).inner_text().strip() == "2", "the page is still there"
    assert not host.knocks
