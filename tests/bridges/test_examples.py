"""The examples of the bridges' docstrings and of docs/pytorch.md are run."""

import doctest
import importlib
import pkgutil
import re
import warnings
from importlib import metadata

import pytest

import stbp_edu.torch
from tools import ROOT

PAGE = ROOT / "docs" / "pytorch.md"
TORCH = [
    m.name for m in pkgutil.iter_modules(stbp_edu.torch.__path__, "stbp_edu.torch.")
]


@pytest.mark.parametrize("name", [*TORCH, "stbp_edu.nir"])
def test_examples_of_module(name):
    found = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.failed == 0


def test_examples_of_page():
    blocks = re.findall(
        r"^```pycon\n(.*?)^```", PAGE.read_text("utf-8"), flags=re.S | re.M
    )
    example = doctest.DocTestParser().get_doctest(
        "\n".join(blocks), {}, PAGE.name, str(PAGE), 0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the frameworks' own
        result = doctest.DocTestRunner().run(example)
    assert result.attempted > 40
    assert result.failed == 0


def test_the_releases_that_the_page_names_are_those_that_were_tried():
    text = PAGE.read_text("utf-8")
    for name in ("Norse", "snnTorch", "SpikingJelly"):
        assert f"{name} {metadata.version(name.lower())}" in text
