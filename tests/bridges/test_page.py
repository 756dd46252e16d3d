"""The examples of docs/pytorch.md are run, and its releases are those that run them."""

import doctest
import re
import warnings
from importlib import metadata
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pytorch.md"


def test_examples():
    blocks = re.findall(r"^```pycon\n(.*?)^```", PAGE.read_text("utf-8"), flags=re.S | re.M)
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, PAGE.name, str(PAGE), 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the frameworks' own
        result = doctest.DocTestRunner().run(example)
    assert result.attempted > 40
    assert result.failed == 0


def test_the_releases_that_the_page_names_are_those_that_were_tried():
    text = PAGE.read_text("utf-8")
    for package, name in (("norse", "Norse"), ("snntorch", "snnTorch")):
        assert f"{name} {metadata.version(package)}" in text
    assert f"SpikingJelly {metadata.version('spikingjelly')}" in text
