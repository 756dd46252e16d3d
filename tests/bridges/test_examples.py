"""The examples of the bridges' docstrings and of two pages are run."""

import doctest
import importlib
import pkgutil
import re
import warnings
from importlib import metadata

import pytest

import stbp_edu.torch
from tools import ROOT

PAGE = ROOT / "docs" / "frameworks.md"
TORCH = "<!-- what follows needs PyTorch -->"
MODULES = [
    m.name for m in pkgutil.iter_modules(stbp_edu.torch.__path__, "stbp_edu.torch.")
]


@pytest.mark.parametrize("name", [*MODULES, "stbp_edu.nir"])
def test_examples_of_module(name):
    found = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.failed == 0


@pytest.mark.parametrize(("name", "least"), [("frameworks", 40), ("your-neuron", 15)])
def test_examples_of_page(name, least, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    if name == "frameworks":  # of which the quick tests run the other part
        text = text.split(TORCH)[1]
    blocks = re.findall(r"^```pycon\n(.*?)^```", text, flags=re.S | re.M)
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, name, name, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the frameworks' own
        result = doctest.DocTestRunner().run(example)
    assert result.attempted > least
    assert result.failed == 0


def test_the_releases_that_the_page_names_are_those_that_were_tried():
    text = PAGE.read_text("utf-8")
    for name in ("Norse", "snnTorch", "SpikingJelly"):
        assert f"{name} {metadata.version(name.lower())}" in text
