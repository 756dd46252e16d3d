"""The examples of the bridges' docstrings and of two pages are run."""

import doctest
import importlib
import pkgutil
import subprocess
import sys
import warnings

import pytest

import stbp_edu.nir
import stbp_edu.torch
from tests.test_docs_examples import TORCH, tried
from tools import ROOT

MODULES = [
    module.name
    for of in (stbp_edu.torch, stbp_edu.nir)
    for module in pkgutil.iter_modules(of.__path__, f"{of.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_module(name):
    found = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert found.failed == 0


@pytest.mark.parametrize(
    ("name", "least"), [("which-rule", 40), ("pytorch", 40), ("your-neuron", 15)]
)
def test_examples_of_page(name, least, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    if name != "your-neuron":  # which goes on from its first part
        text = text.split(TORCH)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the frameworks' own
        assert tried(text, name) > least


@pytest.mark.parametrize("library", ["torch", "nir"])
def test_without_the_library_the_import_says_what_to_install(library):
    program = f"import sys; sys.modules[{library!r}] = None; import stbp_edu.{library}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: stbp_edu.{library} needs ")
    assert last.endswith(f"run: pip install {library}")
